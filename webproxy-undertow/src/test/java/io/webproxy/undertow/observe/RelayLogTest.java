package io.webproxy.undertow.observe;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import io.webproxy.spi.RelayData;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RelayLogTest {
    private static RelayRecord record(String endpoint, Duration duration, RelayEnd end) {
        return new RelayData(
                Instant.EPOCH,
                new InetSocketAddress("2001:db8::7", 50_122),
                endpoint,
                Optional.of("ssh"),
                Optional.of(new InetSocketAddress("127.53.1.9", 40_122)),
                Optional.of("127.0.0.1:22"),
                1234,
                5678,
                duration,
                end,
                "");
    }

    @Test
    void lineHasAllFieldsInOneOrder() {
        assertThat(RelayLog.line(record("rules-2222", Duration.ofMillis(12_345), RelayEnd.CLIENT_RESET)))
                .isEqualTo("client=[2001:db8::7]:50122 endpoint=rules-2222 rule=ssh source=127.53.1.9:40122"
                        + " target=127.0.0.1:22 sent=1234 received=5678 seconds=12.345 end=client-reset");
    }

    @Test
    void nameCannotForgeAnotherFieldOrLine() {
        assertThat(RelayLog.line(record("a end=closed\r\nclient=x", Duration.ZERO, RelayEnd.CUT)))
                .contains(" endpoint=a_end_closed__client_x rule=ssh ")
                .endsWith(" end=cut");
    }

    @ParameterizedTest
    @CsvSource({"0, 0.000", "7, 0.007", "70, 0.070", "700, 0.700", "1007, 1.007", "86400000, 86400.000"})
    void secondsHaveThreeDigits(long millis, String text) {
        assertThat(RelayLog.line(record("e", Duration.ofMillis(millis).plusNanos(999_999), RelayEnd.IDLE)))
                .contains(" seconds=" + text + " end=idle");
    }

    @Test
    void wordsOfEndsAreTheDocumentedOnes() {
        assertThat(Arrays.stream(RelayEnd.values()).map(RelayEnd::toString))
                .containsExactly(
                        "closed",
                        "client-reset",
                        "target-reset",
                        "connect-failed",
                        "client-left",
                        "idle",
                        "cut",
                        "refused-limit",
                        "refused-rate",
                        "refused-shortage",
                        "failed",
                        "undetected-silent",
                        "undetected-late",
                        "undetected-ended",
                        "undetected-unknown",
                        "undetected-malformed");
    }
}
