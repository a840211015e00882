package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.http.StatusPage;
import io.webproxy.port.Sni;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.tls.Certificates;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** An endpoint that only shows the status page is none for clients of the routes. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "can't be connected to")
class StatusEndpointTest {
    private static final String UPSTREAM = "http://127.0.0.1:1";

    /** The status page at an HTTPS endpoint, which comes first. */
    private static ProxyConfig.Builder statusOverTls(Certificates certificates) {
        return empty().https(0, e -> e.name("status").answer(StatusPage.defaults()))
                .certificates(certificates);
    }

    /** The status page at a cleartext endpoint, which comes first. */
    private static ProxyConfig.Builder status() {
        return empty().http(0, e -> e.name("status").answer(StatusPage.defaults()));
    }

    private static ProxyConfig.Builder empty() {
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(1))
                .drainTime(Duration.ZERO);
    }

    private static int port(ProxyServer proxy, int endpoint) {
        return proxy.endpoints().get(endpoint).address().getPort();
    }

    private static String redirect(ProxyServer proxy, int endpoint) throws IOException {
        try (RawConnection client = RawConnection.open(port(proxy, endpoint))) {
            return client.send("GET /a HTTP/1.1¶Host: localhost¶¶").readHead();
        }
    }

    @Test
    void clientsAreRedirectedToTheRoutesAndNotToTheStatusPage() throws Exception {
        try (ProxyServer proxy = statusOverTls(TestProxy.certificates())
                .https(0, e -> e.name("routes"))
                .redirectHttp(0)
                .forward(UPSTREAM)
                .start()) {
            assertThat(redirect(proxy, 2)).containsIgnoringCase("location: https://localhost:" + port(proxy, 1) + "/a");
            assertThat(proxy.uri()).hasToString("https://localhost:" + port(proxy, 1) + "/");
        }
    }

    @Test
    void clientsAreRedirectedToATargetOfTlsAndNotToTheStatusPage() throws Exception {
        try (ProxyServer proxy = statusOverTls(TestProxy.certificates())
                .listen(0, p -> p.tls(Sni.of("other.example"), "127.0.0.1:1").redirectHttp())
                .start()) {
            assertThat(redirect(proxy, 1)).containsIgnoringCase("location: https://localhost:" + port(proxy, 1) + "/a");
        }
    }

    @Test
    void challengesAreNotTriedAtTheStatusPage() {
        HeldProvider provider = new HeldProvider(TestProxy.material());
        try (ProxyServer proxy = statusOverTls(Certificates.firstOf(provider))
                .http(0)
                .forward(UPSTREAM)
                .start()) {
            ChallengeResponder challenges =
                    Objects.requireNonNull(provider.context).challenges();
            assertThat(challenges.httpsPort()).isZero();
            assertThat(challenges.httpPort()).isEqualTo(port(proxy, 1));
            proxy.update(b -> b.https(0, e -> e.name("routes")));
            assertThat(challenges.httpsPort()).isEqualTo(port(proxy, 2));
        }
    }

    @Test
    void uriIsThatOfTheRoutes() {
        try (ProxyServer clear = status().http(0, e -> e.name("routes"))
                        .forward(UPSTREAM)
                        .start();
                ProxyServer tls = statusOverTls(TestProxy.certificates())
                        .http(0)
                        .forward(UPSTREAM)
                        .start();
                ProxyServer relay =
                        status().listen(0, p -> p.ssh("127.0.0.1:1")).start()) {
            assertThat(clear.uri()).hasToString("http://localhost:" + port(clear, 1) + "/");
            assertThat(tls.uri()).hasToString("http://localhost:" + port(tls, 1) + "/");
            assertThat(relay.uri()).hasToString("tcp://localhost:" + port(relay, 1));
        }
    }

    @Test
    void uriIsThatOfTheStatusPageIfThereIsNothingElse() {
        try (ProxyServer clear = status().start();
                ProxyServer tls = statusOverTls(TestProxy.certificates()).start()) {
            assertThat(clear.uri()).hasToString("http://localhost:" + port(clear, 0) + "/");
            assertThat(clear.status().tlsProvider()).isEmpty();
            assertThat(tls.uri()).hasToString("https://localhost:" + port(tls, 0) + "/");
            assertThat(tls.status().tlsProvider()).as("TLS ends there").isNotEmpty();
            assertThat(tls.status().certificates()).isNotEmpty();
        }
    }

    @Test
    void uriIsThatOfTheTunnelIfOnlyTheStatusPageIsHere(@TempDir Path directory) throws Exception {
        TunnelKey.create(directory, "alice");
        try (ProxyServer proxy = status().tunnel(
                        "127.0.0.1:1",
                        t -> t.identity(directory.resolve("alice"))
                                .server("sha256:" + "0".repeat(64))
                                .announceHttps("app.example.com"))
                .certificates(TestProxy.certificates())
                .forward(UPSTREAM)
                .start()) {
            assertThat(proxy.uri()).hasToString("https://app.example.com/");
        }
    }

    /** The port that is free at one address may be taken on purpose, or by chance, at another one. */
    @Test
    void statusSurvivesTwoEndpointsOfOneName() {
        try (ProxyServer proxy = empty().listen(0, p -> p.ssh("127.0.0.1:1")).start()) {
            int port = port(proxy, 0);
            proxy.update(b -> b.listen(port, p -> p.bind("127.0.0.2").socks5("127.0.0.1:1")));
            assertThat(proxy.endpoints()).extracting(e -> e.name()).containsExactly("rules-" + port, "rules-" + port);
            assertThat(proxy.status().rules())
                    .extracting(rule -> rule.endpoint() + " " + rule.name())
                    .containsExactly("rules-" + port + " ssh", "rules-" + port + " socks5");
            assertThat(proxy.status().undetected()).containsOnlyKeys("rules-" + port);
        }
    }
}
