package io.webproxy.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClientCertificatesTest {
    private static final TrustStore PEM = TrustStore.pem(Path.of("ca.pem"));
    private static final TrustStore PKCS12 = TrustStore.pkcs12(Path.of("ca.p12"), "hunter2");

    @Test
    void holdsWhatItWasGiven() {
        assertThat(ClientCertificates.off().isOff()).isTrue();
        assertThat(ClientCertificates.off().isRequired()).isFalse();
        assertThat(ClientCertificates.off().trust()).isEmpty();
        assertThat(ClientCertificates.off().header()).isEqualTo("Client-Cert");
        assertThat(ClientCertificates.off().sendsChain()).isFalse();
        assertThat(ClientCertificates.optional(PEM).isOff()).isFalse();
        assertThat(ClientCertificates.optional(PEM).isRequired()).isFalse();
        assertThat(ClientCertificates.optional(PEM).trust()).contains(PEM);
        assertThat(ClientCertificates.required(PKCS12).isOff()).isFalse();
        assertThat(ClientCertificates.required(PKCS12).isRequired()).isTrue();
        assertThat(ClientCertificates.required(PKCS12).trust()).contains(PKCS12);
    }

    @Test
    void changesACopy() {
        ClientCertificates plain = ClientCertificates.required(PKCS12);
        ClientCertificates other = plain.withHeader("X-Client").withChain();
        assertThat(other.isRequired()).isTrue();
        assertThat(other.trust()).contains(PKCS12);
        assertThat(other.header()).isEqualTo("X-Client");
        assertThat(other.sendsChain()).isTrue();
        assertThat(other.withHeader("X-Other").sendsChain()).isTrue();
        assertThat(plain.header()).isEqualTo("Client-Cert");
        assertThat(plain.sendsChain()).isFalse();
    }

    @Test
    void passwordsNeverShowInToString() {
        assertThat(ClientCertificates.required(PKCS12)).hasToString("required(pkcs12(ca.p12)) as Client-Cert");
        assertThat(ClientCertificates.optional(PEM)).hasToString("optional(pem(ca.pem)) as Client-Cert");
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
                .withMessage("trust");
        assertThatNullPointerException()
                .isThrownBy(() -> ClientCertificates.required(null))
                .withMessage("trust");
        assertThatNullPointerException()
                .isThrownBy(() -> ClientCertificates.off().withHeader(null))
                .withMessage("name");
    }
}
