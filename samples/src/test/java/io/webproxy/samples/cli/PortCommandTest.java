package io.webproxy.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.port.Relay;
import io.webproxy.spi.PortRule;
import io.webproxy.spi.PortRules;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What becomes of the options: the rules, their order, and which options hold for which rule. */
class PortCommandTest {
    private static ProxyConfig config(String options) {
        PortCommand command = new PortCommand();
        new CommandLine(command)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .parseArgs(("--listen 2222 " + options).split(" "));
        ProxyConfig.Builder builder = ProxyServer.builder();
        command.configure(builder);
        return builder.build();
    }

    private static PortRules rules(String options) {
        return config(options).listens().get(0).rules().orElseThrow();
    }

    @Test
    void namesGoBeforeWildcardsAndTheseBeforeOtherTls() {
        PortRules rules =
                rules("--otherwise h:9 --match b:02=h:8 --match a:01=h:7 --postgresql h:6 --openvpn h:5 --socks5 h:4"
                        + " --http here --tls here --inside-ssh *.c.example=h:3 --inside-ssh d.example=h:2 --pass-through"
                        + " *.a.example=h:1 --pass-through b.example=h:1,h:2 --ssh h:22,h:23 --on-timeout h:22"
                        + " --internal-port 8080");

        assertThat(rules.rules().stream().map(PortRule::toString))
                .containsExactly(
                        "ssh->h:22,h:23",
                        "tls:b.example->h:1,h:2",
                        "tls:d.example->(ssh->h:2, silent->h:2)",
                        "tls:*.a.example->h:1",
                        "tls:*.c.example->(ssh->h:3, silent->h:3)",
                        "https->routes",
                        "http->routes",
                        "socks5->h:4",
                        "openvpn->h:5",
                        "postgresql->h:6",
                        "b->h:8",
                        "a->h:7");
        assertThat(rules.silent()).contains(Relay.to("h:22"));
        assertThat(rules.otherwise()).contains(Relay.to("h:9"));
        assertThat(rules.detectTime()).isEqualTo(Duration.ofSeconds(2));
    }

    @Test
    void clientWithinTlsThatWaitsForTheServerGetsSshToo() {
        PortRules rules = rules("--inside-ssh a.example=127.0.0.1:22 --detect-time 300ms --loopback-source --tls here"
                + " --internal-port 8080");

        PortRules inside = rules.rules().get(0).inside().orElseThrow();
        Relay expected = Relay.to("127.0.0.1:22").withLoopbackSource();
        assertThat(inside.rules()).first().extracting(PortRule::relay).hasToString("Optional[" + expected + "]");
        assertThat(inside.silent()).contains(expected);
        assertThat(inside.detectTime()).isEqualTo(Duration.ofMillis(300));
        assertThat(rules.detectTime()).isEqualTo(Duration.ofMillis(300));
    }

    @Test
    void bytesMayStandFurtherOnAndCountInPart() {
        assertThat(rules("--match a:05/0f@3=h:1").rules().get(0).pattern().orElseThrow())
                .hasToString("05&0f@3");
    }

    @ParameterizedTest
    @CsvSource({"--http HERE,http->routes", "--http redirect,redirect->https", "--http h:80,http->h:80"})
    void httpGoesHereIsRedirectedOrRelayed(String option, String rule) {
        assertThat(rules(option + " --tls here --to http://127.0.0.1:1").rules())
                .last()
                .hasToString(rule);
    }

    private static final String LOCAL =
            "--ssh 127.0.0.1:22 --on-timeout 127.0.0.1:23 --inside-ssh i.example=127.0.0.1:24 --http 127.0.0.1:1 --tls"
                    + " 127.0.0.1:2 --pass-through p.example=127.0.0.1:3 --match m:05=127.0.0.1:4 --socks5 127.0.0.1:5"
                    + " --openvpn 127.0.0.1:6 --postgresql 127.0.0.1:7 --otherwise 127.0.0.1:8";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--new-per-minute 7|ssh inside silent",
                "--loopback-source|ssh inside silent",
                "--proxy-protocol V2|tls:p.example tls http m otherwise",
            })
    void optionForSeveralTargetsIsForThoseThatItSuits(String option, String expected) {
        assertThat(having(rules(LOCAL + " " + option), PortCommandTest::isSet)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--ssh 127.0.0.1:22 --inside-ssh i.example=h:22 --loopback-source|ssh",
                "--ssh 127.0.0.1:22 --http here --internal-port 1 --proxy-protocol v1|ssh",
                "--socks5 h:1 --proxy-protocol v1|socks5",
                "--otherwise h:1,h:2 --on-timeout h:2 --ssh h:3 --proxy-protocol v2|silent otherwise",
                "--tls h:1 --ssh h:1,h:2 --pass-through a.example=h:3 --on-timeout h:3 --proxy-protocol v2"
                        + "|tls:a.example tls silent",
                "--http h:1 --otherwise h:2 --new-per-minute 7|http otherwise",
                "--http 127.0.0.1:1 --match m:05=127.0.0.1:2 --otherwise h:3 --loopback-source|m",
            })
    void itIsForOthersWhereThereIsNoneOfThese(String options, String expected) {
        assertThat(having(rules(options), PortCommandTest::isSet)).isEqualTo(expected);
    }

    private static boolean isSet(Relay relay) {
        return relay.newConnectionsPerMinute() == 7
                || relay.loopbackSource()
                || relay.proxyProtocol().isPresent();
    }

    /** The names of the rules whose relay is such a one, in order. */
    private static String having(PortRules rules, Predicate<Relay> such) {
        Map<String, Relay> relays = new LinkedHashMap<>();
        for (PortRule rule : rules.rules()) {
            rule.relay().ifPresent(relay -> relays.put(rule.name(), relay));
            rule.inside()
                    .ifPresent(inside -> relays.put("inside", inside.silent().orElseThrow()));
        }
        rules.silent().ifPresent(relay -> relays.put("silent", relay));
        rules.otherwise().ifPresent(relay -> relays.put("otherwise", relay));
        relays.values().removeIf(such.negate());
        return String.join(" ", relays.keySet());
    }
}
