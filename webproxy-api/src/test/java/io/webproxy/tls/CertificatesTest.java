package io.webproxy.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.webproxy.spi.PemSource;
import io.webproxy.spi.Pkcs12Source;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CertificatesTest {
    private static final Path CRT = Path.of("server.crt");
    private static final Path KEY = Path.of("server.key");

    @Test
    void passwordsNeverShowInToString() {
        assertThat(Certificates.pem(CRT, KEY, "hunter2")).hasToString("pem(server.crt, server.key)");
        assertThat(Certificates.pkcs12(Path.of("server.p12"), "hunter2")).hasToString("pkcs12(server.p12)");
    }

    @Test
    void sourcesHoldWhatTheyWereGiven() {
        assertThat(Certificates.pem(CRT, KEY))
                .asInstanceOf(type(PemSource.class))
                .satisfies(pem -> {
                    assertThat(pem.certificates()).isEqualTo(CRT);
                    assertThat(pem.key()).isEqualTo(KEY);
                    assertThat(pem.password()).isEmpty();
                });
        assertThat(Certificates.pem(CRT, KEY, "hunter2"))
                .asInstanceOf(type(PemSource.class))
                .satisfies(pem -> assertThat(pem.password()).contains("hunter2"));
        assertThat(Certificates.pkcs12(CRT, ""))
                .asInstanceOf(type(Pkcs12Source.class))
                .satisfies(p12 -> {
                    assertThat(p12.file()).isEqualTo(CRT);
                    assertThat(p12.password()).isEmpty();
                });
    }

    @Test
    void selfSignedChangesACopy() {
        SelfSigned plain = Certificates.selfSigned("localhost");
        SelfSigned other = plain.rsa().storedIn(Path.of("certs"));

        assertThat(other.isRsa()).isTrue();
        assertThat(other.directory()).contains(Path.of("certs"));
        assertThat(other.names()).containsExactly("localhost").isUnmodifiable();
        assertThat(plain.isRsa()).isFalse();
        assertThat(plain.directory()).isEmpty();
    }

    @Test
    void namesAndAddressesAreKeptWithoutBrackets() {
        assertThat(Certificates.selfSigned("192.0.2.10", "localhost", "*.example.com", "[2001:db8::1]", "::1", "a.")
                        .names())
                .containsExactly("192.0.2.10", "localhost", "*.example.com", "2001:db8::1", "::1", "a.");
        assertThat(Certificates.selfSigned("a", "::1")).hasToString("selfSigned(a, ::1)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                ".",
                "*",
                "*.",
                "a..b",
                "a b",
                "-a",
                "a-",
                "a.*.com",
                "a/b",
                "https://a",
                "host:443",
                "[",
                "[]",
                "fe80::1%eth0",
                "bücher.example",
                "a\r\nb",
                "a,DNS:b",
                "a\0b"
            })
    void whatIsNoNameIsRefusedWithItsText(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Certificates.selfSigned("localhost", name))
                .withMessage(
                        "selfSigned: " + name + " (expected: a DNS name such as host.example.com, or an IP address)");
    }

    @Test
    void atLeastOneNameIsNeeded() {
        assertThatIllegalArgumentException()
                .isThrownBy(Certificates::selfSigned)
                .withMessage("selfSigned: no name (expected: at least one DNS name or IP address)");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> Certificates.pem(null, KEY))
                .withMessage("certificates");
        assertThatNullPointerException()
                .isThrownBy(() -> Certificates.pem(CRT, null))
                .withMessage("key");
        assertThatNullPointerException()
                .isThrownBy(() -> Certificates.pem(CRT, KEY, null))
                .withMessage("password");
        assertThatNullPointerException()
                .isThrownBy(() -> Certificates.pkcs12(null, ""))
                .withMessage("file");
        assertThatNullPointerException()
                .isThrownBy(() -> Certificates.pkcs12(CRT, null))
                .withMessage("password");
        assertThatNullPointerException()
                .isThrownBy(() -> Certificates.selfSigned((String[]) null))
                .withMessage("names");
        assertThatNullPointerException()
                .isThrownBy(() -> Certificates.selfSigned((String) null))
                .withMessage("name");
        assertThatNullPointerException()
                .isThrownBy(() -> Certificates.selfSigned("a").storedIn(null))
                .withMessage("directory");
    }
}
