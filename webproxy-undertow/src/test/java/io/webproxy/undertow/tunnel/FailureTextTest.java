package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Why a control channel is broken, as logs say it: in one line, and the same each time. */
class FailureTextTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Connection reset by peer|Connection reset by peer",
                "Unable to parse TLS packet header|the peer doesn't speak TLS",
                "Unsupported or unrecognized SSL message|the peer doesn't speak TLS",
                "Received fatal alert: certificate_unknown|the peer doesn't accept the key of this side",
                "Read error: ssl=0x7f1ecc003888: Failure in SSL library, usually a protocol error¶"
                        + "error:10000416:SSL routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_UNKNOWN (a/b.cc:491)"
                        + "|the peer doesn't accept the key of this side",
                "Read error: ssl=0x7f1ecc003888: I/O error during system call¶more|Read error: I/O error during system"
                        + " call",
            })
    void isOneLineThatIsTheSameEachTime(String message, String text) {
        assertThat(FailureText.of(new IOException(message.replace('¶', '\n')))).isEqualTo(text);
    }

    @Test
    void failureWithoutAMessageIsNamedByItsKind() {
        assertThat(FailureText.of(new IOException())).isEqualTo("IOException");
    }
}
