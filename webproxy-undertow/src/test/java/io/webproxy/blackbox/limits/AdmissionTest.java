package io.webproxy.blackbox.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ForwardError;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How many connections are let in, and that those who are in don't notice the others. */
@ExtendWith(LeakCheck.class)
class AdmissionTest {
    private static final String GET = "GET / HTTP/1.1¶Host: a¶¶";
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    private static boolean isServed(RawConnection client) {
        try {
            client.send(GET);
            return client.readResponse().startsWith("HTTP/1.1 200 ");
        } catch (IOException e) {
            return false;
        }
    }

    private static void assertCapHolds(TestProxy proxy, int cap) throws Exception {
        List<RawConnection> in = new ArrayList<>();
        try {
            for (int i = 0; i < cap; i++) {
                in.add(proxy.raw());
                assertThat(isServed(in.get(i))).isTrue();
            }
            for (int i = 0; i < 3; i++) {
                try (RawConnection one = RawConnection.open(proxy.port())) {
                    assertThat(one.end()).isIn("end", "reset");
                }
            }
            assertThat(proxy.server().status().refused()).isEqualTo(3);
            assertThat(proxy.server().status().connections()).isEqualTo(cap);
            for (RawConnection client : in) {
                assertThat(isServed(client)).isTrue();
            }
            in.remove(0).close();
            await().until(() -> proxy.server().status().connections() == cap - 1);
            in.add(proxy.raw());
            assertThat(isServed(in.get(cap - 1))).isTrue();
        } finally {
            for (RawConnection client : in) {
                client.close();
            }
        }
        await().until(() -> proxy.server().status().connections() == 0);
    }

    @OverHttp1
    void connectionsOfOneAddressAreCapped(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        front, b -> b.forward(upstream.uri()).tuning(t -> t.withConnectionsPerAddress(4)))) {
            assertCapHolds(proxy, 4);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    @ExpectedLog(
            logger = "io.webproxy.undertow.endpoint.OpenConnections",
            contains = "Refusing connections: 4 are open")
    void allConnectionsAreCapped(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).tuning(t -> t.withConnections(4)))) {
            assertCapHolds(proxy, 4);
        }
    }

    @Test
    void trustedOnesAreExempt() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy listed = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withConnectionsPerAddress(1).withConnectionsExempt("127.0.0.0/8")));
                TestProxy trusted = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withConnectionsPerAddress(1))
                                .trustedProxies("127.0.0.1"))) {
            for (TestProxy proxy : List.of(listed, trusted)) {
                try (RawConnection first = proxy.raw();
                        RawConnection second = proxy.raw()) {
                    assertThat(isServed(first)).isTrue();
                    assertThat(isServed(second)).isTrue();
                }
            }
        }
    }

    @OverEachFront
    void requestsAboveTheRateAre429(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(upstream.uri())
                                .route(r -> r.path("/limited")
                                        .forward(upstream.uri())
                                        .rateLimit(1, Duration.ofHours(1), 2)))) {
            List<Integer> seen = new ArrayList<>();
            for (String path : List.of("/limited/1", "/limited/2", "/limited/3", "/limited/4", "/free")) {
                Request request = new Request.Builder().url(proxy.url(path)).build();
                try (Response response = proxy.client().newCall(request).execute()) {
                    seen.add(response.code());
                    if (response.code() == 429) {
                        assertThat(Integer.parseInt(response.header("Retry-After", "0")))
                                .isBetween(3590, 7200);
                    }
                }
            }
            assertThat(seen).containsExactly(200, 200, 429, 429, 200);
            assertThat(proxy.record().error()).isEmpty();
            assertThat(proxy.record().error()).isEmpty();
            assertThat(proxy.record().error()).contains(ForwardError.REQUEST_REJECTED);
        }
    }

    /**
     * A WebSocket, an HTTP/2 connection, a request in clear on a TLS port, a handshake that never comes: each is
     * forgotten when it closes.
     */
    @Test
    void everyKindOfConnectionIsForgottenWhenItCloses() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED);
                    c.end();
                });
                TestProxy clear = TestProxy.start(Front.H1, upstream.uri());
                TestProxy tls = TestProxy.start(Front.H2_TLS, upstream.uri())) {
            for (TestProxy proxy : List.of(clear, tls)) {
                try (RawConnection socket = proxy.raw()) {
                    socket.send(WebSocketHandshake.REQUEST);
                    assertThat(socket.readHead()).startsWith("HTTP/1.1 101 ");
                    assertThat(proxy.server().status().connections()).isEqualTo(1);
                }
                await().until(() -> proxy.server().status().connections() == 0);
            }
            try (Http2Client client = Http2Client.open(tls);
                    RawConnection redirected = RawConnection.open(tls.port());
                    RawConnection silent = RawConnection.open(tls.port());
                    RawConnection garbage = RawConnection.open(tls.port())) {
                redirected.send(GET);
                assertThat(redirected.readResponse()).startsWith("HTTP/1.1 301 ");
                redirected.close();
                silent.send("\u0016\u0003");
                garbage.send("\u0001");
                assertThat(garbage.end()).isIn("end", "reset");
                await().untilAsserted(() ->
                        assertThat(tls.server().status().connections()).isEqualTo(2));
            }
            await().untilAsserted(() ->
                    assertThat(tls.server().status().connections()).isEqualTo(0));
            assertThat(tls.server().status().refused()).isZero();
        }
    }
}
