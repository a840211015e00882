package io.webproxy.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.acme.ca.AcmeFailure;
import io.webproxy.acme.certificate.StoredCertificate;
import io.webproxy.acme.certificate.Wanted;
import io.webproxy.acme.order.Issuer;
import io.webproxy.acme.renewal.OneAtATime;
import io.webproxy.acme.testing.FakeContext;
import io.webproxy.acme.testing.FakeIssuer;
import io.webproxy.acme.testing.ManualTime;
import io.webproxy.acme.testing.MemoryStore;
import io.webproxy.acme.testing.NoDns;
import io.webproxy.acme.testing.TestCertificates;
import io.webproxy.spi.ClientHelloData;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class AcmeCertificatesTest {
    private static final Instant BEGIN = Instant.parse("2026-11-21T12:00:00Z");
    private static final Duration LIFETIME = Duration.ofDays(90);
    private static final Set<String> BOTH = Set.of("EC", "RSA");

    private final ManualTime time = new ManualTime(BEGIN);
    private final FakeIssuer issuer = new FakeIssuer(time);
    private final MemoryStore store = new MemoryStore();
    private final FakeContext context = new FakeContext(time);

    private static final String PREFIX = "acme-v02.api.letsencrypt.org-directory/";

    private AcmeCertificates.Builder builder(String... names) {
        return AcmeCertificates.builder()
                .names(names)
                .acceptTermsOfService()
                .store(store)
                .clock(time.clock())
                .issuer(issuer);
    }

    private static ClientHello hello(@Nullable String name, String address, Set<String> keyTypes) {
        return new ClientHelloData(
                Optional.ofNullable(name), List.of("h2"), new InetSocketAddress(address, 443), keyTypes);
    }

    private static @Nullable String chosen(AcmeCertificates certificates, @Nullable String name, String address) {
        KeyMaterial material = certificates.select(hello(name, address, BOTH));
        return material == null ? null : material.toString().replaceAll(", valid.*", "");
    }

    @Test
    void choosesByNameThenByAddressThenTheFirst() throws Exception {
        AcmeCertificates certificates = builder("example.com", "*.example.com")
                .dns(new NoDns())
                .certificate("192.0.2.1", "2001:db8::1")
                .certificate("www.example.com")
                .build();
        assertThat(chosen(certificates, "example.com", "192.0.2.1")).isNull();
        certificates.start(context);
        assertThat(chosen(certificates, "example.com", "192.0.2.1")).isNull();
        time.run();

        String first = "EC certificate for *.example.com, example.com";
        assertThat(chosen(certificates, "example.com", "192.0.2.1")).isEqualTo(first);
        assertThat(chosen(certificates, "www.example.com", "192.0.2.1")).isEqualTo(first);
        assertThat(chosen(certificates, "a.b.example.com", "192.0.2.1")).isNull();
        assertThat(chosen(certificates, "other.example", "192.0.2.1")).isNull();
        assertThat(chosen(certificates, null, "192.0.2.1")).contains("192.0.2.1");
        assertThat(chosen(certificates, null, "2001:db8::1")).contains("192.0.2.1");
        assertThat(chosen(certificates, null, "198.51.100.1")).isEqualTo(first);
        assertThat(chosen(certificates, "192.0.2.1", "198.51.100.1")).contains("192.0.2.1");

        certificates.stop();
        assertThat(chosen(certificates, "example.com", "192.0.2.1")).isNull();
    }

    @Test
    void choosesTheFirstKeyThatTheClientCanUse() throws Exception {
        store.values.put(
                PREFIX + "certificates/example.com/EC",
                new StoredCertificate(TestCertificates.issue(BEGIN, LIFETIME, "example.com"), BEGIN).print());
        store.values.put(
                PREFIX + "certificates/example.com/RSA",
                new StoredCertificate(TestCertificates.rsa(BEGIN, LIFETIME, "example.com"), BEGIN).print());
        AcmeCertificates certificates =
                builder("example.com").keyType(KeyType.EC, KeyType.RSA).build();
        certificates.start(context);

        for (String name : new String[] {"example.com", null}) {
            assertThat(certificates.select(hello(name, "192.0.2.1", BOTH)).keyType())
                    .isEqualTo("EC");
            assertThat(certificates
                            .select(hello(name, "192.0.2.1", Set.of("RSA")))
                            .keyType())
                    .isEqualTo("RSA");
            assertThat(certificates.select(hello(name, "192.0.2.1", Set.of()))).isNull();
        }
        assertThat(issuer.orders).isEmpty();
        certificates.stop();
    }

    @Test
    void servesOneServerAtATimeAndAnotherAfterwards() throws Exception {
        AcmeCertificates certificates = builder("example.com").build();
        certificates.start(context);
        assertThatThrownBy(() -> certificates.start(context))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("expected: one at a time");
        time.run();
        assertThat(certificates.status().get(0).notAfter()).hasValue(BEGIN.plus(LIFETIME));
        certificates.stop();
        certificates.stop();
        assertThat(certificates.status().get(0).notAfter()).isEmpty();

        certificates.start(context);
        assertThat(chosen(certificates, "example.com", "192.0.2.1")).isNotNull();
        time.run();
        assertThat(issuer.orders).hasSize(1);
        certificates.stop();
    }

    @Test
    void aStoreThatCantBeReadFailsTheStartAndLeavesNothing() throws Exception {
        AcmeCertificates certificates = builder("example.com").build();
        store.readable = false;
        assertThatThrownBy(() -> certificates.start(context)).isInstanceOf(IOException.class);
        assertThat(time.waiting()).isZero();
        store.readable = true;
        certificates.start(context);
        certificates.stop();
    }

    @Test
    @ExpectedLog(contains = "can't be kept")
    void theIssuerIsToldWhenItsCertificateIsStoredAndNotBefore() throws Exception {
        AcmeCertificates certificates = builder("example.com").build();
        store.writable = false;
        certificates.start(context);
        try {
            time.run();
            assertThat(certificates.select(hello("example.com", "192.0.2.1", BOTH)))
                    .isNotNull();
            assertThat(issuer.done).isEmpty();
            store.writable = true;
            time.pass(Duration.ofHours(1));
            assertThat(issuer.done).extracting(Wanted::id).containsExactly("example.com/EC");
            assertThat(issuer.orders).hasSize(1);
        } finally {
            certificates.stop();
        }
    }

    @Test
    @ExpectedLog(contains = "No certificate for example.com: The CA can't be reached.")
    void aRevokedCertificateIsServedUntilAnotherIsThereAndNotAfterARestart() throws Exception {
        AcmeCertificates certificates =
                builder("example.com").certificate("other.example").build();
        certificates.start(context);
        time.run();
        time.pass(Duration.ofMinutes(1));
        KeyMaterial revoked = certificates.select(hello("example.com", "192.0.2.1", BOTH));
        KeyMaterial other = certificates.select(hello("other.example", "192.0.2.1", BOTH));

        certificates.revoke("EXAMPLE.com");

        assertThat(issuer.revoked).containsExactly(revoked.leaf());
        assertThat(context.kinds()).containsExactly("obtained", "obtained", "revoked");
        assertThat(certificates.select(hello("example.com", "192.0.2.1", BOTH))).isSameAs(revoked);
        issuer.failure = FakeIssuer.unreachable();
        time.run();
        assertThat(issuer.orders).hasSize(3);
        assertThat(issuer.replaced.get(2)).isNull();
        assertThat(certificates.select(hello("example.com", "192.0.2.1", BOTH))).isSameAs(revoked);
        assertThat(store.values).doesNotContainKey(PREFIX + "certificates/example.com/EC");

        issuer.failure = null;
        time.pass(Duration.ofMinutes(10));
        assertThat(issuer.orders).hasSize(4);
        assertThat(certificates.select(hello("example.com", "192.0.2.1", BOTH)).leaf())
                .isNotEqualTo(revoked.leaf());
        assertThat(store.values).containsKey(PREFIX + "certificates/example.com/EC");
        assertThat(certificates.select(hello("other.example", "192.0.2.1", BOTH)))
                .isSameAs(other);
        certificates.stop();
    }

    @Test
    void whatIsNotServedIsNotRevoked() throws Exception {
        AcmeCertificates certificates = builder("example.com").build();
        assertThatThrownBy(() -> certificates.revoke("example.com"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("revoke: example.com (expected: a running server with these certificates)");
        certificates.start(context);
        time.run();
        assertThatThrownBy(() -> certificates.revoke("other.example"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("revoke: other.example (expected: a name that a certificate is served for)");
        issuer.failure = FakeIssuer.refused("no", null);
        assertThatThrownBy(() -> certificates.revoke("example.com"))
                .isInstanceOf(IOException.class)
                .hasMessage("no");
        assertThat(context.kinds()).containsExactly("obtained");
        certificates.stop();
    }

    @Test
    @Timeout(30)
    void certificatesAreObtainedOneAfterAnother() throws Exception {
        OneAtATime one = new OneAtATime(issuer);
        CountDownLatch obtaining = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        issuer.meanwhile = () -> {
            obtaining.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        Thread first = new Thread(() -> obtain(one), "first");
        first.start();
        obtaining.await();
        assertThat(one.pause()).isFalse();
        Thread second = new Thread(() -> obtain(one), "second");
        second.start();
        second.interrupt();
        second.join();
        assertThat(issuer.orders).hasSize(1);
        goOn.countDown();
        first.join();

        assertThat(one.pause()).isTrue();
        one.goOn();
        obtain(one);
        assertThat(issuer.orders).hasSize(2);
    }

    private static void obtain(Issuer issuer) {
        try {
            issuer.obtain(new Wanted(List.of("example.com"), "EC"), null);
        } catch (AcmeFailure | InterruptedException e) {
            // As it is told.
        }
    }

    @Test
    void certificateOfAnotherCaIsNotServedFromTheSameStore() throws Exception {
        AcmeCertificates staging = builder("example.com").staging().build();
        staging.start(context);
        time.run();
        KeyMaterial tried = staging.select(hello("example.com", "192.0.2.1", BOTH));
        assertThat(tried).isNotNull();
        staging.stop();

        AcmeCertificates real = builder("example.com").build();
        real.start(context);
        assertThat(real.select(hello("example.com", "192.0.2.1", BOTH))).isNull();
        time.run();
        assertThat(real.select(hello("example.com", "192.0.2.1", BOTH)))
                .isNotNull()
                .isNotSameAs(tried);
        real.stop();
    }
}
