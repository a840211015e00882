package io.webproxy.acme.testing;

import io.webproxy.tls.KeyMaterial;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import okhttp3.tls.HeldCertificate;

/** Certificates of a CA of the tests' own. */
public final class TestCertificates {
    private static final HeldCertificate CA = new HeldCertificate.Builder()
            .certificateAuthority(0)
            .commonName("test CA")
            .validityInterval(0, Instant.parse("2100-01-01T00:00:00Z").toEpochMilli())
            .build();

    private static final AtomicLong SERIAL = new AtomicLong();

    private TestCertificates() {}

    public static KeyMaterial issue(Instant notBefore, Duration lifetime, String... names) {
        return issue(notBefore, lifetime, List.of(names));
    }

    public static KeyMaterial issue(Instant notBefore, Duration lifetime, List<String> names) {
        return issue(new HeldCertificate.Builder().ecdsa256(), notBefore, lifetime, names);
    }

    public static KeyMaterial rsa(Instant notBefore, Duration lifetime, String name) {
        return issue(new HeldCertificate.Builder().rsa2048(), notBefore, lifetime, List.of(name));
    }

    private static KeyMaterial issue(
            HeldCertificate.Builder builder, Instant notBefore, Duration lifetime, List<String> names) {
        names.forEach(builder::addSubjectAlternativeName);
        HeldCertificate leaf = builder.signedBy(CA)
                .serialNumber(SERIAL.incrementAndGet())
                .validityInterval(
                        notBefore.toEpochMilli(), notBefore.plus(lifetime).toEpochMilli())
                .build();
        return KeyMaterial.of(leaf.keyPair().getPrivate(), List.of(leaf.certificate(), CA.certificate()));
    }
}
