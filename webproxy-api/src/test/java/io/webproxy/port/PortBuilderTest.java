package io.webproxy.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.http.ProxyProtocol;
import io.webproxy.spi.EndpointSettings;
import io.webproxy.spi.PortRule;
import io.webproxy.spi.PortRule.Action;
import io.webproxy.spi.PortRule.Protocol;
import io.webproxy.spi.PortRules;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tunnel.TunnelServer;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PortBuilderTest {
    private static final String TARGET = "127.0.0.1:1";
    private static final Relay RELAY = Relay.to(TARGET);

    private static PortRules rules(Consumer<PortBuilder> some) {
        PortBuilder builder = new PortBuilder();
        some.accept(builder);
        return builder.build();
    }

    private static List<String> names(Consumer<PortBuilder> some) {
        return rules(some).rules().stream().map(PortRule::name).toList();
    }

    private static PortRule rule(Consumer<PortBuilder> one) {
        List<PortRule> all = rules(one).rules();
        assertThat(all).hasSize(1);
        return all.get(0);
    }

    @Test
    void relaysByProtocol() {
        PortRules rules = rules(port -> port.ssh(TARGET)
                .http(TARGET)
                .socks5(TARGET)
                .openVpn(TARGET)
                .postgreSql(TARGET)
                .proxyHeader(TARGET)
                .match("mine", BytePattern.of("05"), TARGET)
                .tls(TARGET));
        assertThat(rules.rules())
                .extracting(PortRule::name)
                .containsExactly("ssh", "http", "socks5", "openvpn", "postgresql", "proxy-header", "mine", "tls");
        assertThat(rules.rules())
                .extracting(PortRule::protocol)
                .containsExactly(
                        Protocol.SSH,
                        Protocol.HTTP,
                        Protocol.SOCKS5,
                        Protocol.OPENVPN,
                        Protocol.POSTGRESQL,
                        Protocol.PROXY_HEADER,
                        Protocol.BYTES,
                        Protocol.TLS);
        assertThat(rules.rules()).allSatisfy(rule -> {
            assertThat(rule.action()).isEqualTo(Action.RELAY);
            assertThat(rule.relay()).contains(RELAY);
            assertThat(rule.inside()).isEmpty();
            assertThat(rule.clients()).isEmpty();
            assertThat(rule.sni()).isEqualTo(Sni.any());
            assertThat(rule).hasToString(rule.name() + "->" + TARGET);
            assertThat(rule.pattern().isPresent()).isEqualTo(rule.protocol() == Protocol.BYTES);
        });
        assertThat(rules.problems()).isEmpty();
        assertThat(rules.hasTls()).isFalse();
        assertThat(rules.hasHttp()).isFalse();
        assertThat(rules.hasRedirect()).isFalse();
        assertThat(rules(port -> port.ssh(RELAY)
                        .http(RELAY)
                        .socks5(RELAY)
                        .openVpn(RELAY)
                        .postgreSql(RELAY)
                        .proxyHeader(RELAY)
                        .match("mine", BytePattern.of("05"), RELAY)
                        .tls(RELAY)))
                .as("the same by relays")
                .isEqualTo(rules)
                .hasSameHashCodeAs(rules);
    }

    @Test
    void whatEndsHere() {
        PortRules rules = rules(port -> port.tls(Sni.of("in.example"), inside -> inside.ssh(TARGET))
                .https(Sni.of("a.example").alpn("h2"))
                .https()
                .redirectHttp());
        assertThat(rules.rules())
                .extracting(PortRule::name)
                .containsExactly("tls:in.example", "https:a.example/h2", "https", "redirect");
        assertThat(rules.rules())
                .extracting(PortRule::action)
                .containsExactly(Action.INSIDE, Action.SERVE, Action.SERVE, Action.REDIRECT);
        assertThat(rules.rules()).allSatisfy(rule -> assertThat(rule.relay()).isEmpty());
        assertThat(rules.rules().get(0).inside().orElseThrow().rules())
                .extracting(PortRule::name)
                .containsExactly("ssh");
        assertThat(rules.problems()).isEmpty();
        assertThat(rules.hasTls()).isTrue();
        assertThat(rules.hasHttp()).isTrue();
        assertThat(rules.hasRedirect()).isTrue();
        assertThat(rules(PortBuilder::http).hasHttp()).isTrue();
        assertThat(rules(PortBuilder::http).hasTls()).isFalse();
        assertThat(rules(PortBuilder::redirectHttp).hasHttp()).isFalse();
        assertThat(rules(port -> port.tls(Sni.any(), inside -> inside.ssh(TARGET)))
                        .hasHttp())
                .as("SSH inside needs no routes")
                .isFalse();
        assertThat(rules)
                .hasToString("tls:in.example->(ssh->127.0.0.1:1), https:a.example/h2->routes, https->routes,"
                        + " redirect->https");
    }

    @Test
    void namesAreMadeUnique() {
        BytePattern five = BytePattern.of("05");
        assertThat(names(port -> port.match("x", five, TARGET)
                        .match("x", five, TARGET)
                        .match("x-2", five, TARGET)
                        .match("x", five, TARGET)))
                .containsExactly("x", "x-2", "x-2-2", "x-3");
        assertThat(names(port ->
                        port.from("10.0.0.0/8", inner -> inner.ssh(TARGET)).ssh(TARGET)))
                .containsExactly("ssh", "ssh-2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a\n", "a=b", "\u00e9", "a,b"})
    void badNamesAreRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PortBuilder().match(name, BytePattern.of("05"), TARGET))
                .withMessage("name: '" + name + "' (expected: 1-64 letters, digits, or one of . _ : * / @ -)");
    }

    /** Counters, limits and logs go by these names: two rules with one name would share them. */
    @Test
    void noRuleHasTheNameOfOneInside() {
        assertThat(new PortBuilder()
                        .tls(Sni.of("a.example").alpn("ssh"), TARGET)
                        .tls(Sni.of("a.example"), inside -> inside.ssh(TARGET))
                        .tls(Sni.of("b.example"), inside -> inside.ssh(TARGET))
                        .match("tls:b.example/ssh", BytePattern.of("05"), TARGET)
                        .match("tls:b.example/silent", BytePattern.of("06"), TARGET)
                        .build()
                        .rules())
                .extracting(PortRule::name)
                .containsExactly(
                        "tls:a.example/ssh",
                        "tls:a.example-2",
                        "tls:b.example",
                        "tls:b.example/ssh-2",
                        "tls:b.example/silent-2");
    }

    @Test
    void longAndReservedNamesAreRefused() {
        BytePattern five = BytePattern.of("05");
        assertThat(names(port -> port.match("a".repeat(64), five, TARGET))).hasSize(1);
        assertThatIllegalArgumentException().isThrownBy(() -> new PortBuilder().match("a".repeat(65), five, TARGET));
        for (String name : new String[] {"silent", "otherwise"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new PortBuilder().match(name, five, TARGET))
                    .withMessage("name: '" + name + "' (expected: another name, for counters and logs use this one)");
        }
    }

    @Test
    void rulesOfSomeClientsAreForThemOnly() throws UnknownHostException {
        PortRules rules = rules(port -> port.from(
                        List.of("10.0.0.0/8", "2001:db8::/32"),
                        inner -> inner.ssh(TARGET)
                                .tls(Sni.any(), inside -> inside.ssh(TARGET))
                                .https()
                                .match("x", BytePattern.of("05"), TARGET)
                                .http())
                .ssh(TARGET));
        List<PortRule> all = rules.rules();
        assertThat(all).hasSize(6);
        for (PortRule rule : all.subList(0, 5)) {
            assertThat(rule.isFor(InetAddress.getByName("10.1.2.3"))).isTrue();
            assertThat(rule.isFor(InetAddress.getByName("::ffff:10.1.2.3"))).isTrue();
            assertThat(rule.isFor(InetAddress.getByName("2001:db8::1"))).isTrue();
            assertThat(rule.isFor(InetAddress.getByName("11.1.2.3"))).isFalse();
        }
        assertThat(all.get(5).isFor(InetAddress.getByName("11.1.2.3"))).isTrue();
        assertThat(all.get(5).clients()).isEmpty();
    }

    @Test
    void fromTakesRangesAndOnlyRules() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PortBuilder().from(List.of(), port -> {}))
                .withMessage("from: none (expected: at least one address or range)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PortBuilder().from("10.0.0.1/8", port -> {}))
                .withMessageContaining("10.0.0.1/8 (expected: ");
        assertWithin("from", port -> port.from("10.0.0.0/8", more -> {}));
        assertWithin("silent", port -> port.silent(TARGET));
        assertWithin("otherwise", port -> port.otherwise(TARGET));
        assertWithin("detectTime", port -> port.detectTime(Duration.ofSeconds(1)));
        assertWithin("name", port -> port.name("x"));
        assertWithin("bind", port -> port.bind("127.0.0.1"));
        assertWithin("proxyProtocol", port -> port.proxyProtocol(ProxyProtocol.OPTIONAL));
        assertWithin("clientCertificates", port -> port.clientCertificates(ClientCertificates.off()));
    }

    private static void assertWithin(String name, Consumer<PortBuilder> setting) {
        PortBuilder builder = new PortBuilder();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.from("192.0.2.0/24", setting))
                .withMessage(name + ": within from [192.0.2.0/24] (expected: outside, for it is for all clients)");
        assertThat(builder.ssh(TARGET).build().rules().get(0).clients())
                .as("what comes after")
                .isEmpty();
    }

    @Test
    void whatNoRuleTakes() {
        PortRules rules =
                rules(port -> port.ssh(TARGET).silent("a:1").otherwise("b:2").detectTime(Duration.ofMillis(10)));
        assertThat(rules.silent()).contains(Relay.to("a:1"));
        assertThat(rules.otherwise()).contains(Relay.to("b:2"));
        assertThat(rules.detectTime()).isEqualTo(Duration.ofMillis(10));
        assertThat(rules).hasToString("ssh->127.0.0.1:1, silent->a:1, otherwise->b:2");
        assertThat(rules)
                .isNotEqualTo(rules(port -> port.ssh(TARGET).silent("a:1").otherwise("b:2")))
                .isNotEqualTo(rules(port -> port.ssh(TARGET).silent("a:1").detectTime(Duration.ofMillis(10))))
                .isNotEqualTo(rules(port -> port.ssh(TARGET).otherwise("b:2").detectTime(Duration.ofMillis(10))));
        PortRules plain = rules(port -> port.ssh(TARGET));
        assertThat(plain.silent()).isEmpty();
        assertThat(plain.otherwise()).isEmpty();
        assertThat(plain.detectTime()).hasSeconds(2);
        assertThat(rules(port -> port.silent(TARGET)).problems()).isEmpty();
        assertThat(rules(port -> port.otherwise(TARGET)).problems()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-1S", "PT0S", "PT0.009999999S", "PT5.000000001S", "PT2562047788015215H"})
    void detectTimeOutOfRangeIsRefused(Duration limit) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PortBuilder().detectTime(limit))
                .withMessage("detectTime: " + limit + " (expected: 10 ms to 5 s)");
    }

    @Test
    void noRulesAreAProblem() {
        assertThat(rules(port -> {}).problems())
                .containsExactly("rules: none (expected: at least one, such as https() or ssh(\"127.0.0.1:22\"))");
        assertThat(rules(port -> port.tls(Sni.of("a.example"), inside -> {})).problems())
                .singleElement()
                .asString()
                .startsWith("tls:a.example: rules: none (expected: ");
    }

    @Test
    void rulesThatNeverTakeAConnectionAreAProblem() {
        assertThat(rules(port -> port.https()
                                .tls(Sni.of("db.example"), TARGET)
                                .redirectHttp()
                                .http()
                                .match("x", BytePattern.of("05"), TARGET)
                                .match("y", BytePattern.of("05"), TARGET)
                                .match("z", BytePattern.of("0506"), TARGET))
                        .problems())
                .containsExactly(
                        "tls:db.example: after https, which takes all of its connections (expected: before it)",
                        "http: after redirect, which takes all of its connections (expected: one of the two)",
                        "y: after x, which takes all of its connections (expected: one of the two)");
        assertThat(rules(port -> port.from("10.0.0.0/8", some -> some.ssh("a:1"))
                                .from("192.0.2.0/24", some -> some.ssh("b:1"))
                                .ssh("c:1")
                                .tls(Sni.any().alpn("h2"), TARGET)
                                .tls(Sni.of("*.example"), TARGET)
                                .tls(Sni.none(), TARGET)
                                .https())
                        .problems())
                .isEmpty();
        TunnelServer tunnels = TunnelServer.agents(Path.of("agents"));
        assertThat(rules(port -> port.https().tunnels(tunnels)).problems())
                .containsExactly(
                        "tunnel-agents: after https, which takes all of its connections (expected: before it)",
                        "tunnels: after https, which takes all of its connections (expected: before it)");
        assertThat(rules(port ->
                                port.https(Sni.of("a.example")).tunnels(tunnels).https())
                        .problems())
                .isEmpty();
        assertThat(rules(port -> port.ssh("c:1").from("10.0.0.0/8", some -> some.ssh("a:1")))
                        .problems())
                .containsExactly("ssh-2: after ssh, which takes all of its connections (expected: before it)");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void loopbackSourceIsRefusedWhereItCannotBe() {
        Relay loopback = RELAY.withLoopbackSource();
        Relay remote = Relay.to("192.0.2.1:22").withLoopbackSource();
        String problem = "loopbackSource: to 192.0.2.1:22 (expected: targets with an IPv4 loopback address, such as"
                + " 127.0.0.1:22)";
        assertThat(rules(port -> port.ssh(loopback).silent(loopback).otherwise(loopback))
                        .problems())
                .isEmpty();
        assertThat(rules(port -> port.ssh(remote)
                                .tls(Sni.of("a.example"), inside -> inside.ssh(remote))
                                .silent(remote)
                                .otherwise(remote))
                        .problems())
                .containsExactly(
                        "ssh: " + problem,
                        "tls:a.example: ssh: " + problem,
                        "silent: " + problem,
                        "otherwise: " + problem);
        assertThat(rules(port -> port.http(loopback)).problems())
                .containsExactly(
                        "http: loopbackSource: on (expected: not for HTTP, whose header fields carry the client's"
                                + " address)");
    }

    @Test
    void rulesWithoutTargetsAreRefused() {
        for (Consumer<PortBuilder> rule : List.<Consumer<PortBuilder>>of(
                port -> port.ssh(),
                port -> port.tls(),
                port -> port.tls(Sni.any()),
                port -> port.socks5(),
                port -> port.openVpn(),
                port -> port.postgreSql(),
                port -> port.proxyHeader(),
                port -> port.match("x", BytePattern.of("05")),
                port -> port.silent(),
                port -> port.otherwise())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> rule.accept(new PortBuilder()))
                    .withMessage("target: none (expected: host:port, such as 127.0.0.1:22)");
        }
    }

    @Test
    void nullsAreRefusedByName() {
        assertNull("targets", port -> port.ssh((String[]) null));
        assertNull("relay", port -> port.ssh((Relay) null));
        assertNull("relay", port -> port.http((Relay) null));
        assertNull("relay", port -> port.tls(Sni.any(), (Relay) null));
        assertNull("inside", port -> port.tls(Sni.any(), (Consumer<InsideBuilder>) null));
        assertNull("sni", port -> port.tls((Sni) null, TARGET));
        assertNull("sni", port -> port.https(null));
        assertNull("relay", port -> port.match("x", BytePattern.of("05"), (Relay) null));
        assertNull("pattern", port -> port.match("x", null, TARGET));
        assertNull("name", port -> port.match(null, BytePattern.of("05"), TARGET));
        assertNull("relay", port -> port.proxyHeader((Relay) null));
        assertNull("silent", port -> port.silent((Relay) null));
        assertNull("otherwise", port -> port.otherwise((Relay) null));
        assertNull("detectTime", port -> port.detectTime(null));
        assertNull("ranges", port -> port.from((List<String>) null, some -> {}));
        assertNull("range", port -> port.from((String) null, some -> {}));
        assertNull("range", port -> port.from(Arrays.asList("10.0.0.0/8", null), some -> {}));
        assertNull("rules", port -> port.from("10.0.0.0/8", null));
        assertNull("name", port -> port.name(null));
        assertNull("proxyProtocol", port -> port.proxyProtocol(null));
        assertNull("clientCertificates", port -> port.clientCertificates(null));
    }

    private static void assertNull(String name, Consumer<PortBuilder> call) {
        assertThatNullPointerException()
                .isThrownBy(() -> call.accept(new PortBuilder()))
                .withMessage(name);
    }

    @Test
    void settingsOfTheEndpoint() {
        PortBuilder builder =
                new PortBuilder().ssh(TARGET).name("one").bind("127.0.0.1").proxyProtocol(ProxyProtocol.REQUIRED);
        EndpointSettings settings = builder.endpoint();
        assertThat(settings.name()).contains("one");
        assertThat(settings.bind()).contains("127.0.0.1");
        assertThat(settings.proxyProtocol()).contains(ProxyProtocol.REQUIRED);
        assertThat(settings.clientCertificates()).isEmpty();
        assertThat(new PortBuilder().endpoint()).isEqualTo(EndpointSettings.defaults());
    }

    @Test
    void builtRulesDoNotChange() {
        PortBuilder builder = new PortBuilder().ssh(TARGET);
        PortRules before = builder.build();
        builder.http();
        assertThat(before.rules()).hasSize(1);
        assertThat(builder.build().rules()).hasSize(2);
    }
}
