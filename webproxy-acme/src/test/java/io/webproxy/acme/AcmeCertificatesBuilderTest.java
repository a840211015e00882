package io.webproxy.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.acme.ca.ExternalAccount;
import io.webproxy.acme.testing.HeapStore;
import io.webproxy.acme.testing.NoDns;
import io.webproxy.tls.CertificateStatus;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class AcmeCertificatesBuilderTest {
    private static final String KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

    private static AcmeCertificates.Builder good() {
        return AcmeCertificates.builder()
                .names("example.com")
                .acceptTermsOfService()
                .store(new HeapStore());
    }

    @Test
    void everyProblemIsSaidAtOnce() {
        assertThatThrownBy(() -> AcmeCertificates.builder()
                        .names("a b", "*.example.com")
                        .certificate()
                        .directory("ftp://ca.example")
                        .contact("nobody")
                        .externalAccount("kid", "short")
                        .profile(" ")
                        .challenges(ChallengeKind.DNS_01)
                        .timeout(Duration.ZERO)
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .satisfies(e -> assertThat(e.getMessage().lines())
                        .containsExactly(
                                "names: a b (expected: a DNS name in ASCII such as host.example.com or *.example.com,"
                                        + " or an IP address)",
                                "certificate: none (expected: at least one DNS name or IP address)",
                                "directory: ftp://ca.example (expected: the https URL of an ACME directory)",
                                "contact: nobody (expected: a mail address)",
                                "externalAccount: 'kid' (expected: a key id, and a key of at least 32 bytes in"
                                        + " base64url)",
                                "challenges: DNS_01 (expected: dns(…), which publishes its records)",
                                "names: *.example.com (expected: dns(…) with it: a wildcard needs DNS_01)",
                                "acceptTermsOfService: not called (expected: a call that says that you accept the CA's"
                                        + " terms of service)",
                                "storage: none (expected: storage(directory) or store(…), where certificates survive a"
                                        + " restart)",
                                "profile: '' (expected: the name of one that the CA offers)",
                                "timeout: PT0S (expected: 1 s to 10 min)"));
    }

    @Test
    void nothingIsAProblem() {
        assertThatThrownBy(() -> AcmeCertificates.builder().build())
                .hasMessageContaining("names: none")
                .hasMessageContaining("acceptTermsOfService: not called")
                .hasMessageContaining("storage: none");
        good().build();
    }

    @Test
    void termsOfServiceAreNeverAcceptedUnasked() {
        assertThatThrownBy(() -> AcmeCertificates.builder()
                        .names("example.com")
                        .store(new HeapStore())
                        .build())
                .hasMessage(
                        "acceptTermsOfService: not called (expected: a call that says that you accept the CA's terms"
                                + " of service)");
    }

    @Test
    void challengesMustSuitTheNames() {
        assertThatThrownBy(() -> good().names("192.0.2.1")
                        .dns(new NoDns())
                        .challenges(ChallengeKind.DNS_01)
                        .build())
                .hasMessage(
                        "names: 192.0.2.1 (expected: HTTP_01 or TLS_ALPN_01 among the challenges: DNS_01 isn't for IP"
                                + " addresses)");
        assertThatThrownBy(() -> good().names("*.example.com")
                        .dns(new NoDns())
                        .challenges(ChallengeKind.HTTP_01)
                        .build())
                .hasMessage("names: *.example.com (expected: DNS_01 among the challenges: a wildcard needs it)");
        good().names("*.example.com", "192.0.2.1").dns(new NoDns()).build();
    }

    @Test
    void certificatesDontCollideInTheStore() {
        assertThatThrownBy(() -> good().certificate("EXAMPLE.com.", "b.example").build())
                .hasMessage("certificate: example.com (expected: each certificate with a first name of its own)");
        assertThatThrownBy(() -> good().names("EXAMPLE.com.").build())
                .hasMessage("names: EXAMPLE.com. (expected: each name once in a certificate)");
        assertThatThrownBy(() -> {
                    AcmeCertificates.Builder many = good();
                    for (int i = 0; i < 100; i++) {
                        many.names("h" + i + ".example");
                    }
                    many.build();
                })
                .hasMessage("names: 101 names (expected: 1-100 in a certificate; make several)");
    }

    @Test
    void eachCertificateOfEachKeyTypeIsWanted() {
        AcmeCertificates certificates = good().names("192.0.2.1")
                .certificate("b.example", "[2001:db8::1]")
                .keyType(KeyType.EC, KeyType.RSA, KeyType.EC)
                .build();

        assertThat(certificates.status())
                .extracting(CertificateStatus::names)
                .containsExactly(
                        List.of("example.com", "192.0.2.1"),
                        List.of("example.com", "192.0.2.1"),
                        List.of("b.example", "2001:db8::1"),
                        List.of("b.example", "2001:db8::1"));
        assertThat(certificates).hasToString("acme(example.com/EC, example.com/RSA, b.example/EC, b.example/RSA)");
    }

    @Test
    void secretsDontShow() {
        AcmeCertificates certificates = good().externalAccount("kid", KEY).build();

        assertThat(certificates.toString() + new ExternalAccount("kid", KEY)).doesNotContain(KEY);
    }

    @Test
    void badValuesOfOneKindAreSaidOfEach() {
        assertThatThrownBy(() -> good().directory("https://")
                        .contact("a@b\r\nc")
                        .contact("c@d, e@f")
                        .build())
                .satisfies(e -> assertThat(e.getMessage().lines().filter(line -> line.startsWith("directory:")))
                        .hasSize(1))
                .hasMessageContaining("contact: c@d, e@f");
        good().contact("mailto:admin@example.com").contact("b@example.com").build();
    }
}
