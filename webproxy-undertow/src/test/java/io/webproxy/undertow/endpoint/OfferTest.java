package io.webproxy.undertow.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.Hellos;
import io.webproxy.tls.ClientHello;
import io.webproxy.undertow.sniff.ClientHelloParser;
import io.webproxy.undertow.sniff.Peeked;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;

class OfferTest {
    private static final InetSocketAddress LOCAL = new InetSocketAddress("192.0.2.1", 443);

    private static ClientHello offer(byte[] records) {
        return Offer.of((Peeked.ClientHello) new ClientHelloParser().feed(ByteBuffer.wrap(records)), LOCAL);
    }

    private static ClientHello offer(String version, String... suites) throws Exception {
        SSLEngine client = SSLContext.getDefault().createSSLEngine("a.example.com", 443);
        client.setUseClientMode(true);
        SSLParameters parameters = client.getSSLParameters();
        parameters.setProtocols(new String[] {version});
        parameters.setCipherSuites(suites);
        parameters.setApplicationProtocols(new String[] {"x", "h2"});
        client.setSSLParameters(parameters);
        ByteBuffer record = ByteBuffer.allocate(1 << 15);
        client.wrap(ByteBuffer.allocate(0), record);
        return offer(Arrays.copyOf(record.array(), record.position()));
    }

    @Test
    void suitesSayWhatATls12ClientCanUse() throws Exception {
        assertThat(offer("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256").keyTypes())
                .containsExactly("RSA");
        assertThat(offer("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384").keyTypes())
                .containsExactly("EC");
        assertThat(offer("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256").keyTypes())
                .isEmpty();
        assertThat(offer("TLSv1.3", "TLS_AES_128_GCM_SHA256").keyTypes()).containsExactlyInAnyOrder("EC", "RSA");
    }

    @Test
    void signaturesSayWhatATls13ClientCanUse() {
        byte[] tls13 = Hellos.extension(43, Hellos.vector(1, Hellos.number(0x0304)));
        byte[] ecdsa = Hellos.extension(13, Hellos.vector(2, Hellos.number(0x0403)));
        byte[] pss = Hellos.extension(13, Hellos.vector(2, Hellos.number(0x0807, 0x0804)));
        assertThat(offer(Hellos.with(tls13, ecdsa)).keyTypes()).containsExactly("EC");
        assertThat(offer(Hellos.with(tls13, pss)).keyTypes()).containsExactly("RSA");
        // no signatures in TLS 1.2: any (RFC 5246 section 7.4.1.4.1); the suite is one for RSA
        assertThat(offer(Hellos.with()).keyTypes()).containsExactly("RSA");
    }

    @Test
    void restIsAsItWasSaid() throws Exception {
        ClientHello hello = offer("TLSv1.3", "TLS_AES_128_GCM_SHA256");
        assertThat(hello.serverName()).hasValue("a.example.com");
        assertThat(hello.applicationProtocols()).containsExactly("x", "h2");
        assertThat(hello.localAddress()).isEqualTo(LOCAL);
        assertThat(offer(Hellos.with(Hellos.serverName("A.example.COM."))).serverName())
                .hasValue("a.example.com");
        assertThat(offer(Hellos.with()).serverName()).isEmpty();
    }
}
