package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyStartException;
import io.webproxy.port.Endpoint;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Endpoints that come and go while a server runs. */
@ExtendWith(LeakCheck.class)
class EndpointsTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final String GET = "GET / HTTP/1.1¶Host: localhost¶¶";

    private static int port(TestProxy proxy, String protocol) {
        return proxy.server().endpoints().stream()
                .filter(endpoint -> endpoint.protocol().equals(protocol))
                .findFirst()
                .orElseThrow()
                .address()
                .getPort();
    }

    private static RawConnection tls(TestProxy proxy) throws IOException {
        return RawConnection.openTls(port(proxy, "https"), TestProxy.trust().sslSocketFactory(), "http/1.1");
    }

    @Test
    void firstHttpsEndpointMayComeAndGoAndComeBack() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(upstream.uri()).drainTime(Duration.ofSeconds(20)));
                RawConnection kept = proxy.raw()) {
            int http = port(proxy, "http");
            assertThat(kept.send(GET).readResponse()).endsWith("ok");
            for (int round = 0; round < 2; round++) {
                proxy.server().update(b -> b.https(0).certificates(TestProxy.certificates()));
                assertThat(proxy.server().endpoints())
                        .extracting(Endpoint::protocol)
                        .containsExactly("http", "https");
                assertThat(proxy.server().status().tlsProvider()).isNotEmpty();
                int https = port(proxy, "https");
                try (RawConnection idle = tls(proxy)) {
                    assertThat(idle.send(GET).readResponse()).endsWith("ok");
                    proxy.server().update(b -> b.removeEndpoint("https-0").certificates());
                    assertThat(idle.end()).isEqualTo("end");
                }
                assertThat(proxy.server().endpoints())
                        .extracting(Endpoint::protocol)
                        .containsExactly("http");
                assertThat(proxy.server().status().tlsProvider()).isEmpty();
                assertThatThrownBy(() -> RawConnection.open(https)).isInstanceOf(ConnectException.class);
            }
            assertThat(port(proxy, "http")).isEqualTo(http);
            assertThat(kept.send(GET).readResponse())
                    .as("a connection of the one that stays")
                    .endsWith("ok");
        }
    }

    @Test
    void exchangesOfARemovedEndpointEndByThemselves() throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.answeringAfter(answer, OK);
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS, b -> b.http(0).forward(upstream.uri()).drainTime(Duration.ofSeconds(60)));
                Http2Client client = Http2Client.open(proxy);
                RawConnection http1 = tls(proxy)) {
            client.request(1, "GET", "/", "localhost");
            http1.send(GET);
            await().until(() -> upstream.connections() == 2);
            proxy.server().update(b -> b.removeEndpoint("https-0").certificates());
            assertThat(client.next(Http2Client.GOAWAY).lastStream()).isEqualTo(Integer.MAX_VALUE);
            answer.countDown();
            assertThat(client.answer(1)).isEqualTo("200");
            assertThat(http1.readResponse()).endsWith("ok").containsIgnoringCase("connection: close");
            assertThat(client.end()).isZero();
            try (RawConnection other = RawConnection.open(port(proxy, "http"))) {
                assertThat(other.send(GET).readResponse()).endsWith("ok").doesNotContain("close");
            }
        }
    }

    @Test
    void whatIsLeftOfARemovedEndpointIsCutWhenTheDrainTimeIsOver() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 4¶¶ab");
                    over.await(30, TimeUnit.SECONDS);
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1_TLS, b -> b.http(0).forward(upstream.uri()).drainTime(Duration.ofMillis(300)));
                RawConnection client = proxy.raw();
                RawConnection stays = RawConnection.open(port(proxy, "http"))) {
            client.send(GET).readHead();
            stays.send(GET).readHead();
            assertThat(client.read(2)).isEqualTo("ab");
            proxy.server().update(b -> b.removeEndpoint("https-0").certificates());
            assertThat(client.end()).isEqualTo("reset");
            assertThat(proxy.record().path()).isEqualTo("/");
            // the record comes a moment before the count
            await().until(() -> proxy.server().status().exchanges() == 1);
            over.countDown();
        }
    }

    @Test
    void oneEndpointThatCannotBeBoundChangesNothing() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            List<Endpoint> before = proxy.server().endpoints();
            assertThatThrownBy(() -> proxy.server()
                            .update(b -> b.http(0).http(taken.getLocalPort()).removeEndpoint("http-0")))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessageContaining("Port " + taken.getLocalPort() + " is already in use");
            assertThat(proxy.server().endpoints()).isEqualTo(before);
            assertThat(proxy.server().config().listens()).hasSize(1);
            try (RawConnection client = proxy.raw()) {
                assertThat(client.send(GET).readResponse()).endsWith("ok");
            }
        }
    }
}
