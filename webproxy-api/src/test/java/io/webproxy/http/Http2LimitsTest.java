package io.webproxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class Http2LimitsTest {
    private static final Http2Limits DEFAULTS = Http2Limits.defaults();

    @Test
    void defaultsAreThoseOfTheReadme() {
        assertThat(DEFAULTS)
                .hasToString("Http2Limits[streams=128, resets=200, refusals=1000, pings=500, settings=50, "
                        + "emptyData=100, priorities=1000, windowUpdates=1000]");
    }

    static Stream<Arguments> badValues() {
        return Stream.of(
                bad(l -> l.withStreams(0), "streams: 0 (expected: 1-1000)"),
                bad(l -> l.withStreams(1001), "streams: 1001 (expected: 1-1000)"),
                bad(l -> l.withResets(-1), "resets: -1 (expected: 0-1000000)"),
                bad(l -> l.withRefusals(-1), "refusals: -1 (expected: 0-1000000)"),
                bad(l -> l.withPings(-1), "pings: -1 (expected: 0-1000000)"),
                bad(l -> l.withSettings(1_000_001), "settings: 1000001 (expected: 0-1000000)"),
                bad(l -> l.withEmptyData(-1), "emptyData: -1 (expected: 0-1000000)"),
                bad(l -> l.withPriorities(-1), "priorities: -1 (expected: 0-1000000)"),
                bad(l -> l.withWindowUpdates(-1), "windowUpdates: -1 (expected: 0-1000000)"));
    }

    private static Arguments bad(UnaryOperator<Http2Limits> set, String message) {
        return arguments(set, message);
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("badValues")
    void singleBadValueThrowsInItsSetter(UnaryOperator<Http2Limits> set, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> set.apply(DEFAULTS))
                .withMessage("http2." + message);
    }

    @Test
    void eachWithChangesOneValueOnly() {
        assertThat(DEFAULTS.withStreams(1)
                        .withResets(2)
                        .withRefusals(3)
                        .withPings(4)
                        .withSettings(5)
                        .withEmptyData(6)
                        .withPriorities(7)
                        .withWindowUpdates(0))
                .hasToString("Http2Limits[streams=1, resets=2, refusals=3, pings=4, settings=5, emptyData=6, "
                        + "priorities=7, windowUpdates=0]");
    }

    static Stream<UnaryOperator<Http2Limits>> changes() {
        return Stream.of(
                l -> l.withStreams(1),
                l -> l.withResets(1),
                l -> l.withRefusals(1),
                l -> l.withPings(1),
                l -> l.withSettings(1),
                l -> l.withEmptyData(1),
                l -> l.withPriorities(1),
                l -> l.withWindowUpdates(1));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void limitsAreEqualByTheirValues(UnaryOperator<Http2Limits> change) {
        Http2Limits changed = change.apply(DEFAULTS);

        assertThat(changed).isNotEqualTo(DEFAULTS);
        assertThat(changed).isEqualTo(change.apply(DEFAULTS)).hasSameHashCodeAs(change.apply(DEFAULTS));
    }
}
