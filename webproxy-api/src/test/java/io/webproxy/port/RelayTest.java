package io.webproxy.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.spi.ProxyHeaderVersion;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RelayTest {
    private static final Relay PLAIN = Relay.to("127.0.0.1:22");

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:22, 127.0.0.1, 22, 127.0.0.1:22",
        "localhost:1, localhost, 1, localhost:1",
        "DB.Example.com.:65535, db.example.com, 65535, db.example.com:65535",
        "my_service:80, my_service, 80, my_service:80",
        "bücher.example:80, xn--bcher-kva.example, 80, xn--bcher-kva.example:80",
        "[::1]:22, ::1, 22, [::1]:22",
        "[2001:DB8:0::1]:22, 2001:db8::1, 22, [2001:db8::1]:22"
    })
    void targetsAreReadWithoutALookup(String target, String host, int port, String text) {
        Relay relay = Relay.to(target);
        assertThat(relay.targets()).containsExactly(InetSocketAddress.createUnresolved(host, port));
        assertThat(relay.targets().get(0).isUnresolved()).isTrue();
        assertThat(relay).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "22",
                ":22",
                "a",
                "a:",
                "a:0",
                "a:65536",
                "a:99999",
                "a:123456",
                "a:-1",
                "a:+1",
                "a:22 ",
                " a:22",
                "a b:22",
                "a,b:22",
                "a:1:2",
                "::1:22",
                "[::1]",
                "[::1]:",
                "[a]:22",
                "[127.0.0.1]:22",
                "[::1:22",
                "a/b:22",
                "u@a:22",
                "tcp://a:22",
                "*:22",
                "*.a:22",
                "..:22",
                "-a:22",
                "256.0.0.1:22",
                "127.1:22",
                "2130706433:22",
                "a:\u0662\u0662"
            })
    void whatIsNoHostAndPortIsRefused(String target) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Relay.to("a:1", target))
                .withMessage(
                        "target: '" + target + "' (expected: host:port, such as 127.0.0.1:22 or [2001:db8::1]:22)");
    }

    @Test
    void aRelayHasATarget() {
        assertThatIllegalArgumentException()
                .isThrownBy(Relay::to)
                .withMessage("target: none (expected: host:port, such as 127.0.0.1:22)");
        assertThatNullPointerException()
                .isThrownBy(() -> Relay.to((String[]) null))
                .withMessage("targets");
        assertThatNullPointerException().isThrownBy(() -> Relay.to("a:1", null)).withMessage("target");
    }

    @Test
    void defaults() {
        assertThat(PLAIN.proxyProtocol()).isEmpty();
        assertThat(PLAIN.loopbackSource()).isFalse();
        assertThat(PLAIN.connectTime()).isEqualTo(Duration.ofSeconds(5));
        assertThat(PLAIN.idleTime()).isZero();
        assertThat(PLAIN.connections()).isEqualTo(32_768);
        assertThat(PLAIN.connectionsPerAddress()).isEqualTo(8_192);
        assertThat(PLAIN.newConnectionsPerMinute()).isZero();
        assertThat(PLAIN.problems()).isEmpty();
    }

    @Test
    void optionsAddUpAndChangeNothingElse() {
        Relay all = Relay.to("b:2", "a:1")
                .withProxyProtocol(2)
                .withLoopbackSource()
                .withConnectTime(Duration.ofSeconds(1))
                .withIdleTime(Duration.ofMinutes(1))
                .withConnections(3)
                .withConnectionsPerAddress(2)
                .withNewConnectionsPerMinute(1);
        assertThat(all).hasToString("b:2,a:1");
        assertThat(all.proxyProtocol()).contains(ProxyHeaderVersion.V2);
        assertThat(all.loopbackSource()).isTrue();
        assertThat(all.connectTime()).isEqualTo(Duration.ofSeconds(1));
        assertThat(all.idleTime()).isEqualTo(Duration.ofMinutes(1));
        assertThat(all.connections()).isEqualTo(3);
        assertThat(all.connectionsPerAddress()).isEqualTo(2);
        assertThat(all.newConnectionsPerMinute()).isEqualTo(1);
        assertThat(PLAIN).as("immutable").isEqualTo(Relay.to("127.0.0.1:22"));
    }

    @Test
    void differentInAnyOptionIsDifferent() {
        assertThat(PLAIN).hasSameHashCodeAs(Relay.to("127.0.0.1:22")).isNotEqualTo("127.0.0.1:22");
        for (Relay other : List.of(
                Relay.to("127.0.0.1:23"),
                Relay.to("127.0.0.1:22", "127.0.0.1:23"),
                PLAIN.withProxyProtocol(1),
                PLAIN.withLoopbackSource(),
                PLAIN.withConnectTime(Duration.ofSeconds(1)),
                PLAIN.withIdleTime(Duration.ofSeconds(1)),
                PLAIN.withConnections(1),
                PLAIN.withConnectionsPerAddress(1),
                PLAIN.withNewConnectionsPerMinute(1))) {
            assertThat(other).isNotEqualTo(PLAIN);
        }
        assertThat(PLAIN.withConnections(32_768)).isEqualTo(PLAIN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-1S", "PT0S", "PT0.009999999S", "P365DT0.000000001S", "PT2562047788015215H"})
    void connectTimeOutOfRangeIsRefused(Duration limit) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PLAIN.withConnectTime(limit))
                .withMessage("connectTime: " + limit + " (expected: 10 ms to 365 days)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-1S", "PT0.999999999S", "P365DT0.000000001S", "PT2562047788015215H"})
    void idleTimeOutOfRangeIsRefused(Duration limit) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PLAIN.withIdleTime(limit))
                .withMessage("idleTime: " + limit + " (expected: zero, or 1 s to 365 days)");
    }

    @Test
    void limitsOfDurationsAreIncluded() {
        assertThat(PLAIN.withConnectTime(Duration.ofMillis(10))
                        .withConnectTime(Duration.ofDays(365))
                        .connectTime())
                .hasDays(365);
        assertThat(PLAIN.withIdleTime(Duration.ofSeconds(1))
                        .withIdleTime(Duration.ofDays(365))
                        .idleTime())
                .hasDays(365);
        assertThat(PLAIN.withIdleTime(Duration.ofSeconds(1)).withIdleTime(Duration.ZERO))
                .isEqualTo(PLAIN);
    }

    @Test
    void countsOutOfRangeAreRefused() {
        assertCount("connections", PLAIN::withConnections);
        assertCount("connectionsPerAddress", PLAIN::withConnectionsPerAddress);
        assertCount("newConnectionsPerMinute", PLAIN::withNewConnectionsPerMinute);
    }

    private static void assertCount(String name, IntFunction<Relay> option) {
        for (int value : new int[] {-1, Integer.MIN_VALUE, 10_000_001, Integer.MAX_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> option.apply(value))
                    .withMessage(name + ": " + value + " (expected: 0-10000000)");
        }
        assertThat(option.apply(0)).isNotNull();
        assertThat(option.apply(10_000_000)).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 3})
    void headersOfOtherVersionsAreRefused(int version) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PLAIN.withProxyProtocol(version))
                .withMessage("proxyProtocol: " + version + " (expected: 1 or 2)");
    }

    @Test
    void nullsAreRefusedByName() {
        assertThatNullPointerException()
                .isThrownBy(() -> PLAIN.withConnectTime(null))
                .withMessage("connectTime");
        assertThatNullPointerException()
                .isThrownBy(() -> PLAIN.withIdleTime(null))
                .withMessage("idleTime");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void loopbackSourceIsOnlyForLoopbackTargetsOfIpv4() {
        assertThat(Relay.to("127.0.0.1:22", "127.9.9.9:22").withLoopbackSource().problems())
                .isEmpty();
        for (String target : new String[] {"10.0.0.1:22", "localhost:22", "[::1]:22"}) {
            assertThat(Relay.to("127.0.0.1:22", target).withLoopbackSource().problems())
                    .containsExactly("loopbackSource: to " + target
                            + " (expected: targets with an IPv4 loopback address, such as 127.0.0.1:22)");
        }
    }
}
