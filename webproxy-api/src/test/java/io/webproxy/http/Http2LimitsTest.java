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
        assertThat(DEFAULTS).isEqualTo(new Http2Limits(128, 200, 1000, 500, 50, 100, 1000, 1000));
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
                .isEqualTo(new Http2Limits(1, 2, 3, 4, 5, 6, 7, 0));
    }
}
