package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.time.Instant;
import java.util.Base64;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdentityTest {
    private static final ClientCertificates OFF = ClientCertificates.off();
    private static final ClientCertificates OPTIONAL = ClientCertificates.optional(TrustStore.pem(Path.of("ca.pem")));
    private static final HeldCertificate ROOT =
            new HeldCertificate.Builder().certificateAuthority(0).build();
    private static final HeldCertificate LEAF =
            new HeldCertificate.Builder().signedBy(ROOT).build();
    private static final HttpString CERTIFICATE = new HttpString("Client-Cert");
    private static final HttpString CHAIN = new HttpString("Client-Cert-Chain");

    private static SSLSession session(HeldCertificate... shown) {
        return (SSLSession) Proxy.newProxyInstance(
                IdentityTest.class.getClassLoader(),
                new Class<?>[] {SSLSession.class},
                (session, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("getPeerCertificates");
                    if (shown.length == 0) {
                        throw new SSLPeerUnverifiedException("nobody");
                    }
                    Certificate[] certificates = new Certificate[shown.length];
                    for (int i = 0; i < shown.length; i++) {
                        certificates[i] = shown[i].certificate();
                    }
                    return certificates;
                });
    }

    private static String encoded(HeldCertificate certificate) throws Exception {
        return ":"
                + Base64.getEncoder().encodeToString(certificate.certificate().getEncoded()) + ":";
    }

    @Test
    void fieldsAreByteSequencesOfTheCheckedCertificates() throws Exception {
        SSLSession session = session(LEAF, ROOT, LEAF);
        assertThat(Identity.of(OPTIONAL, false, session, Instant.now()).fields())
                .containsOnlyKeys(CERTIFICATE)
                .containsEntry(CERTIFICATE, encoded(LEAF));
        assertThat(Identity.of(OPTIONAL.withChain().withHeader("X-Id"), true, session, Instant.now())
                        .fields())
                .containsOnlyKeys(new HttpString("X-Id"), CHAIN)
                .containsEntry(new HttpString("X-Id"), encoded(LEAF))
                .containsEntry(CHAIN, encoded(ROOT) + ", " + encoded(LEAF));
        assertThat(Identity.of(OPTIONAL.withChain(), false, session(LEAF), Instant.now())
                        .fields())
                .containsOnlyKeys(CERTIFICATE);
    }

    @Test
    void nobodyHasNoFields() {
        assertThat(Identity.of(OPTIONAL, false, session(), Instant.now()).fields())
                .isEmpty();
        assertThat(Identity.of(OPTIONAL, false, null, Instant.now()).fields()).isEmpty();
        assertThat(Identity.of(OFF, false, session(LEAF), Instant.now()).fields())
                .isEmpty();
    }

    @Test
    void certificateOfAResumedSessionMayHaveExpired() {
        Instant end = LEAF.certificate().getNotAfter().toInstant();
        assertThat(Identity.of(OPTIONAL, false, session(LEAF), end).isExpired()).isFalse();
        assertThat(Identity.of(OPTIONAL, false, session(LEAF), end.plusSeconds(1))
                        .isExpired())
                .isTrue();
        assertThat(Identity.of(OPTIONAL, false, session(), end.plusSeconds(1)).isExpired())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Client-Cert",
                "CLIENT-CERT",
                "client-cert",
                "Client_Cert",
                "Client.Cert",
                "client!cert",
                "Client-Cert-Chain",
                "client_cert-chain",
                "X-Id-1",
                "x.id_1"
            })
    void whatCouldBeTakenForTheProxysWordIsStripped(String name) {
        for (ClientCertificates asked :
                new ClientCertificates[] {OFF.withHeader("X-Id-1"), OPTIONAL.withHeader("X-Id-1")}) {
            HeaderMap fields = fields(name);
            Identity.of(asked, asked == OPTIONAL, null, Instant.now()).strip(fields);
            assertThat(fields.getHeaderNames()).containsExactly(new HttpString("Other"));
        }
        HeaderMap believed = fields(name);
        Identity.of(OFF.withHeader("X-Id-1"), true, null, Instant.now()).strip(believed);
        assertThat(believed.getHeaderNames()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Client-Certs", "Clientcert", "Client-Cer", "Client-Ce2t", "ClientXCert", "Client-Cert-"})
    void otherFieldsStay(String name) {
        HeaderMap fields = fields(name);
        Identity.of(OPTIONAL, false, null, Instant.now()).strip(fields);
        assertThat(fields.getHeaderNames()).hasSize(2);
    }

    private static HeaderMap fields(String name) {
        HeaderMap fields = new HeaderMap();
        fields.add(new HttpString(name), "1");
        fields.add(new HttpString("Other"), "1");
        fields.add(new HttpString(name), "2");
        return fields;
    }
}
