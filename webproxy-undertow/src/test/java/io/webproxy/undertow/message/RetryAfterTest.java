package io.webproxy.undertow.message;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryAfterTest {
    private static final Instant NOW = Instant.parse("1994-11-06T08:49:07.5Z");

    /** The examples of RFC 9110 sections 10.2.3 and 5.6.7, whose obsolete forms count too. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "120|120",
                "0|0",
                "999999999999999999|999999999999999999",
                "Sun, 06 Nov 1994 08:49:37 GMT|30",
                "Sun Nov  6 08:49:37 1994|30",
                "Sun, 06 Nov 1994 08:49:00 GMT|0",
                "Fri, 31 Dec 1999 23:59:59 GMT|162573052"
            })
    void secondsAndDates(String value, long seconds) {
        assertThat(RetryAfter.seconds(value, NOW)).isEqualTo(seconds);
    }

    @Test
    void yearOfTwoDigitsIsOneOfThisCentury() {
        assertThat(RetryAfter.seconds("Sunday, 06-Nov-44 08:49:37 GMT", Instant.parse("2044-11-06T08:49:07Z")))
                .isEqualTo(30);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "-1",
                "+1",
                "1.5",
                "1e9",
                "0x10",
                "soon",
                "9999999999999999999",
                "Sun, 06 Nov 1994 08:49:37",
                "Sun, 99 Nov 1994 08:49:37 GMT",
                "Sun, 06 Nov 1994 08:49:37 GMT, 5",
                "Sun, 06 Nov 999999999999999999999999999999999999999 08:49:37 GMT"
            })
    void anythingElseSaysNothing(String value) {
        assertThat(RetryAfter.seconds(value, NOW)).isEqualTo(-1);
    }

    @Test
    void noneSaysNothing() {
        assertThat(RetryAfter.seconds(null, NOW)).isEqualTo(-1);
    }
}
