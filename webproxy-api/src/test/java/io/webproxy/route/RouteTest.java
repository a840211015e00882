package io.webproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RouteTest {
    private static Route.Builder valid() {
        return Route.builder().forward("http://127.0.0.1:8080");
    }

    @Test
    void heartbeatsPingsAndHalfCloseAreOffUnlessAskedFor() {
        Route route = valid().build();

        assertThat(route.sseHeartbeat()).isZero();
        assertThat(route.webSocketPings()).isZero();
        assertThat(route.halfClose()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT0.1S", "PT0.100000001S", "PT15S", "PT24H"})
    void periodsOfTheRangeAreAllowed(Duration period) {
        assertThat(valid().sseHeartbeat(period).build().sseHeartbeat()).isEqualTo(period);
        assertThat(valid().webSocketPings(period).build().webSocketPings()).isEqualTo(period);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PT-0.000000001S",
                "PT-15S",
                "PT0.000000001S",
                "PT0.099999999S",
                "PT24H0.000000001S",
                "PT2562047788015215H30M7.999999999S",
                "PT-2562047788015215H-30M-8S"
            })
    void periodOutOfRangeIsRefusedWithItsName(Duration period) {
        String range = period + " (expected: 100 ms to 24 h, or 0 for never)";

        assertThatIllegalArgumentException()
                .isThrownBy(() -> valid().sseHeartbeat(period))
                .withMessage("route.sseHeartbeat: " + range);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> valid().webSocketPings(period))
                .withMessage("route.webSocketPings: " + range);
    }

    @Test
    void upgradesAreAddedInAnyCaseAndTakenBack() {
        assertThat(valid().build().upgrades()).isEmpty();
        Route route = valid().allowUpgrade("tcp", "SPDY/3.1")
                .allowUpgrade("TCP", "DERP")
                .build();

        assertThat(route.upgrades()).containsExactlyInAnyOrder("tcp", "spdy/3.1", "derp");
        assertThat(route.toBuilder().build().upgrades()).isEqualTo(route.upgrades());
        assertThat(route.toBuilder().withoutUpgrades().build().upgrades()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "h2c",
                "H2C",
                "h2",
                "HTTP/2.0",
                "http",
                "TLS/1.0",
                "tls",
                "websocket",
                "WebSocket/13",
                "",
                " ",
                "tcp,foo",
                "tcp, foo",
                "t cp",
                "tcp;q=1",
                "/1",
                "tcp/",
                "a/b/c",
                "tcp\r\nX: y",
                "tcp\n",
                "t\u00e9p",
                "*\u212a"
            })
    void upgradeToWhatWouldChangeTheFramingOrIsNoNameIsRefused(String protocol) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> valid().allowUpgrade("tcp", protocol))
                .withMessage("route.allowUpgrade: " + protocol
                        + " (expected: one protocol, such as tcp or SPDY/3.1, but not h2c, HTTP, TLS or websocket)");
    }

    @Test
    void refusedPeriodLeavesTheOneBefore() {
        Route.Builder builder = valid().sseHeartbeat(Duration.ofSeconds(15)).webSocketPings(Duration.ofSeconds(20));

        assertThatIllegalArgumentException().isThrownBy(() -> builder.sseHeartbeat(Duration.ofDays(2)));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.webSocketPings(Duration.ofDays(2)));

        assertThat(builder.build().sseHeartbeat()).isEqualTo(Duration.ofSeconds(15));
        assertThat(builder.build().webSocketPings()).isEqualTo(Duration.ofSeconds(20));
        assertThat(builder.sseHeartbeat(Duration.ZERO).build().sseHeartbeat()).isZero();
    }

    @Test
    void eachKnobIsItsOwn() {
        Route heartbeat = valid().sseHeartbeat(Duration.ofSeconds(1)).build();
        Route pings = valid().webSocketPings(Duration.ofSeconds(1)).build();
        Route halfClose = valid().allowHalfClose().build();

        assertThat(heartbeat.webSocketPings()).isZero();
        assertThat(heartbeat.halfClose()).isFalse();
        assertThat(pings.sseHeartbeat()).isZero();
        assertThat(pings.halfClose()).isFalse();
        assertThat(halfClose.halfClose()).isTrue();
        assertThat(halfClose.sseHeartbeat()).isZero();
        assertThat(halfClose.webSocketPings()).isZero();
    }

    @Test
    void locationsAreRewrittenOnlyWhereAPrefixIs() {
        Route.Builder builder = valid().name("r").path("/a").rewriteLocations();
        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessageStartingWith(
                        "route r: rewriteLocations without stripPrefix() or replacePrefix(…) (expected: one of them");

        assertThat(builder.stripPrefix().build().rewrite().locations()).isTrue();
        assertThat(builder.replacePrefix("/b").build().rewrite().locations()).isTrue();
        assertThat(builder.clearRewrite().build().rewrite().locations()).isFalse();
        assertThat(builder.stripPrefix().build().rewrite().locations()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"$1", "$2x", "${name}", "\\", "a$"})
    void replacementThatNamesNoGroupIsRefused(String replacement) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> valid().rewritePath("^/a", replacement))
                .withMessage("route.rewritePath: " + replacement
                        + " (expected: a replacement whose $ and \\ name groups of ^/a)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/x", "$0", "/$1/${rest}", "\\$"})
    void replacementMayNameGroups(String replacement) {
        assertThat(valid().rewritePath("^/(a|b)(?x) (?<rest>/.*)? # all", replacement)
                        .build()
                        .rewrite()
                        .replacement())
                .isEqualTo(replacement);
    }

    @Test
    void builtRouteIsImmutable() {
        Route.Builder builder = valid();
        Route route = builder.build();
        builder.sseHeartbeat(Duration.ofSeconds(1))
                .webSocketPings(Duration.ofSeconds(1))
                .allowHalfClose();

        assertThat(route.sseHeartbeat()).isZero();
        assertThat(route.webSocketPings()).isZero();
        assertThat(route.halfClose()).isFalse();
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException()
                .isThrownBy(() -> valid().sseHeartbeat(null))
                .withMessage("sseHeartbeat");
        assertThatNullPointerException()
                .isThrownBy(() -> valid().webSocketPings(null))
                .withMessage("webSocketPings");
    }
}
