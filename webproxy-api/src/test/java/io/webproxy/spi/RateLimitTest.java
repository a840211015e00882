package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateLimitTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void burstIsTheWholeAmountUnlessGiven() {
        assertThat(RateLimit.of(10, SECOND)).hasToString("RateLimit[requests=10, per=PT1S, burst=10]");
        assertThat(RateLimit.of(10, SECOND).withBurst(3)).hasToString("RateLimit[requests=10, per=PT1S, burst=3]");
    }

    @Test
    void limitsAreEqualByTheirValues() {
        assertThat(RateLimit.of(10, SECOND))
                .isEqualTo(RateLimit.of(10, Duration.ofMillis(1000)).withBurst(10))
                .hasSameHashCodeAs(RateLimit.of(10, SECOND))
                .isNotEqualTo(RateLimit.of(9, SECOND).withBurst(10))
                .isNotEqualTo(RateLimit.of(10, Duration.ofSeconds(2)))
                .isNotEqualTo(RateLimit.of(10, SECOND).withBurst(9));
    }

    @Test
    void badValuesAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RateLimit.of(0, SECOND))
                .withMessage("rateLimit.requests: 0 (expected: 1-1000000)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RateLimit.of(1, SECOND).withBurst(1_000_001))
                .withMessage("rateLimit.burst: 1000001 (expected: 1-1000000)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RateLimit.of(1, Duration.ZERO))
                .withMessage("rateLimit.per: PT0S (expected: 1 ms to 24 h)");
        assertThatNullPointerException().isThrownBy(this::withoutPer).withMessage("per");
    }

    @SuppressWarnings("NullAway")
    private void withoutPer() {
        RateLimit.of(1, null);
    }
}
