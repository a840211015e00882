package io.webproxy.blackbox.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Who a client is, by its certificate: what the upstream is told, and what nobody can make it believe (RFC 9440). */
@ExtendWith(LeakCheck.class)
class ClientCertificateTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final HeldCertificate ROOT = new HeldCertificate.Builder()
            .commonName("client root")
            .certificateAuthority(1)
            .build();
    private static final HeldCertificate INTERMEDIATE = new HeldCertificate.Builder()
            .commonName("client intermediate")
            .certificateAuthority(0)
            .signedBy(ROOT)
            .build();
    private static final HeldCertificate ALICE = new HeldCertificate.Builder()
            .commonName("alice")
            .signedBy(INTERMEDIATE)
            .build();
    /** Of the same name, so that clients don't leave out what it has signed by themselves. */
    private static final HeldCertificate FALSE_ROOT = new HeldCertificate.Builder()
            .commonName("client root")
            .certificateAuthority(1)
            .build();

    private static final HeldCertificate STRANGER = new HeldCertificate.Builder()
            .commonName("alice")
            .signedBy(FALSE_ROOT)
            .build();

    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();

    @TempDir
    Path directory;

    private RawUpstream upstream;
    private Path trust;

    @BeforeEach
    void startUpstream() throws Exception {
        trust = Files.writeString(directory.resolve("clients.pem"), ROOT.certificatePem());
        upstream = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head);
                c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            }
        });
    }

    @AfterEach
    void stopUpstream() throws Exception {
        upstream.close();
    }

    private TestProxy proxy(Front front, ClientCertificates asked) {
        return proxy(front, b -> b.clientCertificates(asked));
    }

    private TestProxy proxy(Front front, Consumer<ProxyConfig.Builder> more) {
        return TestProxy.start(front, b -> {
            b.forward(upstream.uri());
            more.accept(b);
        });
    }

    /** Trusts the proxy, and shows this. */
    private static HandshakeCertificates showing(@Nullable HeldCertificate identity) {
        HandshakeCertificates.Builder builder = new HandshakeCertificates.Builder();
        for (X509Certificate trusted : TestProxy.trust().trustManager().getAcceptedIssuers()) {
            builder.addTrustedCertificate(trusted);
        }
        if (identity != null) {
            X509Certificate[] rest =
                    identity == ALICE ? new X509Certificate[] {INTERMEDIATE.certificate()} : new X509Certificate[0];
            builder.heldCertificate(identity, rest);
        }
        return builder.build();
    }

    private static OkHttpClient client(TestProxy proxy, @Nullable HeldCertificate identity) {
        HandshakeCertificates shown = showing(identity);
        return proxy.client()
                .newBuilder()
                .sslSocketFactory(shown.sslSocketFactory(), shown.trustManager())
                .build();
    }

    private static int get(OkHttpClient client, TestProxy proxy, String... fields) throws IOException {
        Request.Builder request = new Request.Builder().url(proxy.url("/"));
        for (int i = 0; i < fields.length; i += 2) {
            request.addHeader(fields[i], fields[i + 1]);
        }
        try (Response response = client.newCall(request.build()).execute()) {
            return response.code();
        }
    }

    private String head() throws InterruptedException {
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head;
    }

    private static String encoded(HeldCertificate certificate) throws Exception {
        return ":"
                + Base64.getEncoder().encodeToString(certificate.certificate().getEncoded()) + ":";
    }

    private static final String[] FORGED = {
        "Client-Cert", ":Zm9yZ2Vk:", "client-cert", ":Zm9yZ2Vk:", "Client-Cert-Chain", ":Zm9yZ2Vk:", "X-Id",
                ":Zm9yZ2Vk:",
        "Client_Cert", ":Zm9yZ2Vk:", "Client.Cert", ":Zm9yZ2Vk:", "X.Id", ":Zm9yZ2Vk:", "Other", "passes"
    };

    @ParameterizedTest
    @EnumSource(value = Front.class, mode = EnumSource.Mode.EXCLUDE, names = "H1")
    void upstreamIsToldWhoseCertificateItIsAndNothingElse(Front front) throws Exception {
        try (TestProxy proxy =
                proxy(front, ClientCertificates.required(TrustStore.pem(trust)).withHeader("X-Id"))) {
            OkHttpClient alice = client(proxy, ALICE);
            for (int i = 0; i < 2; i++) {
                assertThat(get(alice, proxy, FORGED)).isEqualTo(200);
                assertThat(head())
                        .contains("\r\nX-Id: " + encoded(ALICE) + "\r\n")
                        .containsIgnoringCase("\r\nOther: passes\r\n")
                        .doesNotContain("Zm9yZ2Vk")
                        .doesNotContainIgnoringCase("Client-Cert");
            }
            proxy.server()
                    .update(c -> c.clientCertificates(
                            ClientCertificates.required(TrustStore.pem(trust)).withChain()));
            // the same connection: only the fields have changed
            assertThat(get(alice, proxy, FORGED)).isEqualTo(200);
            assertThat(head())
                    .contains("\r\nClient-Cert: " + encoded(ALICE) + "\r\n")
                    .contains("\r\nClient-Cert-Chain: " + encoded(INTERMEDIATE) + "\r\n");
            TestProxy.close(alice);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Front.class, mode = EnumSource.Mode.EXCLUDE, names = "H1")
    void filterAuthenticatorAndRecordHaveTheVerifiedCertificate(Front front) throws Exception {
        BlockingQueue<Optional<X509Certificate>> seen = new LinkedBlockingQueue<>();
        Authenticator byName = request -> {
            seen.add(request.clientCertificate());
            return CompletableFuture.completedFuture(AuthDecision.granted(request.clientCertificate()
                    .map(certificate -> certificate.getSubjectX500Principal().getName())
                    .orElse("")));
        };
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.clientCertificates(ClientCertificates.optional(TrustStore.pem(trust)))
                        .trustedProxies("127.0.0.1")
                        .authenticator(byName)
                        .route(r -> r.filter(request -> {
                                    seen.add(request.clientCertificate());
                                    return FilterDecision.proceed();
                                })
                                .forward(upstream.uri())))) {
            for (HeldCertificate identity : new HeldCertificate[] {ALICE, null}) {
                OkHttpClient client = client(proxy, identity);
                assertThat(get(client, proxy, FORGED)).isEqualTo(200);
                Optional<X509Certificate> known = Optional.ofNullable(identity).map(HeldCertificate::certificate);
                assertThat(seen.take()).isEqualTo(known);
                assertThat(seen.take()).isEqualTo(known);
                ExchangeRecord record = proxy.record();
                assertThat(record.clientCertificate()).isEqualTo(known);
                assertThat(record.user()).isEqualTo(known.map(certificate -> "CN=alice"));
                TestProxy.close(client);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Front.class, mode = EnumSource.Mode.EXCLUDE, names = "H1")
    void whoHasNoTrustedCertificateReachesNothing(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, ClientCertificates.required(TrustStore.pem(trust)))) {
            for (HeldCertificate identity : new HeldCertificate[] {null, STRANGER}) {
                OkHttpClient client = client(proxy, identity);
                assertThatThrownBy(() -> get(client, proxy)).isInstanceOf(IOException.class);
                TestProxy.close(client);
            }
            proxy.server().update(c -> c.clientCertificates(ClientCertificates.optional(TrustStore.pem(trust))));
            OkHttpClient stranger = client(proxy, STRANGER);
            assertThatThrownBy(() -> get(stranger, proxy)).isInstanceOf(IOException.class);
            TestProxy.close(stranger);
            assertThat(heads).isEmpty();
            assertThat(get(proxy.client(), proxy, FORGED)).isEqualTo(200);
            assertThat(head()).doesNotContainIgnoringCase("Client-Cert");
            assertThat(heads).isEmpty();
        }
    }

    @OverEachFront
    void fieldIsStrippedAlsoWhereNobodyIsAsked(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, b -> {})) {
            assertThat(get(proxy.client(), proxy, "Client-Cert", "f", "Client-Cert-Chain", "f", "X-Id", "f"))
                    .isEqualTo(200);
            assertThat(head()).doesNotContainIgnoringCase("Client-Cert").containsIgnoringCase("\r\nX-Id: f\r\n");
            proxy.server()
                    .update(c -> c.clientCertificates(ClientCertificates.off().withHeader("X-Id")));
            assertThat(get(proxy.client(), proxy, FORGED)).isEqualTo(200);
            assertThat(head()).doesNotContain("Zm9yZ2Vk").containsIgnoringCase("\r\nOther: passes\r\n");
        }
    }

    @OverEachFront
    void trustedProxyMaySayWhoItsClientIsAsLongAsNobodyIsAskedHere(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, b -> b.trustedProxies("127.0.0.1"))) {
            assertThat(get(proxy.client(), proxy, "Client-Cert", "of its client", "Client_Cert", "never"))
                    .isEqualTo(200);
            assertThat(head())
                    .containsIgnoringCase("\r\nClient-Cert: of its client\r\n")
                    .doesNotContain("never");
            if (front.isTls()) {
                proxy.server().update(c -> c.clientCertificates(ClientCertificates.optional(TrustStore.pem(trust))));
                assertThat(get(proxy.client(), proxy, "Client-Cert", "of its client"))
                        .isEqualTo(200);
                assertThat(head()).doesNotContainIgnoringCase("Client-Cert");
            }
            proxy.server().update(c -> c.trustedProxies().clientCertificates(ClientCertificates.off()));
            assertThat(get(proxy.client(), proxy, "Client-Cert", "of its client"))
                    .isEqualTo(200);
            assertThat(head()).doesNotContainIgnoringCase("Client-Cert");
        }
    }

    @Test
    void endpointInClearBesideOneThatAsksTakesNobodysWord() throws Exception {
        try (TestProxy proxy = proxy(
                        Front.H1_TLS,
                        b -> b.http(0).clientCertificates(ClientCertificates.required(TrustStore.pem(trust))));
                RawConnection clear = RawConnection.open(
                        proxy.server().endpoints().get(1).address().getPort())) {
            clear.send("GET / HTTP/1.1¶Host: a¶Client-Cert: f¶¶");
            assertThat(clear.readResponse()).startsWith("HTTP/1.1 200 ");
            assertThat(head()).doesNotContainIgnoringCase("Client-Cert");
        }
    }

    @ParameterizedTest
    @CsvSource({"H1_TLS,TLSv1.3", "H1_TLS,TLSv1.2", "H1_TLS_JDK,TLSv1.3", "H1_TLS_JDK,TLSv1.2"})
    void resumedConnectionHasTheSameIdentityUntilTheTrustChanges(Front front, String version) throws Exception {
        HandshakeCertificates shown = showing(ALICE);
        SSLSocketFactory factory = shown.sslSocketFactory();
        try (TestProxy proxy = proxy(front, ClientCertificates.optional(TrustStore.pem(trust)))) {
            for (int i = 0; i < 3; i++) {
                assertThat(ask(proxy, factory, version)).startsWith("HTTP/1.1 200 ");
                assertThat(head()).contains("\r\nClient-Cert: " + encoded(ALICE) + "\r\n");
            }
            Files.writeString(trust, FALSE_ROOT.certificatePem());
            proxy.server().update(c -> {});
            assertThatThrownBy(() -> ask(proxy, factory, version)).isInstanceOf(IOException.class);
            assertThat(heads).isEmpty();
        }
    }

    private static String ask(TestProxy proxy, SSLSocketFactory factory, String version) throws IOException {
        SSLSocket socket = (SSLSocket) factory.createSocket(
                new Socket(InetAddress.getLoopbackAddress(), proxy.port()), "localhost", proxy.port(), true);
        socket.setEnabledProtocols(new String[] {version});
        try (RawConnection client = new RawConnection(socket)) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            String answer = client.readResponse();
            if (answer.isEmpty()) {
                throw new IOException("no answer");
            }
            return answer;
        }
    }

    @Test
    void namedByConnectionItStaysTheProxysOwn() throws Exception {
        try (TestProxy proxy = proxy(Front.H1_TLS, ClientCertificates.required(TrustStore.pem(trust)));
                RawConnection client =
                        RawConnection.openTls(proxy.port(), showing(ALICE).sslSocketFactory(), "http/1.1")) {
            client.send("GET / HTTP/1.1¶Host: localhost¶Connection: Client-Cert¶Client-Cert: f¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            assertThat(head()).contains("\r\nClient-Cert: " + encoded(ALICE) + "\r\n");
        }
    }

    /** Of one that was valid when the session began. */
    @Test
    void expiredCertificateIsRefusedOnAResumedSessionToo() throws Exception {
        ClientCertificates required = ClientCertificates.required(TrustStore.pem(trust));
        try (TestProxy conscrypt = proxy(Front.H1_TLS, required);
                TestProxy jdk = proxy(Front.H1_TLS_JDK, required)) {
            Instant end = Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(5);
            HeldCertificate brief = new HeldCertificate.Builder()
                    .commonName("brief")
                    .validityInterval(end.minusSeconds(60).toEpochMilli(), end.toEpochMilli())
                    .signedBy(ROOT)
                    .build();
            SSLSocketFactory one = showing(brief).sslSocketFactory();
            SSLSocketFactory other = showing(brief).sslSocketFactory();
            assertThat(ask(conscrypt, one, "TLSv1.3")).startsWith("HTTP/1.1 200 ");
            assertThat(ask(jdk, other, "TLSv1.3")).startsWith("HTTP/1.1 200 ");
            heads.clear();
            await().until(() -> Instant.now().isAfter(end));
            assertThat(ask(conscrypt, one, "TLSv1.3")).startsWith("HTTP/1.1 403 ");
            assertThat(ask(jdk, other, "TLSv1.3")).startsWith("HTTP/1.1 403 ");
            assertThat(heads).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H2_TLS", "H2_TLS_JDK"})
    void curlAndOpensslHearWhy(Front front) throws Exception {
        String root = Files.writeString(directory.resolve("root.pem"), TestProxy.rootPem())
                .toString();
        String certificate = Files.writeString(
                        directory.resolve("alice.pem"), ALICE.certificatePem() + INTERMEDIATE.certificatePem())
                .toString();
        String key = Files.writeString(directory.resolve("alice.key"), ALICE.privateKeyPkcs8Pem())
                .toString();
        try (TestProxy proxy = proxy(front, ClientCertificates.required(TrustStore.pem(trust)))) {
            String url = proxy.url("/").toString();
            for (String version : new String[] {"--http1.1", "--http2"}) {
                Peers.Outcome good = Peers.run(
                        LIMIT, "curl", "-sS", version, "--cacert", root, "--cert", certificate, "--key", key, url);
                assertThat(good.stdout()).as(good.stderr()).isEqualTo("ok");
                assertThat(head()).contains("\r\nClient-Cert: " + encoded(ALICE) + "\r\n");
                Peers.Outcome nobody = Peers.run(LIMIT, "curl", "-sS", version, "--cacert", root, url);
                assertThat(nobody.exitCode()).isNotZero();
            }
            for (String version : new String[] {"-tls1_2", "-tls1_3"}) {
                Peers.Outcome nobody = Peers.run(
                        LIMIT, "openssl", "s_client", version, "-ign_eof", "-connect", "127.0.0.1:" + proxy.port());
                assertThat(nobody.stderr()).contains("alert");
                assertThat(nobody.stdout()).contains("CN = client root");
            }
            assertThat(heads).isEmpty();
        }
    }
}
