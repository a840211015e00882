package io.webproxy.blackbox.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyStatus;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import java.util.Map;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the status counts of connections. */
@ExtendWith(LeakCheck.class)
class ConnectionCountsTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1_TLS", "H1_TLS_JDK", "H2_TLS"})
    void handshakesAreCountedByVersionAndFailedOnesApart(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(200);
            }
            try (RawConnection broken = RawConnection.open(proxy.port())) {
                // a record of a ClientHello without extensions for TLS 1.0, with no cipher suite that anybody has
                broken.send(hello());
                broken.end();
            }
            await().untilAsserted(() ->
                    assertThat(proxy.server().status().failedHandshakes()).isEqualTo(1));
            assertThat(proxy.server().status().handshakes()).isEqualTo(Map.of("TLSv1.3", 1L));
            assertThat(proxy.server().status().resumedHandshakes()).isEmpty();
            proxy.client().connectionPool().evictAll();
            try (Response again = proxy.get("/")) {
                assertThat(again.code()).isEqualTo(200);
            }
            assertThat(proxy.server().status().handshakes()).isEqualTo(Map.of("TLSv1.3", 2L));
            assertThat(proxy.server().status().resumedHandshakes()).isEqualTo(Map.of("TLSv1.3", 1L));
        }
    }

    private static byte[] hello() {
        byte[] hello = new byte[5 + 4 + 2 + 32 + 1 + 2 + 2 + 2];
        hello[0] = 22;
        hello[1] = 3;
        hello[2] = 1;
        hello[4] = (byte) (hello.length - 5);
        hello[5] = 1;
        hello[8] = (byte) (hello.length - 9);
        hello[9] = 3;
        hello[10] = 3;
        hello[45] = 2;
        hello[46] = 0x7f;
        hello[47] = 0x7f;
        hello[48] = 1;
        return hello;
    }

    @Test
    void refusedConnectionsAreCountedByReason() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        Front.H1, b -> b.forward(upstream.uri()).tuning(t -> t.withConnectionsPerAddress(1)));
                RawConnection in = proxy.raw()) {
            assertThat(in.send("GET / HTTP/1.1¶Host: a¶¶").readResponse()).startsWith("HTTP/1.1 200 ");
            try (RawConnection out = RawConnection.open(proxy.port())) {
                assertThat(out.end()).isIn("end", "reset");
            }
            assertThat(in.socket().isClosed()).isFalse();
            ProxyStatus status = proxy.server().status();
            assertThat(status.refusals()).isEqualTo(Map.of("address", 1L));
            assertThat(status.refused()).isEqualTo(1);
            assertThat(status.lingering()).isZero();
        }
    }

    @Test
    void descriptorsAndTheDrainAreShown() throws Exception {
        try (RawUpstream silent = RawUpstream.start(c -> {
                    c.readHead();
                    c.end();
                });
                TestProxy proxy = TestProxy.start(Front.H1, silent.uri());
                RawConnection open = proxy.raw()) {
            ProxyStatus before = proxy.server().status();
            assertThat(before.descriptors()).isBetween(1L, before.descriptorLimit());
            assertThat(before.descriptorReserve()).isBetween(48L, 1_024L);
            assertThat(before.isDraining()).isFalse();
            open.send("GET / HTTP/1.1¶Host: a¶¶");
            await().until(() -> proxy.server().status().exchanges() == 1);
            var drained = proxy.server().drain(Duration.ofSeconds(20));
            await().until(() -> proxy.server().status().isDraining());
            proxy.server().drain(Duration.ZERO);
            drained.toCompletableFuture().join();
            assertThat(proxy.server().status().isDraining()).isFalse();
        }
    }
}
