package io.webproxy.undertow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyServer;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.TestProxy;
import io.webproxy.tunnel.TunnelKey;
import io.webproxy.tunnel.TunnelServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A service that only dials out is reached by a public server: both sides, as users configure them. */
@ExtendWith(LeakCheck.class)
class TunnelTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    @TempDir
    private Path directory;

    private ProxyServer publicSide(String allowed) throws Exception {
        TunnelKey alice = TunnelKey.create(directory, "alice");
        Path agents = Files.writeString(directory.resolve("agents"), "alice " + alice.fingerprint() + " " + allowed);
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .ioThreads(2)
                .drainTime(Duration.ZERO)
                .listen(0, port -> port.tunnels(TunnelServer.agents(agents).identity(directory.resolve("public"))))
                .start();
    }

    private static int port(ProxyServer server) {
        return server.endpoints().get(0).address().getPort();
    }

    private String fingerprint() {
        return TunnelKey.load(directory.resolve("public/public")).fingerprint();
    }

    @Test
    void tlsThatEndsAtThePrivateSideGoesToItsRoutesWithTheClientsAddress() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        c.send("HTTP/1.1 200 OK¶Content-Length: " + head.length() + "¶¶" + head);
                    }
                });
                ProxyServer outer = publicSide("names=app.example.com");
                ProxyServer inner = ProxyServer.builder()
                        .ioThreads(2)
                        .drainTime(Duration.ZERO)
                        .tunnel(
                                "127.0.0.1:" + port(outer),
                                t -> t.identity(directory.resolve("alice"))
                                        .server(fingerprint())
                                        .announceHttps("app.example.com"))
                        .certificates(TestProxy.certificates())
                        .forward(upstream.uri())
                        .start()) {
            assertThat(inner.endpoints()).isEmpty();
            assertThat(inner.uri()).hasToString("https://app.example.com/");
            await().atMost(Duration.ofSeconds(10))
                    .pollInterval(Duration.ofMillis(10))
                    .ignoreExceptions()
                    .untilAsserted(() -> {
                        try (RawConnection client = RawConnection.openTlsFor(
                                "app.example.com",
                                port(outer),
                                TestProxy.trust().sslSocketFactory(),
                                "http/1.1")) {
                            client.send("GET / HTTP/1.1¶Host: app.example.com¶¶");
                            assertThat(client.readResponse())
                                    .contains("X-Forwarded-For: 127.0.0.1")
                                    .contains("X-Forwarded-Proto: https");
                        }
                    });
        }
    }
}
