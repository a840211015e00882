package io.webproxy.acme.order;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PollTest {
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
}
