package io.webproxy.http;

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

class HttpLimitsTest {
    private static final HttpLimits DEFAULTS = HttpLimits.defaults();

    @Test
    void defaultsAreThoseOfTheHostileInputTable() {
        assertThat(DEFAULTS)
                .isEqualTo(new HttpLimits(
                        32768,
                        16384,
                        200,
                        0,
                        240,
                        Duration.ofSeconds(20),
                        65536,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(75)));
    }

    static Stream<Arguments> badValues() {
        return Stream.of(
                bad(l -> l.withRequestHeadBytes(1023), "requestHeadBytes: 1023 (expected: 1024-1048576)"),
                bad(l -> l.withRequestHeadBytes(1048577), "requestHeadBytes: 1048577 (expected: 1024-1048576)"),
                bad(l -> l.withRequestTargetBytes(63), "requestTargetBytes: 63 (expected: 64-65536)"),
                bad(l -> l.withRequestTargetBytes(65537), "requestTargetBytes: 65537 (expected: 64-65536)"),
                bad(l -> l.withFields(9), "fields: 9 (expected: 10-10000)"),
                bad(l -> l.withFields(10001), "fields: 10001 (expected: 10-10000)"),
                bad(l -> l.withRequestBodyBytes(-1), "requestBodyBytes: -1 (expected: 0-9223372036854775807)"),
                bad(l -> l.withRequestBodyRate(-1, Duration.ZERO), "requestBodyRate: -1 (expected: 0-1073741824)"),
                bad(
                        l -> l.withRequestBodyRate((1 << 30) + 1, Duration.ZERO),
                        "requestBodyRate: 1073741825 (expected: 0-1073741824)"),
                bad(
                        l -> l.withRequestBodyRate(1, Duration.ofMillis(-1)),
                        "requestBodyGrace: PT-0.001S (expected: zero to 1 h)"),
                bad(
                        l -> l.withRequestBodyRate(1, Duration.ofHours(2)),
                        "requestBodyGrace: PT2H (expected: zero to 1 h)"),
                bad(l -> l.withResponseHeadBytes(1023), "responseHeadBytes: 1023 (expected: 1024-1048576)"),
                bad(l -> l.withResponseHeadBytes(1048577), "responseHeadBytes: 1048577 (expected: 1024-1048576)"),
                bad(l -> l.withHeadTime(Duration.ZERO), "headTime: PT0S (expected: 1 ms to 1 h)"),
                bad(l -> l.withHeadTime(Duration.ofMillis(-1)), "headTime: PT-0.001S (expected: 1 ms to 1 h)"),
                bad(l -> l.withHeadTime(Duration.ofHours(2)), "headTime: PT2H (expected: 1 ms to 1 h)"),
                bad(l -> l.withKeepAliveTime(Duration.ZERO), "keepAliveTime: PT0S (expected: 1 ms to 24 h)"),
                bad(l -> l.withKeepAliveTime(Duration.ofDays(2)), "keepAliveTime: PT48H (expected: 1 ms to 24 h)"));
    }

    private static Arguments bad(UnaryOperator<HttpLimits> set, String message) {
        return arguments(set, message);
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("badValues")
    void singleBadValueThrowsInItsSetter(UnaryOperator<HttpLimits> set, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> set.apply(DEFAULTS))
                .withMessage("limits." + message);
    }

    @Test
    void eachWithChangesOneValueOnly() {
        HttpLimits limits = DEFAULTS.withRequestHeadBytes(1024)
                .withRequestTargetBytes(64)
                .withFields(10)
                .withRequestBodyBytes(Long.MAX_VALUE)
                .withRequestBodyRate(0, Duration.ZERO)
                .withResponseHeadBytes(1 << 20)
                .withHeadTime(Duration.ofMillis(1))
                .withKeepAliveTime(Duration.ofDays(1));

        assertThat(limits)
                .isEqualTo(new HttpLimits(
                        1024,
                        64,
                        10,
                        Long.MAX_VALUE,
                        0,
                        Duration.ZERO,
                        1 << 20,
                        Duration.ofMillis(1),
                        Duration.ofDays(1)));
        assertThat(DEFAULTS.fields()).isEqualTo(200);
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withHeadTime(null))
                .withMessage("headTime");
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withRequestBodyRate(1, null))
                .withMessage("requestBodyGrace");
        assertThatNullPointerException()
                .isThrownBy(() -> DEFAULTS.withKeepAliveTime(null))
                .withMessage("keepAliveTime");
    }
}
