package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.Http2Limits;
import io.webproxy.undertow.http2.FloodMeter.Kind;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FloodMeterTest {
    private long now = 77;
    private Http2Limits limits = Http2Limits.defaults();

    private FloodMeter meter() {
        return new FloodMeter(limits, () -> now);
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    /** How many of {@code tries} pass at this moment. */
    private static int passing(FloodMeter meter, Kind kind, int tries) {
        int passed = 0;
        for (int i = 0; i < tries; i++) {
            passed += meter.exceeds(kind) ? 0 : 1;
        }
        return passed;
    }

    @ParameterizedTest
    @CsvSource({
        "RESET, 200",
        "REFUSAL, 1000",
        "PING, 500",
        "SETTINGS, 50",
        "EMPTY_DATA, 100",
        "PRIORITY, 1000",
        "WINDOW_UPDATE, 1000"
    })
    void asManyPassAtOnceAsInASecond(Kind kind, int perSecond) {
        FloodMeter meter = meter();

        assertThat(passing(meter, kind, 5000)).isEqualTo(perSecond);
        pass(Duration.ofMillis(500));
        assertThat(passing(meter, kind, 5000)).isEqualTo(perSecond / 2);
        pass(Duration.ofHours(1));
        assertThat(passing(meter, kind, 5000))
                .as("nobody saves up for more than a second")
                .isEqualTo(perSecond);
    }

    @Test
    void steadyClientAtTheLimitPassesForEver() {
        FloodMeter meter = meter();
        for (int i = 0; i < 100_000; i++) {
            pass(Duration.ofMillis(5));
            assertThat(meter.exceeds(Kind.RESET)).isFalse();
        }
    }

    @Test
    void kindsAreCountedApart() {
        FloodMeter meter = meter();
        passing(meter, Kind.PING, 5000);

        assertThat(meter.exceeds(Kind.SETTINGS)).isFalse();
        assertThat(meter.exceeds(Kind.WINDOW_UPDATE)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void zeroIsNoLimit(Kind kind) {
        limits = Http2Limits.defaults()
                .withResets(0)
                .withRefusals(0)
                .withPings(0)
                .withSettings(0)
                .withEmptyData(0)
                .withPriorities(0)
                .withWindowUpdates(0);

        assertThat(passing(meter(), kind, 1_000_000)).isEqualTo(1_000_000);
    }

    @Test
    void downloadAllowsTheWindowUpdatesThatItNeeds() {
        FloodMeter meter = meter();
        meter.sent(10 << 20);

        assertThat(passing(meter, Kind.WINDOW_UPDATE, 50_000)).isEqualTo(1000 + 10 * 1024 + 4);
        assertThat(passing(meter, Kind.PING, 50_000)).isEqualTo(500 + 10 * 64 + 4);
        assertThat(passing(meter, Kind.SETTINGS, 50_000)).isEqualTo(50);
    }

    /** A gRPC client measures a round trip with each message, and opens windows. */
    @Test
    void smallMessagesAllowThePingsThatTheyCause() {
        FloodMeter meter = meter();
        for (int i = 0; i < 100_000; i++) {
            meter.sent(21);
            assertThat(meter.exceeds(Kind.PING)).isFalse();
            assertThat(meter.exceeds(Kind.WINDOW_UPDATE)).isFalse();
        }
        // a stream that was reset costs more than one answer
        assertThat(passing(meter, Kind.RESET, 5_000)).isEqualTo(200);
    }

    @Test
    void whatADownloadAllowsIsBounded() {
        FloodMeter meter = meter();
        meter.sent(Long.MAX_VALUE / 2);

        assertThat(passing(meter, Kind.WINDOW_UPDATE, 3_000_000)).isEqualTo(1000 + (1 << 20));
    }
}
