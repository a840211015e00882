package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.OutlierEjection;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class EjectionTest {
    private static final long SECOND = 1_000_000_000L;
    private static final OutlierEjection LIMITS =
            OutlierEjection.defaults().withConnectFailures(3).withTime(Duration.ofSeconds(10));

    private final Ejection ejection = new Ejection();

    private void fail(int times, long now) {
        for (int i = 0; i < times; i++) {
            ejection.failed(LIMITS, now);
        }
    }

    @Test
    void onlyFailuresInARowEject() {
        fail(2, 0);
        ejection.succeeded();
        fail(2, 0);
        assertThat(ejection.isEjected(LIMITS)).isFalse();
        assertThat(ejection.failed(LIMITS, 0)).isTrue();
        assertThat(ejection.isEjected(LIMITS)).isTrue();
        assertThat(ejection.allows(LIMITS, 0)).isFalse();
        assertThat(ejection.failed(LIMITS, 0)).as("it is so already").isFalse();
    }

    @Test
    void oneRequestAtATimeTriesAgain() {
        fail(3, 0);
        assertThat(ejection.allows(LIMITS, 10 * SECOND - 1)).isFalse();
        assertThat(ejection.allows(LIMITS, 10 * SECOND)).isTrue();
        assertThat(ejection.allows(LIMITS, 11 * SECOND)).isFalse();
        // it was never heard of again
        assertThat(ejection.allows(LIMITS, 20 * SECOND)).isTrue();
    }

    @Test
    void failedTrialProlongs() {
        fail(3, 0);
        assertThat(ejection.allows(LIMITS, 10 * SECOND)).isTrue();
        fail(1, 15 * SECOND);
        assertThat(ejection.allows(LIMITS, 24 * SECOND)).isFalse();
        assertThat(ejection.allows(LIMITS, 25 * SECOND)).isTrue();
    }

    @Test
    void successfulTrialEndsIt() {
        fail(3, 0);
        ejection.succeeded();
        assertThat(ejection.allows(LIMITS, 0)).isTrue();
        assertThat(ejection.isEjected(LIMITS)).isFalse();
    }

    @Test
    void zeroIsNever() {
        OutlierEjection never = LIMITS.withConnectFailures(0);
        for (int i = 0; i < 100; i++) {
            assertThat(ejection.failed(never, 0)).isFalse();
        }
        assertThat(ejection.allows(never, 0)).isTrue();
    }
}
