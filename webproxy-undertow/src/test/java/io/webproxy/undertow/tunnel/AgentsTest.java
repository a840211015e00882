package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of agents when their file changes in a way that nobody means. */
@ExtendWith(LeakCheck.class)
class AgentsTest {
    private static final String LINE = "a sha256:" + "0".repeat(64) + " names=a.example.com\n";

    @TempDir
    private Path directory;

    private Path file;
    private Agents agents;

    @BeforeEach
    void write() throws IOException {
        file = directory.resolve("agents");
        Files.writeString(file, LINE);
        agents = new Agents(file);
    }

    @Test
    void fileThatAnEditorHasJustEmptiedRemovesNobody() throws Exception {
        Files.writeString(file, "");
        assertThat(agents.look()).isFalse();
        assertThat(agents.all()).hasSize(1);
        Files.writeString(file, LINE + LINE.replace('0', '1').replace("a ", "b "));
        assertThat(agents.look()).isTrue();
        assertThat(agents.all()).hasSize(2);
    }

    @Test
    void fileThatStaysEmptyRemovesAll() throws Exception {
        Files.writeString(file, "");
        assertThat(agents.look()).isFalse();
        assertThat(agents.look()).isTrue();
        assertThat(agents.all()).isEmpty();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tunnel", contains = "can't be read")
    void fileThatIsGoneChangesNothingAndComesBack() throws Exception {
        Files.delete(file);
        assertThat(agents.look()).isFalse();
        assertThat(agents.look()).isFalse();
        assertThat(agents.all()).hasSize(1);
        Files.writeString(file, "# nobody any more\n");
        assertThat(agents.look()).isTrue();
        assertThat(agents.all()).isEmpty();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tunnel", contains = "; and 995 more")
    void manyBadLinesAreOneShortWarning() throws Exception {
        Files.writeString(file, String.join("\n", Collections.nCopies(1000, "a\u001b[31m" + "x".repeat(500))));
        assertThat(agents.look()).isFalse();
        assertThat(agents.all()).hasSize(1);
    }

    @Test
    void shownTextIsShortAndPlain() {
        assertThat(AgentsFile.parse("a\u001b[31m" + "x".repeat(10_000)).problems())
                .singleElement()
                .satisfies(problem -> assertThat(problem)
                        .startsWith("line 1: a?[31mx")
                        .hasSizeLessThan(300)
                        .doesNotContain("\u001b"));
        assertThat(AgentsFile.parse(LINE + LINE).problems().toString()).contains("as in line 1");
    }

    @Test
    void namesThatNoHostCanHaveAreMalformed() {
        String label = "a".repeat(63);
        String longest = label + "." + label + "." + label + "." + "a".repeat(61);
        assertThat(AgentsFile.pattern(longest + ".").toString()).hasSize(253);
        for (String bad :
                new String[] {longest + "a", "x".repeat(64) + ".example.com", "*." + longest, "*.*.com", "a..b"}) {
            assertThat(AgentsFile.parse("a sha256:" + "0".repeat(64) + " names=" + bad)
                            .problems())
                    .as(bad)
                    .hasSize(1);
        }
    }
}
