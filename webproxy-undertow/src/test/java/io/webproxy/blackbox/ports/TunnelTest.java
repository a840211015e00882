package io.webproxy.blackbox.ports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.PrivateProxy;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import io.webproxy.PublicProxy;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.FreePorts;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.undertow.testing.TestProxy;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A service that only dials out is reached by a public server: both sides, as users configure them. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "doesn't accept")
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "can't be connected to")
class TunnelTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    @TempDir
    private Path directory;

    private ProxyServer publicSide(String allowed) throws Exception {
        TunnelKey alice = TunnelKey.create(directory, "alice");
        Path agents = Files.writeString(directory.resolve("agents"), "alice " + alice.fingerprint() + " " + allowed);
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
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
                        .tuning(t -> t.withIoThreads(2))
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
            await().atMost(Duration.ofSeconds(30))
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

    @Test
    void clientOfAPublicProxyHasFiveSecondsForItsFirstByte() throws Exception {
        TunnelServer tunnels = TunnelServer.agents(Files.writeString(directory.resolve("nobody"), ""))
                .identity(directory);
        try (PublicProxy outer = PublicProxy.start(
                0, tunnels, more -> more.tuning(t -> t.withIoThreads(2)).drainTime(Duration.ZERO))) {
            assertThat(outer.server().config().listens())
                    .singleElement()
                    .satisfies(listen -> assertThat(listen.rules().orElseThrow().detectTime())
                            .isEqualTo(Duration.ofSeconds(5)));
        }
    }

    @Test
    void challengesOfACaAreAnsweredThroughTheTunnel() throws Exception {
        HeldProvider provider = new HeldProvider(TestProxy.material());
        HeldCertificate proof = new HeldCertificate.Builder()
                .addSubjectAlternativeName("app.example.com")
                .build();
        try (ProxyServer outer = publicSide("names=app.example.com");
                ProxyServer inner = ProxyServer.builder()
                        .tuning(t -> t.withIoThreads(2))
                        .drainTime(Duration.ZERO)
                        .tunnel(
                                "127.0.0.1:" + port(outer),
                                t -> t.identity(directory.resolve("alice"))
                                        .server(fingerprint())
                                        .announceHttps("app.example.com"))
                        .certificates(provider)
                        .forward("http://127.0.0.1:1")
                        .start()) {
            assertThat(PrivateProxy.of(inner).awaitAnnounced(Duration.ofSeconds(10)))
                    .isTrue();
            ChallengeResponder challenges =
                    Objects.requireNonNull(provider.context).challenges();
            assertThat(challenges.httpsPort()).isEqualTo(port(outer));
            HandshakeCertificates trust = new HandshakeCertificates.Builder()
                    .addTrustedCertificate(proof.certificate())
                    .build();
            KeyMaterial answer = KeyMaterial.of(proof.keyPair().getPrivate(), List.of(proof.certificate()));
            try (ChallengeResponder.Answer given = challenges.tlsAlpn("app.example.com", answer);
                    RawConnection ca = RawConnection.openTlsFor(
                            "app.example.com", port(outer), trust.sslSocketFactory(), "acme-tls/1")) {
                assertThat(given).isNotNull();
                assertThat(((SSLSocket) ca.socket()).getApplicationProtocol()).isEqualTo("acme-tls/1");
                assertThat(((SSLSocket) ca.socket()).getSession().getPeerCertificates()[0])
                        .isEqualTo(proof.certificate());
            }
            assertThat(inner.status().certificates()).isNotNull();
            assertThat(inner.status().tlsProvider()).isNotEmpty();
        }
    }

    @Test
    void challengeOfANameThatNoPublicServerHasYetWaitsForOne() throws Exception {
        HeldProvider provider = new HeldProvider(TestProxy.material());
        int port = FreePorts.next();
        TunnelKey publicKey = TunnelKey.create(directory.resolve("public"), "public");
        TunnelKey alice = TunnelKey.create(directory, "alice");
        Path agents =
                Files.writeString(directory.resolve("agents"), "alice " + alice.fingerprint() + " names=*.example.com");
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (ProxyServer inner = ProxyServer.builder()
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .tunnel(
                        "127.0.0.1:" + port,
                        t -> t.identity(directory.resolve("alice"))
                                .server(publicKey.fingerprint())
                                .announceHttps("*.example.com"))
                .certificates(provider)
                .forward("http://127.0.0.1:1")
                .start()) {
            ChallengeResponder challenges =
                    Objects.requireNonNull(provider.context).challenges();
            challenges.tlsAlpn("other.example.org", TestProxy.material()).close();
            Future<Boolean> connected = executor.submit(() -> {
                challenges.tlsAlpn("app.example.com", TestProxy.material()).close();
                return inner.status().tunnelStatus().servers().get(0).connected();
            });
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> inner.status().tunnelStatus().servers().get(0).attempts() > 0);
            assertThat(connected).isNotDone();
            try (ProxyServer outer = ProxyServer.builder()
                    .bind("127.0.0.1")
                    .tuning(t -> t.withIoThreads(2))
                    .drainTime(Duration.ZERO)
                    .listen(port, p -> p.tunnels(TunnelServer.agents(agents).identity(directory.resolve("public"))))
                    .start()) {
                assertThat(connected.get(30, TimeUnit.SECONDS)).isTrue();
                assertThat(outer.isRunning()).isTrue();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void bothSidesMayBeOneServerWhichServesOtherNamesItself() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                ProxyServer server = publicSide("names=app.example.com")) {
            assertThat(server.status().tunnelStatus().agents()).isEmpty();
            ProxyConfig changed = server.update(b -> b.tunnel(
                            "127.0.0.1:" + port(server),
                            t -> t.identity(directory.resolve("alice"))
                                    .server(fingerprint())
                                    .announceHttps("app.example.com"))
                    .certificates(TestProxy.certificates())
                    .forward(upstream.uri()));
            assertThat(PrivateProxy.of(server).awaitAnnounced(Duration.ofSeconds(10)))
                    .isTrue();
            try (RawConnection client = RawConnection.openTlsFor(
                    "app.example.com", port(server), TestProxy.trust().sslSocketFactory(), "http/1.1")) {
                client.send("GET / HTTP/1.1¶Host: app.example.com¶¶");
                assertThat(client.readResponse()).endsWith("ok");
            }
            server.update(b -> b.removeTunnel(changed.tunnels().get(0)).certificates());
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> server.status().tunnelStatus().agents().stream()
                            .allMatch(agent -> agent.left().isPresent()));
            assertThat(server.status().tunnelStatus().servers()).isEmpty();
        }
    }

    @Test
    void nameThatIsNotAllowedIsOneSentence() throws Exception {
        try (ProxyServer outer = publicSide("names=app.example.com");
                PrivateProxy inner = PrivateProxy.start(
                        "127.0.0.1:" + port(outer),
                        t -> t.identity(directory.resolve("alice"))
                                .server(fingerprint())
                                .announce("other.example.com", "127.0.0.1:1"),
                        b -> b.drainTime(Duration.ZERO))) {
            assertThatThrownBy(() -> inner.awaitAnnounced(Duration.ofSeconds(10)))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessage("other.example.com isn't accepted by 127.0.0.1:" + port(outer)
                            + ": 403 other.example.com isn't among what the agents file allows alice.");
        }
    }

    @Test
    void portThatIsInUseIsOneSentence() throws Exception {
        try (ServerSocket taken = new ServerSocket(0);
                ProxyServer outer = publicSide("names=app.example.com ports=" + taken.getLocalPort());
                PrivateProxy inner = PrivateProxy.start(
                        "127.0.0.1:" + port(outer),
                        t -> t.identity(directory.resolve("alice"))
                                .server(fingerprint())
                                .announceTcp(taken.getLocalPort(), "127.0.0.1:1"),
                        b -> b.drainTime(Duration.ZERO))) {
            assertThatThrownBy(() -> inner.awaitAnnounced(Duration.ofSeconds(30)))
                    .isInstanceOf(ProxyStartException.class)
                    .hasMessage("tcp:" + taken.getLocalPort() + " isn't accepted by 127.0.0.1:" + port(outer)
                            + ": 409 Port " + taken.getLocalPort()
                            + " is already in use: stop the program that uses it, or choose another port.");
        }
    }

    @Test
    void serverWithAnotherKeyIsNotTalkedTo() throws Exception {
        try (ProxyServer outer = publicSide("names=app.example.com");
                PrivateProxy inner = PrivateProxy.start(
                        "127.0.0.1:" + port(outer),
                        t -> t.identity(directory.resolve("alice"))
                                .server("sha256:" + "0".repeat(64))
                                .announce("app.example.com", "127.0.0.1:1"),
                        b -> b.drainTime(Duration.ZERO))) {
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> inner.server()
                                    .status()
                                    .tunnelStatus()
                                    .servers()
                                    .get(0)
                                    .attempts()
                            > 0);
            assertThat(inner.server().status().tunnelStatus().servers().get(0).connected())
                    .isFalse();
            assertThat(outer.status().tunnelStatus().agents()).isEmpty();
        }
    }
}
