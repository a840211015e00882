package io.webproxy.acme.certificate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;

/** What a CA issues is used only if it is what was ordered. */
class IssuedChainTest {
    private static final KeyPair KEY = Keys.create("EC");

    private final HeldCertificate root =
            new HeldCertificate.Builder().certificateAuthority(1).build();
    private final HeldCertificate between =
            new HeldCertificate.Builder().certificateAuthority(0).signedBy(root).build();
    private final HeldCertificate leaf = new HeldCertificate.Builder()
            .keyPair(KEY)
            .addSubjectAlternativeName("one.example.com")
            .addSubjectAlternativeName("127.0.0.1")
            .signedBy(between)
            .build();

    private static void check(List<X509Certificate> chain, KeyPair key, Instant now, String... names)
            throws GeneralSecurityException {
        assertThat(IssuedChain.check(new Wanted(List.of(names), "EC"), key, chain, now)
                        .chain())
                .isEqualTo(chain);
    }

    @Test
    void chainIsUsed() throws Exception {
        check(List.of(leaf.certificate(), between.certificate()), KEY, Instant.now(), "one.example.com", "127.0.0.1");
    }

    @Test
    void nothing() {
        refused(List.of(), KEY, Instant.now(), "one.example.com", "no certificate in it");
    }

    @Test
    void otherKey() {
        refused(
                List.of(leaf.certificate()),
                Keys.create("EC"),
                Instant.now(),
                "one.example.com",
                "its first certificate isn't for the key of the order");
    }

    @Test
    void brokenChain() {
        refused(
                List.of(leaf.certificate(), root.certificate()),
                KEY,
                Instant.now(),
                "one.example.com",
                "its certificate 1 isn't signed by certificate 2");
    }

    @Test
    void otherName() {
        refused(
                List.of(leaf.certificate()),
                KEY,
                Instant.now(),
                "two.example.com",
                "its first certificate isn't for two.example.com");
        refused(
                List.of(leaf.certificate()),
                KEY,
                Instant.now(),
                "*.example.com",
                "its first certificate isn't for *.example.com");
    }

    @Test
    void expired() {
        Instant end = leaf.certificate().getNotAfter().toInstant();
        refused(
                List.of(leaf.certificate()),
                KEY,
                end.plusSeconds(1),
                "one.example.com",
                "its first certificate has expired at " + end);
    }

    private static void refused(List<X509Certificate> chain, KeyPair key, Instant now, String name, String sentence) {
        assertThatThrownBy(() -> check(chain, key, now, name))
                .isInstanceOf(GeneralSecurityException.class)
                .hasMessage(sentence);
    }
}
