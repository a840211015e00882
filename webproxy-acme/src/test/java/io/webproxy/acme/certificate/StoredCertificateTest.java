package io.webproxy.acme.certificate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.acme.testing.TestCertificates;
import io.webproxy.tls.KeyMaterial;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class StoredCertificateTest {
    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");

    private final KeyMaterial material = TestCertificates.issue(NOW, Duration.ofDays(90), "example.com", "192.0.2.1");
    private final StoredCertificate certificate = new StoredCertificate(material, NOW.plusSeconds(3));

    @Test
    void keepsKeyChainAndTimeAsOneReadableText() throws Exception {
        String text = new String(certificate.print(), StandardCharsets.UTF_8);

        assertThat(text)
                .startsWith("# EC certificate for example.com, 192.0.2.1, valid until 2027-02-19T12:00:00Z\n"
                        + "# issuer: CN=test CA\n"
                        + "# obtained: 2026-11-21T12:00:03Z\n");
        same(StoredCertificate.parse(certificate.print()), certificate);
    }

    @Test
    void keepsAnRsaKey() throws Exception {
        StoredCertificate rsa =
                new StoredCertificate(TestCertificates.rsa(NOW, Duration.ofDays(90), "example.com"), NOW);

        same(StoredCertificate.parse(rsa.print()), rsa);
    }

    @Test
    void everyTruncationIsNoticed() {
        byte[] whole = certificate.print();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> StoredCertificate.parse(cut))
                    .as("%d of %d bytes", length, whole.length)
                    .isInstanceOf(StoredCertificate.Damaged.class);
        }
    }

    @Test
    void everyDamagedByteOfKeyAndChainIsNoticed() {
        byte[] whole = certificate.print();
        int pem = new String(whole, StandardCharsets.UTF_8).indexOf("-----BEGIN");
        for (int at = pem; at < whole.length; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 4;
            assertThatThrownBy(() -> StoredCertificate.parse(damaged))
                    .as("byte %d", at)
                    .isInstanceOf(StoredCertificate.Damaged.class);
        }
    }

    @Test
    void aKeyOfAnotherCertificateIsNoticedAlsoWithoutTheChecksum() {
        KeyMaterial other = TestCertificates.issue(NOW, Duration.ofDays(90), "example.com");
        KeyMaterial mixed = KeyMaterial.of(other.key(), material.chain());

        assertThatThrownBy(() -> StoredCertificate.parse(new StoredCertificate(mixed, NOW).print()))
                .hasMessage("is damaged: its key is of another certificate");
    }

    @Test
    void whatAnOperatorHasPutThereByHandIsTaken() throws Exception {
        String byHand = new String(certificate.print(), StandardCharsets.UTF_8)
                .replaceAll("(?m)^#.*\n", "")
                .replace("\n", "\r\n");

        StoredCertificate parsed = StoredCertificate.parse(byHand.getBytes(StandardCharsets.UTF_8));

        assertThat(parsed.material().chain()).isEqualTo(material.chain());
        assertThat(parsed.obtainedAt()).isEqualTo(NOW);
    }

    @Test
    void showsNoPartOfTheKey() {
        assertThat(certificate.toString()).doesNotContain("PRIVATE").contains("example.com");
    }

    private static void same(StoredCertificate parsed, StoredCertificate original) {
        assertThat(parsed.material().chain()).isEqualTo(original.material().chain());
        assertThat(parsed.material().key()).isEqualTo(original.material().key());
        assertThat(parsed.obtainedAt()).isEqualTo(original.obtainedAt());
    }
}
