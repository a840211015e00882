package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.OutlierEjection;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FailureWindowTest {
    private static final long SECOND = 1_000_000_000L;

    private final FailureWindow window = new FailureWindow(
            OutlierEjection.off()
                    .withFailureShare(0.5)
                    .withLeastRequests(4)
                    .withWindow(Duration.ofSeconds(10))
                    .withTime(Duration.ofSeconds(5)),
            -SECOND);

    private boolean ended(String pattern, long now) {
        boolean paused = false;
        for (char c : pattern.toCharArray()) {
            paused |= window.ended(c == 'x', now);
        }
        return paused;
    }

    @Test
    void shareHasToBeAboveTheLimit() {
        assertThat(ended(".x.x.x.x", 0)).isFalse();
        assertThat(window.isPaused(0)).isFalse();
        assertThat(ended("x", 0)).isTrue();
        assertThat(window.isPaused(0)).isTrue();
    }

    @Test
    void fewRequestsSayNothing() {
        assertThat(ended("xxx", 0)).isFalse();
        assertThat(ended("x", 0)).isTrue();
    }

    @Test
    void whatIsOlderThanTheWindowIsForgotten() {
        assertThat(ended("xxx", 0)).isFalse();
        assertThat(ended("x", 10 * SECOND)).isFalse();
        assertThat(ended("xx", 12 * SECOND)).isFalse();
        assertThat(ended("x", 19 * SECOND)).isTrue();
    }

    @Test
    void afterThePauseItIsCountedAnew() {
        assertThat(ended("xxxx", 0)).isTrue();
        // of requests that had begun before
        assertThat(ended("xxxxxxxx", 4 * SECOND)).isFalse();
        assertThat(window.isPaused(5 * SECOND - 1)).isTrue();
        assertThat(window.isPaused(5 * SECOND)).isFalse();
        assertThat(ended("xxx", 5 * SECOND)).isFalse();
        assertThat(ended("x", 5 * SECOND)).isTrue();
        assertThat(window.isPaused(10 * SECOND - 1)).isTrue();
    }

    @Test
    void allOfThemAreAboveAnyShare() {
        FailureWindow whole = new FailureWindow(
                OutlierEjection.off()
                        .withFailureShare(1)
                        .withLeastRequests(2)
                        .withWindow(Duration.ofSeconds(1))
                        .withTime(Duration.ofSeconds(1)),
                0);
        assertThat(whole.ended(true, 0)).isFalse();
        assertThat(whole.ended(true, 0)).isTrue();
    }
}
