package io.webproxy.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TrustStoreTest {
    private static final Path FILE = Path.of("ca");

    @Test
    void fileAndPasswordMakeTheDifference() {
        assertThat(TrustStore.pem(FILE)).isEqualTo(TrustStore.pem(FILE)).hasSameHashCodeAs(TrustStore.pem(FILE));
        assertThat(TrustStore.pkcs12(FILE, "a"))
                .isEqualTo(TrustStore.pkcs12(FILE, "a"))
                .hasSameHashCodeAs(TrustStore.pkcs12(FILE, "a"))
                .isNotEqualTo(TrustStore.pkcs12(FILE, "b"))
                .isNotEqualTo(TrustStore.pkcs12(Path.of("other"), "a"));
        assertThat(TrustStore.pem(FILE)).isNotEqualTo(TrustStore.pkcs12(FILE, ""));
        assertThat(TrustStore.pem(FILE).password()).isEmpty();
        assertThat(TrustStore.pkcs12(FILE, "").password()).contains("");
        assertThat(TrustStore.pkcs12(FILE, "").file()).isEqualTo(FILE);
    }

    @Test
    void passwordNeverShowsInToString() {
        assertThat(TrustStore.pem(FILE)).hasToString("pem(ca)");
        assertThat(TrustStore.pkcs12(FILE, "hunter2")).hasToString("pkcs12(ca)");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException().isThrownBy(() -> TrustStore.pem(null)).withMessage("file");
        assertThatNullPointerException()
                .isThrownBy(() -> TrustStore.pkcs12(null, ""))
                .withMessage("file");
        assertThatNullPointerException()
                .isThrownBy(() -> TrustStore.pkcs12(FILE, null))
                .withMessage("password");
    }
}
