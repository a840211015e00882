package io.webproxy.undertow.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class FailureThrottleTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final FailureThrottle throttle = new FailureThrottle();

    @Test
    void tokensComeBackOneEachSecondAndNoMoreThanTen() {
        long now = Long.MAX_VALUE - SECOND;
        for (int i = 0; i < 10; i++) {
            assertThat(throttle.take("a", now)).isZero();
        }
        assertThat(throttle.take("a", now)).isEqualTo(SECOND);
        assertThat(throttle.take("a", now + SECOND / 4)).isEqualTo(SECOND * 3 / 4);
        now += 3600 * SECOND; // beyond where nanoTime wraps
        for (int i = 0; i < 10; i++) {
            assertThat(throttle.take("a", now)).isZero();
        }
        assertThat(throttle.take("a", now)).isPositive();
    }

    @Test
    void refusedAttemptTakesNothing() {
        for (int i = 0; i < 1000; i++) {
            throttle.take("a", 0);
        }
        assertThat(throttle.take("a", SECOND)).isZero();
    }

    @Test
    void floodOfAddressesForgetsTheOldestOnly() {
        for (int i = 0; i < 10; i++) {
            throttle.take("old", 0);
            throttle.take("young", 0);
        }
        for (int i = 0; i < 99_998; i++) {
            throttle.take(i, 0);
        }
        assertThat(throttle.take("young", 0)).isPositive();
        throttle.take("one", 0);
        throttle.take("two", 0);
        assertThat(throttle.take("young", 0)).isPositive();
        assertThat(throttle.take("old", 0)).isZero();
    }
}
