package io.webproxy.undertow.canary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.webproxy.testing.LeakCheck;
import java.io.ByteArrayInputStream;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Collections;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.X509ExtendedTrustManager;
import okhttp3.tls.HeldCertificate;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.pkcs.PKCS12PfxPduBuilder;
import org.bouncycastle.pkcs.PKCS12SafeBag;
import org.bouncycastle.pkcs.PKCS12SafeBagBuilder;
import org.bouncycastle.pkcs.bc.BcPKCS12MacCalculatorBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The JDK's TLS, its stores and its sockets. */
@ExtendWith(LeakCheck.class)
class JdkDefectsTest {
    private static final HeldCertificate HELD =
            new HeldCertificate.Builder().addSubjectAlternativeName("localhost").build();

    @Test
    void clientsMayRenegotiate() throws Exception {
        SSLEngine server = StockTls.context(null, new StockTls.OneKey(HELD)).createSSLEngine();
        server.setUseClientMode(false);
        SSLEngine client = StockTls.context(null, null, StockTls.trusting(HELD.certificate()))
                .createSSLEngine("localhost", 443);
        client.setUseClientMode(true);
        client.setEnabledProtocols(new String[] {"TLSv1.2"});
        StockTls.talk(client, server);
        assertThat(server.getHandshakeStatus()).isEqualTo(HandshakeStatus.NOT_HANDSHAKING);
        client.beginHandshake();
        StockTls.move(client, server, ByteBuffer.allocateDirect(1 << 15));

        assertThat(server.getHandshakeStatus())
                .as("a server's engine refuses to renegotiate: KeyedSslEngine needn't")
                .isEqualTo(HandshakeStatus.NEED_WRAP);
    }

    @Test
    void expiredCertificateInTheTrustStoreIsTrusted() throws Exception {
        X509Certificate expired =
                new HeldCertificate.Builder().validityInterval(1, 2).build().certificate();
        X509ExtendedTrustManager trust = (X509ExtendedTrustManager) StockTls.trusting(expired)[0];

        assertThatCode(() -> trust.checkClientTrusted(new X509Certificate[] {expired}, "EC"))
                .as("the trust manager looks at the dates of what stands in its store: TrustedClients needn't")
                .doesNotThrowAnyException();
    }

    @Test
    void unmarkedCertificatesOfAPkcs12FileAreSkipped() throws Exception {
        PKCS12SafeBag bag = new PKCS12SafeBagBuilder(new JcaX509CertificateHolder(HELD.certificate())).build();
        char[] password = "secret".toCharArray();
        byte[] file = new PKCS12PfxPduBuilder()
                .addData(bag)
                .build(new BcPKCS12MacCalculatorBuilder(), password)
                .getEncoded();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new ByteArrayInputStream(file), password);

        assertThat(Collections.list(store.aliases()))
                .as("the store shows certificates without Oracle's mark: Pkcs12File needn't read the file itself")
                .isEmpty();
    }

    @Test
    void socketsHaveNoLimitForBytesThatAreNotAcknowledged() throws Exception {
        try (SocketChannel socket = SocketChannel.open()) {
            assertThat(socket.supportedOptions())
                    .as("sockets have TCP_USER_TIMEOUT: AckPoll may go")
                    .extracting(SocketOption::name)
                    .noneMatch(name -> name.contains("USER_TIMEOUT"));
        }
    }
}
