package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.samples.cli.Cli;
import io.webproxy.testing.LeakCheck;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

@ExtendWith(LeakCheck.class)
class CliTunnelTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine cli =
            Cli.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));

    @TempDir
    private Path directory;

    @Test
    void keyIsForItsOwnerOnlyAndItsLineIsThatOfTheAgentsFile() throws Exception {
        int exit = cli.execute(
                "agent-key",
                "--name",
                "alice",
                "--out",
                directory.toString(),
                "--names",
                "db.example.com,*.inner.example.com",
                "--ports",
                "6022,7000-7010",
                "--shared");
        assertThat(err.toString()).isEmpty();
        assertThat(exit).isZero();
        assertThat(out.toString())
                .matches("alice sha256:[0-9a-f]{64} names=db\\.example\\.com,\\*\\.inner\\.example\\.com"
                        + " ports=6022,7000-7010 shared\\R");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("alice.key"))))
                .isEqualTo("rw-------");
        assertThat(directory.resolve("alice.crt")).content().startsWith("-----BEGIN CERTIFICATE-----");
        assertThat(cli.execute("agent-key", "--name", "alice", "--out", directory.toString(), "--names", "a.b"))
                .as("never overwritten")
                .isEqualTo(1);
        assertThat(err.toString()).contains("alice.key (expected: no such file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "agent-key --out d|--name: missing (expected: --name NAME)",
                "agent-key --name a/b --out d|--name: a/b (expected: 1-64 letters",
                "agent-key --name a --out d --names *.com|--names: *.com (expected: a server name",
                "agent-key --name a --out d --ports 0|--ports: 0 (expected: a port such as 6022",
                "public-proxy --listen 0 --identity d|--agents: missing (expected: --agents FILE)",
                "public-proxy --listen x --identity d --agents f|--listen: x (expected: 0-65535)",
                "private-proxy --connect h --server s --identity i --announce a.b=h:1|--connect: h (expected:"
                        + " host:port",
                "private-proxy --connect h:1 --server s --identity i --announce a.b=h:1|--server: s (expected: sha256:",
                "private-proxy --connect h:1 --server s --identity i --announce a.b|--announce: a.b (expected:"
                        + " NAME=HOST:PORT",
                "private-proxy --connect h:1 --server s --identity i --announce tcp:x=h:1|--announce: 0 (expected:"
                        + " 1-65535)",
                "private-proxy --connect h:1 --server s --identity i --announce a.b=h:1 --bind 127.0.0.1|'--bind'",
                "private-proxy --connect h:1 --server s --identity i --announce *.com=h:1|--announce: *.com (expected:"
                        + " a server name"
            })
    void wrongArgumentIsOneSentence(String arguments, String sentence) {
        assertThat(cli.execute(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString()).startsWith("webproxy: ").contains(sentence).hasLineCount(1);
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void agentsFileThatIsNotThereIsOneSentence() {
        assertThat(cli.execute(
                        "public-proxy",
                        "--listen",
                        "0",
                        "--agents",
                        directory.resolve("none").toString(),
                        "--identity",
                        directory.resolve("public").toString()))
                .isEqualTo(1);
        assertThat(err.toString())
                .startsWith("webproxy: agents: ")
                .contains("can't be read")
                .hasLineCount(1);
    }

    @Test
    void identityThatIsNotThereIsOneSentence() {
        assertThat(cli.execute(
                        "private-proxy",
                        "--connect",
                        "127.0.0.1:1",
                        "--server",
                        "sha256:" + "a".repeat(64),
                        "--identity",
                        directory.resolve("alice").toString(),
                        "--announce",
                        "a.example.com=127.0.0.1:1"))
                .isEqualTo(1);
        assertThat(err.toString())
                .startsWith("webproxy: identity: ")
                .contains("alice.key")
                .hasLineCount(1);
    }
}
