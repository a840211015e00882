package io.webproxy.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.acme.testing.FakeContext;
import io.webproxy.acme.testing.TestResponder;
import io.webproxy.spi.ClientHelloData;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Pebble;
import io.webproxy.testing.Told;
import io.webproxy.tls.KeyMaterial;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** All of it, at a CA that checks names. */
@ExtendWith(LeakCheck.class)
class AcmeCertificatesPebbleTest {
    @TempDir
    private Path directory;

    private static KeyMaterial select(AcmeCertificates certificates, String name, String keyType) {
        return certificates.select(new ClientHelloData(
                Optional.of(name), List.of("h2"), new InetSocketAddress("127.0.0.1", 443), Set.of(keyType)));
    }

    @Test
    void namesAndAddressesAreCertifiedKeptAndRevoked() throws Exception {
        try (TestResponder responder = new TestResponder();
                Pebble pebble = new Pebble.Setup().start(responder.realHttpPort(), responder.realHttpsPort())) {
            AcmeCertificates.Builder builder = AcmeCertificates.builder()
                    .names("www.example.com", "127.0.0.1")
                    .keyType(KeyType.EC, KeyType.RSA)
                    .directory(pebble.acmeDirectory().toString())
                    .trust(pebble.trust())
                    .resolver(new InetSocketAddress("127.0.0.1", pebble.dnsPort()))
                    .contact("admin@example.com")
                    .acceptTermsOfService()
                    .storage(directory);

            Set<X509Certificate> obtained = new HashSet<>();
            List<Told> events = new CopyOnWriteArrayList<>();
            AcmeCertificates certificates = builder.build();
            ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
            certificates.start(new FakeContext(executor, responder, events, new CopyOnWriteArrayList<>()));
            try {
                await().atMost(Duration.ofSeconds(60)).until(() -> events.size() == 2);
                for (String type : List.of("EC", "RSA")) {
                    KeyMaterial material = select(certificates, "www.example.com", type);
                    assertThat(material.keyType()).isEqualTo(type);
                    assertThat(material.covers("127.0.0.1")).isTrue();
                    obtained.add(material.leaf());
                }
                assertThat(certificates.check(responder.realHttpPort(), responder.realHttpsPort()))
                        .filteredOn(finding -> finding.sentence().contains("leads to this server"))
                        .hasSize(4);
            } finally {
                certificates.stop();
                executor.shutdownNow();
                executor.awaitTermination(30, TimeUnit.SECONDS);
            }

            AcmeCertificates again = builder.build();
            ScheduledExecutorService next = Executors.newScheduledThreadPool(2);
            again.start(new FakeContext(next, responder, events, new CopyOnWriteArrayList<>()));
            try {
                assertThat(Set.of(
                                select(again, "www.example.com", "EC").leaf(),
                                select(again, "www.example.com", "RSA").leaf()))
                        .isEqualTo(obtained);
                again.revoke("www.example.com");
                await().atMost(Duration.ofSeconds(60)).until(() -> events.size() == 6);
                assertThat(obtained)
                        .doesNotContain(
                                select(again, "www.example.com", "EC").leaf(),
                                select(again, "www.example.com", "RSA").leaf());
                assertThat(events)
                        .extracting(Told::method)
                        .containsExactlyInAnyOrder(
                                "certificateObtained",
                                "certificateObtained",
                                "certificateRevoked",
                                "certificateRevoked",
                                "certificateRenewed",
                                "certificateRenewed");
            } finally {
                again.stop();
                next.shutdownNow();
                next.awaitTermination(30, TimeUnit.SECONDS);
            }
        }
    }
}
