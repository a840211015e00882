package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.ProxyStartException;
import io.webproxy.route.Upstream;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.JdkTickets;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.tls.keys.TrustFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import okhttp3.tls.HeldCertificate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients' certificates in the handshake: over both providers, either side, with either version. */
@ExtendWith(LeakCheck.class)
class ClientTrustTest {
    private static final HeldCertificate OTHER_ROOT = new HeldCertificate.Builder()
            .commonName("other root")
            .certificateAuthority(0)
            .build();

    private static final KeyPair RSA =
            new HeldCertificate.Builder().rsa2048().build().keyPair();

    @TempDir
    Path directory;

    private TestKeys keys;
    private Certificates served;

    @BeforeEach
    void makeKeys() throws Exception {
        keys = new TestKeys(directory);
        served = keys.ec("a.example.com");
    }

    private ServerTls serve(TlsProvider provider, ClientCertificates asked) {
        return ServerTls.create(List.of(served), asked, Set.of(), provider);
    }

    private ClientTls client(TlsProvider provider, @Nullable Certificates identity) {
        Upstream upstream = Upstream.of("https://a.example.com").withTrust(TrustStore.pem(keys.trust));
        return ClientTls.create(
                UpstreamKeys.load(identity == null ? upstream : upstream.withIdentity(identity)), provider);
    }

    private Path otherRoot() throws Exception {
        return Files.writeString(directory.resolve("other.pem"), OTHER_ROOT.certificatePem());
    }

    private Certificates stranger() throws Exception {
        return keys.alone(new HeldCertificate.Builder()
                .commonName("stranger")
                .signedBy(OTHER_ROOT)
                .build());
    }

    /** A connection, with a byte in each direction behind its handshake. */
    private static TlsPair connect(ClientTls client, ServerTls server, String version) throws SSLException {
        SSLEngine engine = client.sslContext().createSSLEngine("a.example.com", 443);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(new String[] {version});
        engine.setSSLParameters(parameters);
        TlsPair pair = new TlsPair(engine, server);
        try {
            pair.handshake();
            pair.sendToClient("x".getBytes(StandardCharsets.US_ASCII));
        } catch (SSLException e) {
            pair.close();
            throw e;
        }
        return pair;
    }

    private static String subject(SSLSession session) {
        try {
            return session.getPeerPrincipal().getName();
        } catch (SSLPeerUnverifiedException e) {
            return "nobody";
        }
    }

