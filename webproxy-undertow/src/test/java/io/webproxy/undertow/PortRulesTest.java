package io.webproxy.undertow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStatus;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.PortBuilder;
import io.webproxy.testing.Http2Client;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.TestProxy;
import io.webproxy.tls.TlsProvider;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes of connections to a port that several protocols share. */
@ExtendWith(LeakCheck.class)
class PortRulesTest {
    private static final String GET = "GET / HTTP/1.1¶Host: localhost¶Connection: close¶¶";
    private static final String BANNER = "SSH-2.0-OpenSSH_9.6¶";

    private RawUpstream routes;
    private RawUpstream ssh;
    private RawUpstream other;

    @BeforeEach
    void startTargets() throws IOException {
        routes = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 6¶¶routes");
        ssh = echo("ssh");
        other = echo("other");
    }

    /** Says its name and a line end; then all that it gets, up to the end, and that it was the end. */
    private static RawUpstream echo(String name) throws IOException {
        return RawUpstream.start(client -> {
            client.send(name + "¶");
            byte[] some = new byte[4096];
            for (int count = client.read(some, some.length); count >= 0; count = client.read(some, some.length)) {
                client.send(Arrays.copyOf(some, count));
            }
            client.send("end");
        });
    }

    @AfterEach
    void stopTargets() throws IOException {
        routes.close();
        ssh.close();
        other.close();
    }

    private static String at(RawUpstream target) {
        return "127.0.0.1:" + target.port();
    }

    private ProxyServer proxy(TlsProvider provider, Consumer<PortBuilder> rules) {
        return proxy(provider, rules, config -> {});
    }

    private ProxyServer proxy(TlsProvider provider, Consumer<PortBuilder> rules, Consumer<ProxyConfig.Builder> more) {
        ProxyConfig.Builder config = ProxyServer.builder()
                .bind("127.0.0.1")
                .ioThreads(2)
                .drainTime(Duration.ZERO)
                .tlsProvider(provider)
                .listen(0, port -> {
                    port.name("port");
                    rules.accept(port);
                });
        more.accept(config);
        return config.start();
    }

    private void withRoutes(ProxyConfig.Builder config) {
        config.forward(routes.uri()).certificates(TestProxy.certificates());
    }

    private static int port(ProxyServer proxy) {
        return proxy.endpoints().get(0).address().getPort();
    }

    private static RawConnection tls(ProxyServer proxy, String... alpn) throws IOException {
        return RawConnection.openTls(port(proxy), TestProxy.trust().sslSocketFactory(), alpn);
    }

    private static ProxyStatus.Rule rule(ProxyServer proxy, String name) {
        return proxy.status().ports().get(0).rules().stream()
                .filter(rule -> rule.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static long undetected(ProxyServer proxy, RelayEnd why) {
        return proxy.status().ports().get(0).undetected().getOrDefault(why, 0L);
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void sshHttpAndHttpsShareAPort(TlsProvider provider) throws Exception {
        try (ProxyServer proxy =
                proxy(provider, port -> port.ssh(at(ssh)).https().http(), this::withRoutes)) {
            try (RawConnection shell = RawConnection.open(port(proxy));
                    RawConnection plain = RawConnection.open(port(proxy));
                    RawConnection secure = tls(proxy, "http/1.1");
                    RawConnection unnegotiated = tls(proxy);
                    Http2Client client = Http2Client.open(tls(proxy, "h2"))) {
                assertThat(shell.send(BANNER).readLine()).isEqualTo("ssh\r\n");
                assertThat(shell.read(BANNER.length() + 1)).isEqualTo(BANNER.replace("¶", "\r\n"));
                assertThat(plain.send(GET).readResponse()).endsWith("routes");
                assertThat(secure.send(GET).readResponse()).endsWith("routes");
                assertThat(unnegotiated.send(GET).readResponse()).endsWith("routes");
                client.request(1, "GET", "/", "localhost");
                assertThat(client.answer(1)).isEqualTo("200");
                assertThat(rule(proxy, "https").open()).isPositive();
                assertThat(rule(proxy, "ssh").open()).isEqualTo(1);
                shell.send("more").shutdownOutput();
                assertThat(shell.readAll()).isEqualTo("moreend");
            }
            await().untilAsserted(() -> assertThat(proxy.status().connections()).isZero());
            assertThat(rule(proxy, "ssh")).isEqualTo(new ProxyStatus.Rule("ssh", 0, 1, 0, 0, List.of()));
            assertThat(rule(proxy, "https")).isEqualTo(new ProxyStatus.Rule("https", 0, 3, 0, 0, List.of()));
            assertThat(rule(proxy, "http")).isEqualTo(new ProxyStatus.Rule("http", 0, 1, 0, 0, List.of()));
            assertThat(proxy.uri()).hasToString("https://localhost:" + port(proxy) + "/");
        }
    }
}
