package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.webproxy.ProxyStartException;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.Certificates;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.conscrypt.Conscrypt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(LeakCheck.class)
class HandshakeTest {
    @TempDir
    Path directory;

    private TestKeys keys;

    @BeforeEach
    void makeKeys() throws Exception {
        keys = new TestKeys(directory);
    }

    private static ServerTls serve(TlsProvider provider, Certificates... sources) {
        return ServerTls.create(List.of(sources), provider);
    }

    private ClientTls client(TlsProvider provider) {
        return ClientTls.create(TestKeys.trusting(Optional.of(keys.trust)), provider);
    }

    private static TlsPair pair(ClientTls client, ServerTls server, String host, Consumer<SSLParameters> changes) {
        SSLEngine clientEngine = client.sslContext().createSSLEngine(host, 443);
        SSLParameters parameters = clientEngine.getSSLParameters();
        changes.accept(parameters);
        clientEngine.setSSLParameters(parameters);
        return new TlsPair(clientEngine, server);
    }

    /** The common name of the certificate that such a client is shown. */
    private static String shown(ClientTls client, ServerTls server, String host, Consumer<SSLParameters> changes)
            throws SSLException {
        TlsPair pair = pair(client, server, host, changes).handshake();
        try {
            pair.sendToClient("x".getBytes(StandardCharsets.US_ASCII));
            X509Certificate leaf = (X509Certificate) pair.client.getSession().getPeerCertificates()[0];
            return leaf.getSubjectX500Principal().getName() + " "
                    + leaf.getPublicKey().getAlgorithm();
        } finally {
            pair.close();
        }
    }

    private static void anyName(SSLParameters parameters) {
        parameters.setEndpointIdentificationAlgorithm("");
    }

