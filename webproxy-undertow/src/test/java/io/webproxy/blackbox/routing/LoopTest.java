package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.observe.ForwardError;
import io.webproxy.port.Endpoint;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.Upstream;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Requests that would come back to the server that forwards them. */
@ExtendWith(LeakCheck.class)
class LoopTest {
    private static final String NOWHERE = "http://192.0.2.1:9";

    /** A proxy with one more endpoint, in cleartext. */
    private static TestProxy proxy(Front front, String upstream) {
        return TestProxy.start(front, b -> b.http(0).forward(upstream));
    }

    private static String cleartext(TestProxy proxy) {
        return "http://127.0.0.1:" + proxy.server().endpoints().get(1).address().getPort();
    }

    private static void redirect(TestProxy proxy, String upstream) {
        proxy.server().update(b -> b.route(r -> r.forward(upstream)));
    }

    @OverEachFront
    @ExpectedLog(contains = "come back to this server")
    void loopOverTwoProxiesEndsWith508(Front front) throws Exception {
        try (TestProxy one = proxy(front, NOWHERE);
                TestProxy two = proxy(Front.H1, cleartext(one))) {
            redirect(one, cleartext(two));
            Request request = new Request.Builder()
                    .url(one.url("/x"))
                    .header("Gateway-Loop", "garbage, 0123456789abcdef")
                    .build();
            try (Response response = one.client().newCall(request).execute()) {
                assertThat(response.code()).isEqualTo(508);
                assertThat(response.body().string()).startsWith("508 Loop Detected: ");
            }
            // in any order: they end on different threads
            List<ForwardError> errors = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                one.record().error().ifPresent(errors::add);
            }
            assertThat(errors).containsExactly(ForwardError.REQUEST_REJECTED);
            assertThat(one.ended()).isEqualTo(10);
        }
    }

    @Test
    @ExpectedLog(contains = "come back to this server")
    void connectionFieldCannotHideTheLoop() throws Exception {
        try (TestProxy one = proxy(Front.H1, NOWHERE);
                TestProxy two = proxy(Front.H1, cleartext(one));
                RawConnection client = one.raw()) {
            redirect(one, cleartext(two));
            client.send("GET / HTTP/1.1¶Host: localhost¶Connection: Gateway-Loop¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 508 Loop Detected\r\n");
            for (int i = 0; i < 10; i++) {
                assertThat(one.record().status()).isEqualTo(508);
            }
            assertThat(one.ended()).isEqualTo(10);
        }
    }

    @Test
    @ExpectedLog(contains = "come back to this server")
    void loopThatAFilterMakesEndsToo() throws Exception {
        try (TestProxy one = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(NOWHERE)
                                .filter(request -> FilterDecision.proceed()
                                        .withUpstream(Upstream.of("http://" + request.authority())))));
                RawConnection client = one.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost:" + one.port() + "¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 508 Loop Detected\r\n");
        }
    }

    @Test
    void eachServerAddsItsIdToThoseThatCame() throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        heads.add(head);
                        c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                    }
                });
                TestProxy inner = proxy(Front.H1, upstream.uri());
                TestProxy outer = proxy(Front.H1, cleartext(inner));
                RawConnection client = outer.raw()) {
            client.send("GET / HTTP/1.1¶Host: a¶Gateway-Loop: 0123456789abcdef¶Gateway-Loop: x, \"é\"¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            client.send("GET / HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(heads.poll(30, TimeUnit.SECONDS))
                    .containsPattern("\r\nGateway-Loop: 0123456789abcdef, [0-9a-f]{16}, [0-9a-f]{16}\r\n");
            assertThat(heads.poll(30, TimeUnit.SECONDS))
                    .containsPattern("\r\nGateway-Loop: [0-9a-f]{16}, [0-9a-f]{16}\r\n");
        }
    }

    @Test
    @ExpectedLog(contains = "come back to this server")
    void longPathOfServersIsALoop() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = proxy(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            String request = "GET / HTTP/1.1¶Host: a¶Gateway-Loop: ";
            client.send(request + "0123456789abcdef,".repeat(99) + "¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            client.send(request + "0123456789abcdef,".repeat(100) + "¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 508 Loop Detected\r\n");
            client.send(request + "0123456789abcde,".repeat(500) + "¶¶");
            assertThat(client.readResponse()).endsWith("ok");
        }
    }

    @Test
    void startWithAnOwnEndpointForUpstreamIsRefusedBeforeThePortIsOpened() throws Exception {
        // the port is in use: that it isn't told about shows that nothing was opened
        try (ServerSocket used = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = used.getLocalPort();
            assertThatThrownBy(() -> ProxyServer.builder()
                            .http(port)
                            .route(r -> r.name("chat").forward("http://192.0.2.1:1", "http://127.0.0.1:" + port))
                            .start())
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessageStartingWith(
                            "route chat: its upstream http://127.0.0.1:" + port + " is an endpoint of this server");
        }
    }

    @Test
    void updateToAnOwnEndpointForUpstreamIsRefused() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            int port = proxy.port();
            assertThatThrownBy(() -> redirect(proxy, "http://localhost:" + port))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessageStartingWith("route /: its upstream http://localhost:" + port);
            assertThat(proxy.server().endpoints())
                    .extracting(Endpoint::protocol)
                    .hasSize(1);
            assertThat(client.send("GET / HTTP/1.1¶Host: a¶¶").readResponse()).endsWith("ok");
        }
    }
}
