package io.webproxy.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.Certificates;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(LeakCheck.class)
class StartLinesTest {
    private static ProxyConfig.Builder builder() {
        return ProxyServer.builder().bind("127.0.0.1").drainTime(Duration.ZERO);
    }

    @Test
    void fiveLinesSayWhatIsServedAndWhatIsNot() {
        try (ProxyServer proxy = builder()
                .https(0)
                .certificates(Certificates.selfSigned("localhost", "127.0.0.1"))
                .forward("http://127.0.0.1:1", "http://127.0.0.1:2")
                .start()) {
            List<String> lines = new StartLines(proxy, true, "http://127.0.0.1:9091/")
                    .lines(Terminal.PLAIN, upstream -> upstream.port() == 2);
            assertThat(lines)
                    .satisfiesExactly(
                            line -> assertThat(line).isEqualTo("  Open         " + proxy.uri()),
                            line -> assertThat(line)
                                    .matches("  Certificate  localhost and 1 more, [0-9]+ days left; self-signed:"
                                            + " browsers warn, --acme or --cert helps"),
                            line -> assertThat(line).matches("  TLS          by (Conscrypt|JDK)"),
                            line -> assertThat(line)
                                    .isEqualTo("  Upstream     http://127.0.0.1:1 doesn't accept connections: start it,"
                                            + " or correct its address; until then requests get 502 or 504"),
                            line -> assertThat(line).isEqualTo("  Status page  http://127.0.0.1:9091/"));
        }
    }

    @Test
    void coloursAndLinksAreForTerminalsThatHaveThem() {
        try (ProxyServer proxy = builder().http(0).forward("http://127.0.0.1:1").start()) {
            StartLines lines = new StartLines(proxy, false, null);
            assertThat(lines.lines(new Terminal(true, true), upstream -> true))
                    .satisfies(all -> assertThat(all.get(0))
                            .endsWith("\u001b]8;;" + proxy.uri() + "\u001b\\" + proxy.uri() + "\u001b]8;;\u001b\\"))
                    .satisfies(all -> assertThat(all.get(1)).contains("\u001b[33mnone: what passes can be read"))
                    .satisfies(all -> assertThat(all.get(3))
                            .endsWith("\u001b[32mhttp://127.0.0.1:1 accepts connections\u001b[0m"));
            assertThat(String.join("", lines.lines(Terminal.PLAIN, upstream -> true)))
                    .doesNotContain("\u001b")
                    .contains("TLS          none", "Status page  none");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "xterm-256color, '', true, true",
        "xterm-256color, 1, false, true",
        "linux, '', true, false",
        "dumb, '', false, false",
        "'', '', false, false"
    })
    void theEnvironmentSaysWhatATerminalShows(String kind, String noColor, boolean colours, boolean links) {
        assertThat(Terminal.of(Map.of("TERM", kind, "NO_COLOR", noColor))).isEqualTo(new Terminal(colours, links));
        assertThat(Terminal.of(Map.of())).isEqualTo(Terminal.PLAIN);
    }
}
