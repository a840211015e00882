package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.HostPattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may announce what, line by line. */
class AgentsFileTest {
    private static final String A = "sha256:" + "a1".repeat(32);
    private static final String B = "sha256:" + "b2".repeat(32);

    @Test
    void linesSayWhoMayAnnounceWhat() {
        AgentsFile.Parsed parsed = AgentsFile.parse("# agents\r\n\n  alice "
                + A.toUpperCase(java.util.Locale.ROOT).replace("SHA", "sha")
                + "\tnames=DB.example.com.,*.Inner.example.com ports=6022,7000-7010 shared\nbob " + B + " ports=1\n");
        assertThat(parsed.problems()).isEmpty();
        AgentEntry alice = parsed.agents().get(0);
        assertThat(alice.name()).isEqualTo("alice");
        assertThat(alice.fingerprint()).isEqualTo(A);
        assertThat(alice.shared()).isTrue();
        assertThat(alice.allows(HostPattern.of("db.example.com"))).isTrue();
        assertThat(alice.allows(HostPattern.of("*.inner.example.com"))).isTrue();
        assertThat(alice.allows(HostPattern.of("x.inner.example.com"))).isTrue();
        assertThat(alice.allows(HostPattern.of("x.y.inner.example.com"))).isFalse();
        assertThat(alice.allows(HostPattern.of("*.x.inner.example.com"))).isFalse();
        assertThat(alice.allows(HostPattern.of("inner.example.com"))).isFalse();
        assertThat(alice.allows(6022)).isTrue();
        assertThat(alice.allows(7005)).isTrue();
        assertThat(alice.allows(7011)).isFalse();
        assertThat(parsed.agents().get(1).shared()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "alice | no fingerprint (expected: sha256: and 64 hexadecimal digits)",
                "alice sha256:12 names=a.b | sha256:12 (expected: sha256: and 64 hexadecimal digits)",
                "alice FP | alice (expected: names=… or ports=… after the fingerprint)",
                "alice FP names=* | * (expected: a server name such as db.example.com, or *.example.com)",
                "alice FP names=*.com | *.com (expected: a wildcard below a domain, such as *.example.com, not all of"
                        + " a top-level domain)",
                "alice FP names=a.*.com | a.*.com (expected: a server name such as db.example.com, or *.example.com)",
                "alice FP names=a.b, | (expected: a server name such as db.example.com, or *.example.com)",
                "alice FP names=192.0.2.1 | 192.0.2.1 (expected: a server name such as db.example.com, or"
                        + " *.example.com)",
                "alice FP names=a.b:443 | a.b:443 (expected: a server name such as db.example.com, or *.example.com)",
                "alice FP ports=0 | 0 (expected: a port such as 6022, or ports such as 6000-6010)",
                "alice FP ports=70000 | 70000 (expected: a port such as 6022, or ports such as 6000-6010)",
                "alice FP ports=9-5 | 9-5 (expected: a port such as 6022, or ports such as 6000-6010)",
                "alice FP names=a.b all | all (expected: names=…, ports=… or shared)",
                "-x FP names=a.b | -x (expected: a name of 1-64 letters, digits, dots, hyphens or underscores)"
            })
    void badLineIsOneSentence(String line, String sentence) {
        AgentsFile.Parsed parsed = AgentsFile.parse("\n" + line.replace("FP", A));
        assertThat(parsed.problems())
                .singleElement()
                .asString()
                .startsWith("line 2: ")
                .endsWith(sentence);
    }

    @Test
    void fingerprintsAndNamesAreUniqueAndEveryBadLineIsReported() {
        AgentsFile.Parsed parsed = AgentsFile.parse("a " + A + " ports=1\nb " + A + " ports=2\na " + B + " ports=3\n?");
        assertThat(parsed.problems())
                .containsExactly(
                        "line 2: " + A + ", as in line 1 (expected: each fingerprint only once)",
                        "line 3: a, as in line 1 (expected: each agent's name only once)",
                        "line 4: ? (expected: a name of 1-64 letters, digits, dots, hyphens or underscores)");
    }
}
