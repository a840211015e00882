package io.webproxy.undertow.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SecondsTest {
    private static String of(long nanos, int decimals) {
        return Seconds.append(new StringBuilder(), Duration.ofNanos(nanos), decimals)
                .toString();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 3, 0.000",
        "1, 9, 0.000000001",
        "1500000, 3, 0.002",
        "1499999, 3, 0.001",
        "999499999, 3, 0.999",
        "999500000, 3, 1.000",
        "75000000000, 3, 75.000",
        "10020030, 6, 0.010020",
        "12345678901234, 6, 12345.678901"
    })
    void isRoundedHalfUp(long nanos, int decimals, String expected) {
        assertThat(of(nanos, decimals)).isEqualTo(expected);
    }

    @Test
    void isWhatAFormatterWrites() {
        Random random = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            // whole microseconds, which a double has exactly enough of
            long nanos = random.nextLong(1_000_000_000_000L) / 1_000 * 1_000;
            assertThat(of(nanos, 6)).isEqualTo(String.format(Locale.ROOT, "%.6f", nanos / 1e9));
        }
    }
}
