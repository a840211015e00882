package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The fail2ban filter, on lines that the command line has written. */
@ExtendWith(LeakCheck.class)
@Timeout(120)
class FailToBanTest {
    private static final Path FILTER =
            Path.of("fail2ban", "webproxy-relay.conf").toAbsolutePath();

    @TempDir
    Path directory;

    @BeforeEach
    void needsIt() {
        Peers.require("fail2ban-regex");
    }

    /** For an IPv4 and an IPv6 client: one of SSH, one that comes too often, one that is something else. */
    private Path log() throws Exception {
        Path log = directory.resolve("relay.log");
        try (RawUpstream target = RawUpstream.start(RawConnection::readAll);
                Served port = Served.start(
                        "port",
                        "--listen",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--ssh",
                        "127.0.0.1:" + target.port(),
                        "--match",
                        "ssh-like:5353=127.0.0.1:" + target.port(),
                        "--new-per-minute",
                        "1",
                        "--accept-proxy",
                        "required",
                        "--trusted-proxy",
                        "127.0.0.1",
                        "--relay-log",
                        log.toString())) {
            int lines = 0;
            for (String client : new String[] {"TCP4 192.0.2.7 192.0.2.1", "TCP6 2001:db8::7 2001:db8::1"}) {
                for (String first : new String[] {"SSH-2.0-x", "SSH-2.0-x", "SSx"}) {
                    int before = ++lines;
                    try (RawConnection connection = RawConnection.open(port.port())) {
                        connection.send("PROXY " + client + " 4711 22¶" + first + "¶");
                        connection.shutdownOutput();
                        connection.end();
                    }
                    await().until(() -> Files.readAllLines(log).size() == before);
                }
            }
        }
        return log;
    }

    @Test
    void everyConnectionOfSshIsOneOfItsClient() throws Exception {
        assertThat(matched(log(), FILTER.toString()))
                .contains("Lines: 6 lines, 0 ignored, 4 matched, 2 missed")
                .containsPattern("(?s)192\\.0\\.2\\.7 .*192\\.0\\.2\\.7 ")
                .containsPattern("(?s)2001:db8::7 .*2001:db8::7 ");
    }

    @Test
    void connectionThatABrowserOpensInAdvanceDoesNotCount() throws Exception {
        Path log = directory.resolve("relay.log");
        try (RawUpstream target = RawUpstream.start(connection -> {
                    connection.send("SSH-2.0-server¶");
                    connection.readAll();
                });
                Served port = Served.start(
                        "port",
                        "--listen",
                        "0",
                        "--bind",
                        "127.0.0.1",
                        "--on-timeout",
                        "127.0.0.1:" + target.port(),
                        "--detect-time",
                        "50ms",
                        "--relay-log",
                        log.toString())) {
            for (String answer : new String[] {"", "SSH-2.0-guess¶"}) {
                try (RawConnection client = RawConnection.open(port.port())) {
                    assertThat(client.readLine()).startsWith("SSH-2.0-server");
                    client.send(answer);
                    client.shutdownOutput();
                    client.end();
                }
            }
            await().until(() -> Files.readAllLines(log).size() == 2);
        }
        assertThat(matched(log, FILTER.toString())).contains("Lines: 2 lines, 0 ignored, 1 matched, 1 missed");
    }

    @Test
    void onlyWhatWasRefusedMayCount() throws Exception {
        assertThat(matched(log(), FILTER + "[mode=refused]"))
                .contains("Lines: 6 lines, 0 ignored, 2 matched, 4 missed");
    }

    private static String matched(Path log, String filter) throws Exception {
        Peers.Outcome outcome =
                Peers.run(Duration.ofSeconds(60), "fail2ban-regex", "--verbose", log.toString(), filter);
        assertThat(outcome.exitCode()).as(outcome.stderr()).isZero();
        return outcome.stdout();
    }
}
