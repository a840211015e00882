package io.webproxy.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.tls.ClientCertificates.Mode;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClientCertificatesTest {
    private static final Path FILE = Path.of("ca.pem");

    @Test
    void holdsWhatItWasGiven() {
        assertThat(ClientCertificates.off().mode()).isEqualTo(Mode.OFF);
        assertThat(ClientCertificates.off().trust()).isEmpty();
        assertThat(ClientCertificates.off().header()).isEqualTo("Client-Cert");
        assertThat(ClientCertificates.off().sendsChain()).isFalse();
        assertThat(ClientCertificates.optional(FILE).mode()).isEqualTo(Mode.OPTIONAL);
        assertThat(ClientCertificates.optional(FILE).trust()).contains(FILE);
        assertThat(ClientCertificates.optional(FILE).trustPassword()).isEmpty();
        assertThat(ClientCertificates.optional(FILE, "").mode()).isEqualTo(Mode.OPTIONAL);
        assertThat(ClientCertificates.optional(FILE, "").trustPassword()).contains("");
        assertThat(ClientCertificates.required(FILE).mode()).isEqualTo(Mode.REQUIRED);
        assertThat(ClientCertificates.required(FILE, "hunter2").mode()).isEqualTo(Mode.REQUIRED);
        assertThat(ClientCertificates.required(FILE, "hunter2").trustPassword()).contains("hunter2");
    }

    @Test
    void changesACopy() {
        ClientCertificates plain = ClientCertificates.required(FILE, "hunter2");
        ClientCertificates other = plain.withHeader("X-Client").withChain();
        assertThat(other.mode()).isEqualTo(Mode.REQUIRED);
        assertThat(other.trust()).contains(FILE);
        assertThat(other.trustPassword()).contains("hunter2");
        assertThat(other.header()).isEqualTo("X-Client");
        assertThat(other.sendsChain()).isTrue();
        assertThat(other.withHeader("X-Other").sendsChain()).isTrue();
        assertThat(plain.header()).isEqualTo("Client-Cert");
        assertThat(plain.sendsChain()).isFalse();
    }

    @Test
    void passwordsNeverShowInToString() {
        assertThat(ClientCertificates.required(FILE, "hunter2")).hasToString("required(ca.pem) as Client-Cert");
        assertThat(ClientCertificates.off()).hasToString("off as Client-Cert");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Client-Cert", "X-Client-Cert", "X-SSL-CERT", "X-Forwarded-Client-Cert", "c"})
    void nameOfTheFieldIsFree(String name) {
        assertThat(ClientCertificates.off().withHeader(name).header()).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "X Y",
                "X:Y",
                "X\r\nY",
                "X_Client_Cert",
                "X.Y",
                "1",
                "-",
                "Host",
                "HOST",
                "content-length",
                "Transfer-Encoding",
                "Connection",
                "X-Forwarded-For",
                "x-real-ip",
                "Forwarded",
                "Authorization",
                "Cookie",
                "Client-Cert-Chain",
                "Proxy-Authorization",
                "Sec-WebSocket-Key",
                "naïve",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            })
    void nameWithAMeaningOfItsOwnIsRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ClientCertificates.off().withHeader(name))
                .withMessage(
                        "clientCertificates.header: " + name
                                + " (expected: letters, digits and hyphens, and no name with a meaning of its own; such as Client-Cert)");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> ClientCertificates.optional(null))
                .withMessage("pemTrust");
        assertThatNullPointerException()
                .isThrownBy(() -> ClientCertificates.required(FILE, null))
                .withMessage("password");
        assertThatNullPointerException()
                .isThrownBy(() -> ClientCertificates.off().withHeader(null))
                .withMessage("name");
    }
}
