package io.webproxy.acme.certificate;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CertificateNameTest {
    @ParameterizedTest
    @CsvSource({
        "Example.COM., example.com",
        "*.Example.com, *.example.com",
        "xn--mnchen-3ya.example, xn--mnchen-3ya.example",
        "192.0.2.1, 192.0.2.1",
        "[2001:DB8::1], 2001:db8::1",
        "2001:db8:0::1, 2001:db8::1",
        "::ffff:192.0.2.1, 192.0.2.1",
        "localhost, localhost"
    })
    void oneFormForEachName(String name, String canonical) {
        assertThat(CertificateName.canonical(name)).contains(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "*",
                "*.",
                "a..b",
                "*.*.example.com",
                "a.*.example.com",
                "*a.example.com",
                "-a.example",
                "a-.example",
                "a_b.example",
                "münchen.example",
                "192.0.2",
                "192.0.2.300",
                "1.2.3.4.5",
                "[::1",
                "fe80::1%eth0",
                "../../etc",
                "a b",
                "a.example/b",
                "https://a.example"
            })
    void whatNoCaCertifiesIsNoName(String name) {
        assertThat(CertificateName.canonical(name)).isEmpty();
        assertThat(CertificateName.canonical("a".repeat(64) + ".example")).isEmpty();
        assertThat(CertificateName.canonical("a.".repeat(130) + "example")).isEmpty();
    }

    @Test
    void reverseNamesOfBothFamilies() throws Exception {
        assertThat(ReverseName.of(InetAddress.getByName("192.0.2.10"))).isEqualTo("10.2.0.192.in-addr.arpa");
        assertThat(ReverseName.of(InetAddress.getByName("2001:db8::5")))
                .isEqualTo("5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    }
}
