package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfigException;
import io.webproxy.ProxyServer;
import io.webproxy.http.ProxyProtocol;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Endpoint;
import io.webproxy.port.EndpointBuilder;
import io.webproxy.port.Sni;
import io.webproxy.spi.ChallengeResponder;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.TestPort;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What one endpoint has of its own. */
@ExtendWith(LeakCheck.class)
class EndpointSettingsTest {
    private static final String GET = "GET / HTTP/1.1¶Host: localhost¶Connection: close¶¶";
    private static final HeldCertificate ROOT = new HeldCertificate.Builder()
            .commonName("client root")
            .certificateAuthority(0)
            .build();
    private static final HeldCertificate ALICE =
            new HeldCertificate.Builder().commonName("alice").signedBy(ROOT).build();

    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();

    @TempDir
    Path directory;

    private ClientCertificates required;
    private RawUpstream routes;
    private RawUpstream ssh;

    @BeforeEach
    void startTargets() throws Exception {
        required = ClientCertificates.required(
                TrustStore.pem(Files.writeString(directory.resolve("clients.pem"), ROOT.certificatePem())));
        routes = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head);
                c.send("HTTP/1.1 200 OK¶Content-Length: 6¶¶routes");
            }
        });
        ssh = RawUpstream.echoing("ssh");
    }

    @AfterEach
    void stopTargets() throws Exception {
        routes.close();
        ssh.close();
    }

    private static SSLSocketFactory showing(@Nullable HeldCertificate identity) {
        HandshakeCertificates.Builder builder = new HandshakeCertificates.Builder();
        for (var root : TestProxy.trust().trustManager().getAcceptedIssuers()) {
            builder.addTrustedCertificate(root);
        }
        if (identity != null) {
            builder.heldCertificate(identity);
        }
        return builder.build().sslSocketFactory();
    }

    private static int port(ProxyServer server, String name) {
        return server.endpoints().stream()
                .filter(endpoint -> endpoint.name().equals(name))
                .findFirst()
                .orElseThrow()
                .address()
                .getPort();
    }

    private ProxyServer server(TlsProvider provider, Consumer<EndpointBuilder> second) {
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .jdkTls(provider == TlsProvider.JDK)
                .trustedProxies("127.0.0.1")
                .certificates(TestProxy.certificates())
                .forward(routes.uri())
                .https(0, endpoint -> endpoint.name("first"))
                .https(0, endpoint -> second.accept(endpoint.name("second")))
                .start();
    }

    private static String answer(int port, SSLSocketFactory factory) {
        try (RawConnection client = RawConnection.openTls(port, factory, "http/1.1")) {
            return client.send(GET).readResponse();
        } catch (IOException e) {
            return "failed";
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void oneEndpointMayAskItsClientsForCertificates(TlsProvider provider) throws Exception {
        try (ProxyServer server = server(provider, endpoint -> endpoint.clientCertificates(required))) {
            int first = port(server, "first");
            int second = port(server, "second");
            assertThat(answer(first, showing(null))).endsWith("routes");
            assertThat(heads.poll(30, TimeUnit.SECONDS)).doesNotContain("Client-Cert");
            assertThat(answer(first, showing(ALICE))).endsWith("routes");
            assertThat(heads.poll(30, TimeUnit.SECONDS))
                    .as("who isn't asked has proved nothing")
                    .doesNotContain("Client-Cert");
            assertThat(answer(second, showing(null))).doesNotContain("routes");
            assertThat(answer(second, showing(ALICE))).endsWith("routes");
            assertThat(heads.poll(30, TimeUnit.SECONDS)).contains("\r\nClient-Cert: :");
            assertThat(heads).isEmpty();

            server.update(
                    config -> config.https(0, endpoint -> endpoint.name("first").clientCertificates(required))
                            .https(0, endpoint -> endpoint.name("second")));
            assertThat(port(server, "first")).isEqualTo(first);
            assertThat(port(server, "second")).isEqualTo(second);
            assertThat(answer(first, showing(null))).doesNotContain("routes");
            assertThat(answer(second, showing(null))).endsWith("routes");
        }
    }

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void clientCertificateComesBeforeALookInside(TlsProvider provider) throws Exception {
        try (TestPort proxy = TestPort.start(
                provider,
                port -> port.clientCertificates(required)
                        .tls(
                                Sni.any(),
                                inside -> inside.ssh(ssh.address())
                                        .silent(ssh.address())
                                        .detectTime(Duration.ofMillis(50))),
                config -> config.certificates(TestProxy.certificates()))) {
            try (RawConnection stranger = RawConnection.openTls(proxy.port(), showing(null))) {
                assertThat(stranger.end()).isIn("end", "reset");
            } catch (IOException e) {
                // refused within the handshake
            }
            assertThat(ssh.connections()).isZero();
            await().untilAsserted(() ->
                    assertThat(proxy.undetected(RelayEnd.UNDETECTED_MALFORMED)).isEqualTo(1));
            try (RawConnection alice = RawConnection.openTls(proxy.port(), showing(ALICE))) {
                assertThat(alice.readLine()).isEqualTo("ssh\r\n");
            }
        }
    }

    @Test
    void oneEndpointMayBeReachedThroughAProxy() throws Exception {
        try (ProxyServer server =
                server(TlsProvider.AUTO, endpoint -> endpoint.proxyProtocol(ProxyProtocol.REQUIRED))) {
            assertThat(answer(port(server, "first"), showing(null))).endsWith("routes");
            assertThat(answer(port(server, "second"), showing(null))).isEqualTo("failed");
        }
    }

    @Test
    void oneEndpointMayBeBoundToAnAddressOfItsOwn() throws Exception {
        try (ProxyServer server = server(TlsProvider.AUTO, endpoint -> endpoint.bind("127.0.0.2"))) {
            assertThat(server.endpoints())
                    .extracting(endpoint -> endpoint.address().getAddress().getHostAddress())
                    .containsExactly("127.0.0.1", "127.0.0.2");
            assertThat(server.endpoints()).extracting(Endpoint::name).containsExactly("first", "second");
        }
    }

    @Test
    void settingsThatCannotBeMetAreProblems() {
        assertThatThrownBy(() -> ProxyServer.builder()
                        .http(8080, endpoint -> endpoint.clientCertificates(required))
                        .listen(2222, port -> port.ssh("127.0.0.1:22").proxyProtocol(ProxyProtocol.REQUIRED))
                        .listen(2222, port -> port.ssh("127.0.0.1:22").bind("127.0.0.2"))
                        .forward("http://127.0.0.1:1")
                        .build())
                .isInstanceOf(ProxyConfigException.class)
                .hasMessageContaining("http 8080: clientCertificates: ")
                .hasMessageContaining("name: rules-2222 (expected: each endpoint's name only once)")
                .hasMessageContaining("listen 2222: proxyProtocol: REQUIRED (expected: trustedProxies");
    }

    /** RFC 8737: for names that certificates are ordered for here, unless another server has the name. */
    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void challengeIsAnsweredHereUnlessTheNameIsPassedThrough(TlsProvider tls) throws Exception {
        HeldProvider provider = new HeldProvider(TestProxy.material());
        try (TestPort proxy = TestPort.start(
                tls,
                port -> port.tls(Sni.of("passed.example"), ssh.address())
                        .https(Sni.of("host.example").alpn("h2"))
                        .otherwise(ssh.address()),
                config -> config.certificates(provider).forward(routes.uri()))) {
            ChallengeResponder challenges =
                    Objects.requireNonNull(provider.context).challenges();
            assertThat(challenges.httpsPort()).isEqualTo(proxy.port());
            for (String name : List.of("host.example", "new.example", "passed.example")) {
                HeldCertificate proof = new HeldCertificate.Builder()
                        .commonName(name)
                        .addSubjectAlternativeName(name)
                        .build();
                try (ChallengeResponder.Answer answer = challenges.tlsAlpn(name, HeldProvider.material(proof))) {
                    assertThat(challenged(proxy, name, proof)).isEqualTo(!name.startsWith("passed"));
                }
                assertThat(challenged(proxy, name, proof))
                        .as("nothing to prove any more")
                        .isFalse();
            }
        }
    }

    private static boolean challenged(TestPort proxy, String name, HeldCertificate expected) {
        SSLSocketFactory factory = new HandshakeCertificates.Builder()
                .addTrustedCertificate(expected.certificate())
                .build()
                .sslSocketFactory();
        try (RawConnection client = RawConnection.openTlsFor(name, proxy.port(), factory, "acme-tls/1")) {
            return "acme-tls/1".equals(client.applicationProtocol());
        } catch (IOException e) {
            // relayed to what speaks no TLS
            return false;
        }
    }
}
