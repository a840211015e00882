package io.webproxy.undertow.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BodyPaceTest {
    private static final long SECOND = 1_000_000_000L;

    private final BodyPace pace = new BodyPace(240, Duration.ofSeconds(20), 0);

    @Test
    void rateCountsOnlyAfterTheGrace() {
        for (int second = 1; second <= 20; second++) {
            assertThat(pace.isTooSlow(second * SECOND, true, 0)).isFalse();
        }
        assertThat(pace.isTooSlow(21 * SECOND, true, 21 * 240 - 1)).isTrue();
        assertThat(pace.isTooSlow(22 * SECOND, true, 22 * 240)).isFalse();
    }

    @Test
    void pauseOfTheUpstreamIsNotTheClientsFault() {
        for (int second = 1; second <= 1000; second++) {
            assertThat(pace.isTooSlow(second * SECOND, second % 100 == 0, 0)).isFalse();
        }
    }

    @Test
    void sleepOfTheMachineIsNotTheClientsFault() {
        assertThat(pace.isTooSlow(3600 * SECOND, true, 0)).isFalse();
    }

    @Test
    void zeroIsNoLimit() {
        BodyPace none = new BodyPace(0, Duration.ZERO, 0);
        for (int second = 1; second <= 1000; second++) {
            assertThat(none.isTooSlow(second * SECOND, true, 0)).isFalse();
        }
    }
}
