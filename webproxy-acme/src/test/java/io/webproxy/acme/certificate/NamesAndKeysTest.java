package io.webproxy.acme.certificate;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.security.KeyPair;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts of addresses, keys in PEM. */
class NamesAndKeysTest {
    /** RFC 5952 section 4. */
    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 127.0.0.1",
        "0:0:0:0:0:0:0:1, ::1",
        "0:0:0:0:0:0:0:0, ::",
        "2001:DB8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "2001:db8:1:0:0:0:0:0, 2001:db8:1::",
        "fe80:0:0:1:0:0:0:1, fe80:0:0:1::1"
    })
    void addressIsCanonical(String text, String canonical) throws Exception {
        assertThat(IpLiteral.text(InetAddress.getByName(text))).isEqualTo(canonical);
        assertThat(Names.identifier(text).getValue()).isEqualTo(canonical);
        assertThat(Names.identifier(text).getType()).isEqualTo("ip");
    }

    @ParameterizedTest
    @ValueSource(strings = {"EC", "RSA"})
    void keyIsReadAsWritten(String type) throws Exception {
        KeyPair key = Keys.create(type);
        KeyPair read = Keys.fromPem("Something: before\n" + Keys.toPem(key));
        assertThat(read.getPrivate()).isEqualTo(key.getPrivate());
        assertThat(read.getPublic()).isEqualTo(key.getPublic());
    }
}