    @ParameterizedTest
    @CsvSource({
        "AUTO,AUTO,TLSv1.3", "AUTO,AUTO,TLSv1.2", "AUTO,JDK,TLSv1.3", "AUTO,JDK,TLSv1.2",
        "JDK,AUTO,TLSv1.3", "JDK,AUTO,TLSv1.2", "JDK,JDK,TLSv1.3", "JDK,JDK,TLSv1.2"
    })
    void bothProvidersSpeakBothVersionsAndAlpn(TlsProvider serves, TlsProvider asks, String version) throws Exception {
        ServerTls server = serve(serves, keys.ec("a.example.com"));
        for (String[] offered : new String[][] {{"http/1.1", "h2"}, {"http/1.1"}, {}}) {
            TlsPair pair = pair(client(asks), server, "a.example.com", parameters -> {
                parameters.setProtocols(new String[] {version});
                parameters.setApplicationProtocols(offered);
            });
            pair.handshake();
            String expected = offered.length == 2 ? "h2" : String.join("", offered);
            assertThat(pair.server.getApplicationProtocol()).isEqualTo(expected);
            assertThat(pair.client.getApplicationProtocol()).isEqualTo(expected);
            assertThat(pair.client.getSession().getCipherSuite()).contains("_GCM_");
            assertThat(pair.sendToClient("hello".getBytes(StandardCharsets.US_ASCII)))
                    .asString()
                    .isEqualTo("hello");
            pair.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void onlyForwardSecretAeadSuites(TlsProvider provider) throws Exception {
        SSLEngine engine =
                serve(provider, keys.ec("a.example.com")).sslContext().createSSLEngine();
        assertThat(engine.getEnabledProtocols()).containsExactlyInAnyOrder("TLSv1.2", "TLSv1.3");
        assertThat(engine.getEnabledCipherSuites())
                .contains("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
                .allMatch(suite -> suite.matches(
                        "TLS_(ECDHE_(RSA|ECDSA)_WITH_)?(AES_(128|256)_GCM|CHACHA20_POLY1305)_SHA(256|384)"));
        engine.closeOutbound();
        engine.closeInbound();
    }

    @ParameterizedTest
    @EnumSource
    void serverChoosesTheSuite(TlsProvider provider) throws Exception {
        ServerTls server = serve(provider, keys.ec("a.example.com"));
        TlsPair pair = pair(client(TlsProvider.JDK), server, "a.example.com", parameters -> {
            parameters.setProtocols(new String[] {"TLSv1.2"});
            parameters.setCipherSuites(
                    new String[] {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
                    });
        });
        pair.handshake();
        assertThat(pair.client.getSession().getCipherSuite()).isEqualTo("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        pair.close();
    }

    @ParameterizedTest
    @EnumSource
    void clientCannotTalkTheServerIntoWeakSuites(TlsProvider provider) throws Exception {
        ServerTls server = serve(provider, keys.rsa("a.example.com"));
        TlsPair pair = pair(client(TlsProvider.JDK), server, "a.example.com", parameters -> {
            parameters.setProtocols(new String[] {"TLSv1.2"});
            parameters.setCipherSuites(
                    new String[] {"TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"});
        });
        assertThatThrownBy(pair::handshake).isInstanceOf(SSLException.class);
        pair.close();
    }

    @ParameterizedTest
    @EnumSource
    void configurationSurvivesWhatUndertowDoesToAnEngine(TlsProvider provider) throws Exception {
        ServerTls server = serve(provider, keys.ec("a.example.com"));
        TlsPair pair = pair(
                client(TlsProvider.JDK),
                server,
                "a.example.com",
                parameters -> parameters.setApplicationProtocols(new String[] {"h2"}));
        pair.server.setUseClientMode(false);
        pair.server.setEnableSessionCreation(true);
        SSLParameters again = pair.server.getSSLParameters();
        again.setUseCipherSuitesOrder(true);
        pair.server.setSSLParameters(again);
        pair.handshake();
        assertThat(pair.server.getApplicationProtocol()).isEqualTo("h2");
        pair.close();
    }

    @ParameterizedTest
    @EnumSource
    void certificateIsChosenByName(TlsProvider provider) throws Exception {
        ServerTls server = serve(
                provider,
                keys.ec("default.example.com"),
                keys.ec("a.example.com", "A2.example.com"),
                keys.ec("wild", "*.example.com"),
                keys.ec("ip", "192.0.2.7", "2001:db8::7"));
        ClientTls client = client(TlsProvider.JDK);
        assertThat(shown(client, server, "A.EXAMPLE.com", p -> {})).isEqualTo("CN=a.example.com EC");
        assertThat(shown(client, server, "a2.example.com", p -> {})).isEqualTo("CN=a.example.com EC");
        assertThat(shown(client, server, "b.example.com", p -> {})).isEqualTo("CN=wild EC");
        // a wildcard stands for one label
        assertThat(shown(client, server, "c.b.example.com", HandshakeTest::anyName))
                .isEqualTo("CN=default.example.com EC");
        assertThat(shown(client, server, "example.org", HandshakeTest::anyName)).isEqualTo("CN=default.example.com EC");
        // no name in the handshake
        assertThat(shown(client, server, "192.0.2.7", HandshakeTest::anyName)).isEqualTo("CN=default.example.com EC");
    }

    @ParameterizedTest
    @CsvSource({
        "AUTO,192.0.2.7",
        "AUTO,2001:db8::7",
        "JDK,192.0.2.7",
        "JDK,2001:db8::7",
    })
    void clientWithoutNameGetsTheCertificateOfTheAddressThatItReached(TlsProvider provider, String address)
            throws Exception {
        ServerTls server = serve(provider, keys.ec("default.example.com"), keys.ec("ip", "192.0.2.7", "2001:db8::7"));
        TlsPair pair = pair(client(provider), server, address, p -> {});
        pair.reached = new InetSocketAddress(address, 443);
        pair.handshake();
        X509Certificate leaf = (X509Certificate) pair.client.getSession().getPeerCertificates()[0];
        assertThat(leaf.getSubjectX500Principal().getName()).isEqualTo("CN=ip");
        pair.close();
    }

    @ParameterizedTest
    @EnumSource
    void ofTwoKeysForOneNameTheClientGetsTheOneThatItCanUse(TlsProvider provider) throws Exception {
        ServerTls server =
                serve(provider, keys.rsa("a.example.com"), keys.ec("a.example.com"), keys.ec("b.example.com"));
        ClientTls client = client(TlsProvider.JDK);
        for (String type : List.of("RSA", "ECDSA", "RSA")) {
            assertThat(shown(client, server, "a.example.com", p -> {
                        p.setProtocols(new String[] {"TLSv1.2"});
                        p.setCipherSuites(new String[] {"TLS_ECDHE_" + type + "_WITH_AES_128_GCM_SHA256"});
                    }))
                    .isEqualTo("CN=a.example.com " + type.replace("ECDSA", "EC"));
        }
        assertThat(shown(client, server, "a.example.com", p -> {})).startsWith("CN=a.example.com");
    }

    @ParameterizedTest
    @CsvSource({
        "AUTO,AUTO,TLSv1.3", "AUTO,JDK,TLSv1.3", "JDK,JDK,TLSv1.3", "JDK,AUTO,TLSv1.3",
        "AUTO,AUTO,TLSv1.2", "AUTO,JDK,TLSv1.2", "JDK,JDK,TLSv1.2", "JDK,AUTO,TLSv1.2"
    })
    void sessionsResumeByTickets(TlsProvider serves, TlsProvider asks, String version) throws Exception {
        ServerTls server = serve(serves, keys.ec("a.example.com"));
        ClientTls client = client(asks);
        int[] said = new int[2];
        for (int i = 0; i < 2; i++) {
            TlsPair pair = pair(client, server, "a.example.com", p -> p.setProtocols(new String[] {version}));
            said[i] = pair.handshake().handshakeBytes;
            pair.sendToClient(new byte[1]);
            pair.close();
        }
        // the certificates were left out
        assertThat(said[0] - said[1]).isGreaterThan(500);
    }

    @ParameterizedTest
    @EnumSource
    void newCertificateIsServedFromTheNextHandshake(TlsProvider provider) throws Exception {
        ServerTls server = serve(provider, keys.ec("old", "a.example.com"));
        assertThat(shown(client(TlsProvider.JDK), server, "a.example.com", p -> {}))
                .isEqualTo("CN=old EC");
        server.prepare(List.of(keys.ec("new", "a.example.com"))).putInForce();
        assertThat(shown(client(TlsProvider.JDK), server, "a.example.com", p -> {}))
                .isEqualTo("CN=new EC");
    }

    @ParameterizedTest
    @EnumSource
    void handshakeUnderWayEndsWithTheCertificateThatItBeganWith(TlsProvider provider) throws Exception {
        ServerTls server = serve(provider, keys.ec("old", "a.example.com"));
        TlsPair pair = pair(client(TlsProvider.JDK), server, "a.example.com", p -> {});
        pair.client.beginHandshake();
        pair.client.wrap(ByteBuffer.allocate(0), pair.toServer);
        pair.hear();
        TlsPair.unwrap(pair.server, pair.toServer, ByteBuffer.allocate(1 << 15));
        server.prepare(List.of(keys.ec("new", "a.example.com"))).putInForce();
        pair.handshake();
        X509Certificate leaf = (X509Certificate) pair.client.getSession().getPeerCertificates()[0];
        assertThat(leaf.getSubjectX500Principal().getName()).isEqualTo("CN=old");
        pair.close();
    }

    @Test
    void failedUpdateChangesNothing() throws Exception {
        ServerTls server = serve(TlsProvider.JDK, keys.ec("a.example.com"));
        assertThatThrownBy(
                        () -> server.prepare(List.of(keys.ec("b.example.com"), Certificates.pem(directory, directory))))
                .isInstanceOf(ProxyStartException.class);
        assertThat(shown(client(TlsProvider.JDK), server, "a.example.com", p -> {}))
                .isEqualTo("CN=a.example.com EC");
    }

    @Test
    void conscryptServesWhereItLoads() throws Exception {
        assumeTrue(Conscrypt.isAvailable());
        assertThat(serve(TlsProvider.AUTO, keys.ec("a.example.com")).providerName())
                .isEqualTo("Conscrypt");
        assertThat(serve(TlsProvider.JDK, keys.ec("a.example.com")).providerName())
                .isEqualTo("JDK");
        assertThat(Security.getProvider("Conscrypt")).isNull();
        assertThat(Security.getProvider("BC")).isNull();
    }
}