    @ParameterizedTest
    @CsvSource({
        "AUTO,AUTO,TLSv1.3", "AUTO,AUTO,TLSv1.2", "AUTO,JDK,TLSv1.3", "AUTO,JDK,TLSv1.2",
        "JDK,AUTO,TLSv1.3", "JDK,AUTO,TLSv1.2", "JDK,JDK,TLSv1.3", "JDK,JDK,TLSv1.2"
    })
    void certificateIsThereAlsoWhenTheSessionIsResumed(TlsProvider serves, TlsProvider asks, String version)
            throws Exception {
        for (Certificates identity : List.of(
                keys.ec("ec client"),
                keys.source(keys.builder("rsa client").keyPair(RSA).build()))) {
            ServerTls server = serve(serves, ClientCertificates.required(TrustStore.pem(keys.trust)));
            ClientTls client = client(asks, identity);
            int whole = 0;
            for (int i = 0; i < 3; i++) {
                TlsPair pair = connect(client, server, version);
                assertThat(subject(pair.server.getSession())).isIn("CN=ec client", "CN=rsa client");
                assertThat(pair.server.getSession().getPeerCertificates()).hasSize(2);
                if (i == 0) {
                    whole = pair.handshakeBytes;
                    assertThat(ServerTls.isResumed(pair.server)).isFalse();
                } else {
                    assertThat(pair.handshakeBytes).as("resumed").isLessThan(whole - 500);
                    assertThat(ServerTls.isResumed(pair.server)).isTrue();
                }
                pair.close();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "AUTO,AUTO,TLSv1.3", "AUTO,AUTO,TLSv1.2", "AUTO,JDK,TLSv1.3", "AUTO,JDK,TLSv1.2",
        "JDK,AUTO,TLSv1.3", "JDK,AUTO,TLSv1.2", "JDK,JDK,TLSv1.3", "JDK,JDK,TLSv1.2"
    })
    void sessionIsResumedUnderTheSameTrustOnly(TlsProvider serves, TlsProvider asks, String version) throws Exception {
        Path trust = Files.copy(keys.trust, directory.resolve("clients.pem"));
        ClientCertificates optional = ClientCertificates.optional(TrustStore.pem(trust));
        ServerTls server = serve(serves, optional);
        ClientTls client = client(asks, keys.ec("client"));
        TlsPair first = connect(client, server, version);
        int whole = first.handshakeBytes;
        first.close();
        // nothing changes: other certificates of the server's, the same trust from another file, another field
        Path same = Files.writeString(directory.resolve("same.pem"), "text\n" + Files.readString(trust));
        for (ClientCertificates unchanged : List.of(
                optional,
                ClientCertificates.optional(TrustStore.pem(trust)),
                ClientCertificates.optional(TrustStore.pem(same)).withHeader("X-Id"))) {
            boolean oneChain = serves == TlsProvider.JDK && JdkTickets.areForOneChain();
            Certificates next = oneChain ? served : keys.ec("new", "a.example.com");
            server.prepare(List.of(next), unchanged, Set.of()).putInForce();
            assertResumed(client, server, version, whole, true);
        }
        // the mode, then who is trusted, by the same name
        ClientCertificates required = ClientCertificates.required(TrustStore.pem(trust));
        server.prepare(List.of(served), required, Set.of()).putInForce();
        assertResumed(client, server, version, whole, false);
        ClientTls later = client(asks, keys.ec("client"));
        assertResumed(later, server, version, whole, false);
        assertResumed(later, server, version, whole, true);
        Files.writeString(trust, Files.readString(trust) + OTHER_ROOT.certificatePem());
        server.prepare(List.of(served), required, Set.of()).putInForce();
        assertResumed(later, server, version, whole, false);
        Files.writeString(trust, OTHER_ROOT.certificatePem());
        server.prepare(List.of(served), required, Set.of()).putInForce();
        assertThatThrownBy(() -> connect(client, server, version)).isInstanceOf(SSLException.class);
    }

    /**
     * Each server has sessions and tickets of its own: the rules of one never hold for a client that another has let
     * in.
     */
    @ParameterizedTest
    @CsvSource({"AUTO,TLSv1.3", "AUTO,TLSv1.2", "JDK,TLSv1.3", "JDK,TLSv1.2"})
    void sessionOfOneServerIsNoneOfAnother(TlsProvider provider, String version) throws Exception {
        ServerTls open = serve(provider, ClientCertificates.off());
        ServerTls closed = serve(provider, ClientCertificates.required(TrustStore.pem(keys.trust)));
        ServerTls alike = serve(provider, ClientCertificates.required(TrustStore.pem(keys.trust)));
        ClientTls nobody = client(provider, null);
        connect(nobody, open, version).close();
        assertThatThrownBy(() -> connect(nobody, closed, version)).isInstanceOf(SSLException.class);
        ClientTls known = client(provider, keys.ec("client"));
        TlsPair first = connect(known, closed, version);
        int whole = first.handshakeBytes;
        first.close();
        assertResumed(known, alike, version, whole, false);
        ClientTls again = client(provider, keys.ec("client"));
        connect(again, closed, version).close();
        assertResumed(again, closed, version, whole, true);
    }

    private static void assertResumed(ClientTls client, ServerTls server, String version, int whole, boolean resumed)
            throws SSLException {
        TlsPair pair = connect(client, server, version);
        assertThat(subject(pair.server.getSession())).isEqualTo("CN=client");
        assertThat(pair.handshakeBytes < whole - 500).as("resumed").isEqualTo(resumed);
        assertThat(ServerTls.isResumed(pair.server)).isEqualTo(resumed);
        pair.close();
    }

    @ParameterizedTest
    @CsvSource({"AUTO,TLSv1.3", "AUTO,TLSv1.2", "JDK,TLSv1.3", "JDK,TLSv1.2"})
    void whoHasNoneIsRefusedOrPassesAsNobody(TlsProvider provider, String version) throws Exception {
        ClientTls client = client(TlsProvider.JDK, null);
        ServerTls required = serve(provider, ClientCertificates.required(TrustStore.pem(keys.trust)));
        assertThatThrownBy(() -> connect(client, required, version)).isInstanceOf(SSLException.class);
        ServerTls optional = serve(provider, ClientCertificates.optional(TrustStore.pem(keys.trust)));
        for (int i = 0; i < 2; i++) {
            TlsPair pair = connect(client, optional, version);
            assertThat(subject(pair.server.getSession())).isEqualTo("nobody");
            pair.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"AUTO,TLSv1.3", "AUTO,TLSv1.2", "JDK,TLSv1.3", "JDK,TLSv1.2"})
    void untrustedCertificatesAreRefusedInBothModes(TlsProvider provider, String version) throws Exception {
        long day = Duration.ofDays(1).toMillis();
        long now = System.currentTimeMillis();
        HeldCertificate past =
                keys.builder("past").validityInterval(now - 9 * day, now - day).build();
        HeldCertificate selfSigned = new HeldCertificate.Builder()
                .commonName("pinned")
                .validityInterval(now - 9 * day, now - day)
                .build();
        Path trust = Files.writeString(
                directory.resolve("clients.pem"), Files.readString(keys.trust) + selfSigned.certificatePem());
        for (ClientCertificates asked : List.of(
                ClientCertificates.required(TrustStore.pem(trust)),
                ClientCertificates.optional(TrustStore.pem(trust)))) {
            ServerTls server = serve(provider, asked);
            for (ClientTls client : List.of(
                    client(TlsProvider.JDK, stranger()),
                    clientOfThePast(keys.source(past), past),
                    clientOfThePast(keys.alone(selfSigned), selfSigned))) {
                assertThatThrownBy(() -> connect(client, server, version)).isInstanceOf(SSLException.class);
            }
        }
    }

    /** A client whose own certificate was valid when it was read. */
    private ClientTls clientOfThePast(Certificates source, HeldCertificate leaf) {
        Instant then = leaf.certificate().getNotBefore().toInstant().plusSeconds(1);
        Upstream upstream = Upstream.of("https://a.example.com")
                .withTrust(TrustStore.pem(keys.trust))
                .withIdentity(source);
        return ClientTls.create(UpstreamKeys.load(upstream, then), TlsProvider.JDK);
    }

    @ParameterizedTest
    @EnumSource
    void clientIsToldWhomTheServerTrusts(TlsProvider provider) throws Exception {
        ServerTls server = serve(provider, ClientCertificates.required(TrustStore.pem(keys.trust)));
        // of two that it can use, a client shows the one that is asked for
        List<Certificates> both = List.of(stranger(), keys.ec("client"));
        Path store = TestKeys.store(directory.resolve("both.p12"), "secret", both);
        for (String version : List.of("TLSv1.2", "TLSv1.3")) {
            ClientTls client = client(provider, Certificates.pkcs12(store, "secret"));
            TlsPair pair = connect(client, server, version);
            assertThat(subject(pair.server.getSession())).isEqualTo("CN=client");
            pair.close();
        }
    }

    @Test
    void trustFileThatCannotBeUsedIsOneSentence() throws Exception {
        Path missing = directory.resolve("missing.pem");
        assertThatThrownBy(() -> serve(TlsProvider.AUTO, ClientCertificates.required(TrustStore.pem(missing))))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage(missing + " doesn't exist (expected: a file with the trusted certificates).");
        Path text = Files.writeString(directory.resolve("text.p12"), "nothing\n");
        assertThatThrownBy(() -> serve(TlsProvider.JDK, ClientCertificates.required(TrustStore.pkcs12(text, "secret"))))
                .hasMessage(text + " can't be read: it is damaged or no PKCS#12 file.");
        Path store = TestKeys.trustStore(directory.resolve("trust.p12"), "secret", OTHER_ROOT.certificate());
        assertThatThrownBy(
                        () -> serve(TlsProvider.JDK, ClientCertificates.optional(TrustStore.pkcs12(store, "hunter2"))))
                .hasMessage("The password of " + store + " is wrong.");
        Path key = TestKeys.store(directory.resolve("key.p12"), "secret", List.of(keys.ec("a.example.com")));
        assertThatThrownBy(() -> serve(TlsProvider.JDK, ClientCertificates.optional(TrustStore.pkcs12(key, "secret"))))
                .hasMessage("There is no trusted certificate in " + key
                        + " (expected: a PKCS#12 file with certificates that have no key).");
    }

    @Test
    void updateThatFailsLeavesAllAsItWas() throws Exception {
        ServerTls server = serve(TlsProvider.AUTO, ClientCertificates.required(TrustStore.pem(keys.trust)));
        Path missing = directory.resolve("missing.pem");
        assertThatThrownBy(() -> server.prepare(
                        List.of(keys.ec("new", "a.example.com")),
                        ClientCertificates.required(TrustStore.pem(missing)),
                        Set.of()))
                .isInstanceOf(ProxyStartException.class);
        assertThatThrownBy(() -> server.prepare(
                        List.of(Certificates.pem(missing, missing)),
                        ClientCertificates.optional(TrustStore.pem(otherRoot())),
                        Set.of()))
                .isInstanceOf(ProxyStartException.class);
        ClientTls client = client(TlsProvider.JDK, keys.ec("client"));
        TlsPair pair = connect(client, server, "TLSv1.3");
        assertThat(subject(pair.client.getSession())).isEqualTo("CN=a.example.com");
        assertThat(subject(pair.server.getSession())).isEqualTo("CN=client");
        pair.close();
    }

    @Test
    void trustStoresOfBothKindsAreRead() throws Exception {
        Path store = TestKeys.trustStore(directory.resolve("trust.p12"), "secret", OTHER_ROOT.certificate());
        assertThat(TrustFile.read(TrustStore.pkcs12(store, "secret"))).isEqualTo(Set.of(OTHER_ROOT.certificate()));
        assertThat(TrustFile.read(TrustStore.pem(otherRoot()))).isEqualTo(Set.of(OTHER_ROOT.certificate()));
        ServerTls server = serve(TlsProvider.AUTO, ClientCertificates.required(TrustStore.pkcs12(store, "secret")));
        TlsPair pair = connect(client(TlsProvider.AUTO, stranger()), server, "TLSv1.3");
        assertThat(subject(pair.server.getSession())).isEqualTo("CN=stranger");
        pair.close();
    }

    @Test
    void trustStoreOfOpensslIsRead() throws Exception {
        Path store = directory.resolve("openssl.p12");
        Peers.Outcome made = Peers.run(
                Duration.ofSeconds(20),
                "openssl",
                "pkcs12",
                "-export",
                "-nokeys",
                "-in",
                otherRoot().toString(),
                "-passout",
                "pass:secret",
                "-out",
                store.toString());
        assertThat(made.exitCode()).as(made.stderr()).isZero();
        assertThat(TrustFile.read(TrustStore.pkcs12(store, "secret"))).isEqualTo(Set.of(OTHER_ROOT.certificate()));
        assertThatThrownBy(() -> TrustFile.read(TrustStore.pkcs12(store, "hunter2")))
                .hasMessage("The password of " + store + " is wrong.");
    }
}
