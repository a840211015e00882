package io.webproxy.acme;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.IpLiteral;
import java.net.InetAddress;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.shredzone.acme4j.Identifier;

/** Pauses, texts of addresses, keys in PEM. */
class SmallPartsTest {
    private static final Instant NOW = Instant.parse("2027-03-01T12:00:00Z");

    @ParameterizedTest
    @CsvSource({"-86400, 250", "0, 250", "1, 1000", "60, 60000", "61, 60000", "864000, 60000"})
    void pauseIsWhatTheCaWantsWithinReason(long seconds, long millis) {
        assertThat(Poll.pause(NOW.plusSeconds(seconds), NOW, Duration.ofSeconds(3)))
                .isEqualTo(Duration.ofMillis(millis));
    }

    @Test
    void pauseUnlessTold() {
        assertThat(Poll.pause(null, NOW, Duration.ofSeconds(3))).isEqualTo(Duration.ofSeconds(3));
    }

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

    @Test
    void externalAccountShowsNoKey() {
        assertThat(new ExternalAccount("kid", "secret")).hasToString("ExternalAccount[keyId=kid]");
    }

    @Test
    void caCannotHaveOtherNamesAnswered() {
        Wanted wanted = new Wanted(List.of("*.example.com", "::1"), "EC");
        assertThat(Authorizer.ordered(wanted, Identifier.dns("example.com"))).isTrue();
        assertThat(Authorizer.ordered(wanted, new Identifier("ip", "::1"))).isTrue();
        assertThat(Authorizer.ordered(wanted, Identifier.dns("www.example.com")))
                .isFalse();
        assertThat(Authorizer.ordered(wanted, new Identifier("dns", "::1"))).isFalse();
    }
}
