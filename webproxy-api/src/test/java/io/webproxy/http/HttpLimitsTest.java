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
                .hasToString("HttpLimits[requestHeadBytes=32768, requestTargetBytes=16384, fields=200, "
                        + "requestBodyBytes=0, requestBodyRate=240, requestBodyGrace=PT20S, responseHeadBytes=65536, "
                        + "headTime=PT10S, keepAliveTime=PT1M15S]");
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
                .hasToString("HttpLimits[requestHeadBytes=1024, requestTargetBytes=64, fields=10, "
                        + "requestBodyBytes=9223372036854775807, requestBodyRate=0, requestBodyGrace=PT0S, "
                        + "responseHeadBytes=1048576, headTime=PT0.001S, keepAliveTime=PT24H]");
        assertThat(DEFAULTS.fields()).isEqualTo(200);
    }

    static Stream<UnaryOperator<HttpLimits>> changes() {
        return Stream.of(
                l -> l.withRequestHeadBytes(1024),
                l -> l.withRequestTargetBytes(64),
                l -> l.withFields(10),
                l -> l.withRequestBodyBytes(1),
                l -> l.withRequestBodyRate(1, DEFAULTS.requestBodyGrace()),
                l -> l.withRequestBodyRate(DEFAULTS.requestBodyRate(), Duration.ZERO),
                l -> l.withResponseHeadBytes(1024),
                l -> l.withHeadTime(Duration.ofMillis(1)),
                l -> l.withKeepAliveTime(Duration.ofMillis(1)));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void limitsAreEqualByTheirValues(UnaryOperator<HttpLimits> change) {
        HttpLimits changed = change.apply(DEFAULTS);

        assertThat(changed).isNotEqualTo(DEFAULTS);
        assertThat(changed).isEqualTo(change.apply(DEFAULTS)).hasSameHashCodeAs(change.apply(DEFAULTS));
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
