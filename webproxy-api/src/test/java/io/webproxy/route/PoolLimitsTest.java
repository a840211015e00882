package io.webproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.time.Duration;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PoolLimitsTest {
    private static final PoolLimits DEFAULTS = PoolLimits.defaults();
    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void idleConnectionsEndBeforeCommonServersCloseThem() {
        assertThat(DEFAULTS.idleTime()).isLessThan(Duration.ofSeconds(5));
    }

    static Stream<Arguments> badValues() {
        return Stream.of(
                bad(l -> l.withConnections(0), "connections: 0 (expected: 1-1000000)"),
                bad(l -> l.withConnections(1000001), "connections: 1000001 (expected: 1-1000000)"),
                bad(l -> l.withQueue(-1, SECOND), "queue: -1 (expected: 0-1000000)"),
                bad(l -> l.withQueue(1000001, SECOND), "queue: 1000001 (expected: 0-1000000)"),
                bad(l -> l.withQueue(1, Duration.ZERO), "queueTime: PT0S (expected: 1 ms to 1 h)"),
                bad(l -> l.withQueue(1, Duration.ofHours(2)), "queueTime: PT2H (expected: 1 ms to 1 h)"),
                bad(l -> l.withIdle(-1, SECOND), "idlePerThread: -1 (expected: 0-100000)"),
                bad(l -> l.withIdle(100001, SECOND), "idlePerThread: 100001 (expected: 0-100000)"),
                bad(l -> l.withIdle(1, Duration.ofNanos(999_999)), "idleTime: PT0.000999999S (expected: 1 ms to 1 h)"),
                bad(l -> l.withIdle(1, Duration.ofHours(2)), "idleTime: PT2H (expected: 1 ms to 1 h)"),
                bad(l -> l.withStreams(0), "streams: 0 (expected: 1-1000)"),
                bad(l -> l.withStreams(1001), "streams: 1001 (expected: 1-1000)"));
    }

    private static Arguments bad(UnaryOperator<PoolLimits> set, String message) {
        return arguments(set, message);
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("badValues")
    void singleBadValueThrowsInItsSetter(UnaryOperator<PoolLimits> set, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> set.apply(DEFAULTS))
                .withMessage("pool." + message);
    }

    @Test
    void eachWithChangesItsValuesOnly() {
        PoolLimits limits = DEFAULTS.withConnections(1)
                .withQueue(0, Duration.ofMillis(1))
                .withIdle(0, Duration.ofHours(1))
                .withStreams(7);

        assertThat(limits)
                .hasToString("PoolLimits[connections=1, queue=0, queueTime=PT0.001S, idlePerThread=0, idleTime=PT1H,"
                        + " streams=7]")
                .isEqualTo(DEFAULTS.withStreams(7)
                        .withIdle(0, Duration.ofHours(1))
                        .withQueue(0, Duration.ofMillis(1))
                        .withConnections(1))
                .hasSameHashCodeAs(limits.withStreams(7))
                .isNotEqualTo(limits.withStreams(8));
        assertThat(DEFAULTS.streams()).isEqualTo(100);
        assertThat(DEFAULTS.connections()).isEqualTo(16_384);
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withQueue(1, null))
                .withMessage("queueTime");
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withIdle(1, null))
                .withMessage("idleTime");
    }
}
