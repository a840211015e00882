package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.RelayEnd;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.FreePorts;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tunnel.Announcement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Bytes on their way through both sides, which are on two IO threads: by a port of the public side, so that any bytes
 * are seen.
 */
@ExtendWith(LeakCheck.class)
class RelayedTest {
    @TempDir
    private Path directory;

    private TunnelRig rig(int port) throws Exception {
        return new TunnelRig(directory, TlsProvider.JDK, "alice ports=" + port);
    }

    private interface Client {
        void run(RawConnection client) throws Exception;
    }

    private void relayed(RawUpstream.Script script, Client client) throws Exception {
        relayed(script, client, RelayEnd.CLOSED);
    }

    /** Both sides' records say how it has ended. */
    private void relayed(RawUpstream.Script script, Client client, RelayEnd end) throws Exception {
        int port = FreePorts.next();
        try (RawUpstream target = RawUpstream.start(script);
                TunnelRig rig = rig(port)) {
            rig.connected(rig.tunnel("alice").announceTcp(port, "127.0.0.1:" + target.port()));
            // the first may wait for its data connection; the others find ready ones, of either thread
            for (int i = 0; i < 6; i++) {
                try (RawConnection visitor = RawConnection.open(port)) {
                    client.run(visitor);
                }
                assertThat(List.of(rig.record().end(), rig.record().end())).containsOnly(end);
            }
            assertThat(target.failures()).isEmpty();
        }
    }

    @Test
    void targetMaySpeakFirst() throws Exception {
        relayed(
                c -> c.send("SSH-2.0-test\r\n"),
                client -> assertThat(client.readLine()).isEqualTo("SSH-2.0-test\r\n"));
    }

    @Test
    void endOfTheClientsBytesReachesTheTargetWhichGoesOn() throws Exception {
        relayed(c -> c.send("got " + c.readAll().length()).send("; and more"), client -> {
            client.send("x".repeat(100_000));
            client.socket().shutdownOutput();
            assertThat(client.readAll()).isEqualTo("got 100000; and more");
        });
    }

    @Test
    void endOfTheTargetsBytesReachesTheClientWhichGoesOn() throws Exception {
        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        relayed(
                c -> {
                    c.send("done");
                    c.socket().shutdownOutput();
                    got.add(c.readAll());
                },
                client -> {
                    assertThat(client.readAll()).isEqualTo("done");
                    client.send("late");
                    client.socket().shutdownOutput();
                    assertThat(got.poll(30, TimeUnit.SECONDS)).isEqualTo("late");
                });
    }

    @Test
    void resetOfTheClientResetsTheTarget() throws Exception {
        BlockingQueue<String> ends = new LinkedBlockingQueue<>();
        relayed(
                c -> {
                    c.send("hello");
                    ends.add(c.end());
                },
                client -> {
                    assertThat(client.read(5)).isEqualTo("hello");
                    client.socket().setSoLinger(true, 0);
                    client.socket().close();
                    assertThat(ends.poll(30, TimeUnit.SECONDS)).isNotNull();
                },
                RelayEnd.CLIENT_RESET);
    }

    @Test
    void bulkIsTheSameOnTheOtherSideInBothDirectionsWithSlowReaders() throws Exception {
        int size = 6_000_000;
        byte[] bytes = new byte[size];
        new Random(7).nextBytes(bytes);
        String digest = digest(bytes);
        relayed(
                c -> {
                    Thread sender = new Thread(() -> {
                        try {
                            c.send(bytes);
                            c.socket().shutdownOutput();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    });
                    sender.start();
                    assertThat(digest(c.socket().getInputStream().readAllBytes()))
                            .isEqualTo(digest);
                    sender.join();
                },
                client -> {
                    Thread sender = new Thread(() -> {
                        try {
                            client.send(bytes);
                            client.socket().shutdownOutput();
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    });
                    sender.start();
                    assertThat(digest(client.socket().getInputStream().readAllBytes()))
                            .isEqualTo(digest);
                    sender.join();
                });
    }

    private static String digest(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    @Test
    void targetIsToldTheClientsAddress() throws Exception {
        int port = FreePorts.next();
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        try (RawUpstream target = RawUpstream.start(c -> {
                    lines.add(c.readLine());
                    lines.add(c.readLine());
                });
                TunnelRig rig = rig(port)) {
            rig.connected(rig.tunnel("alice")
                    .announce(
                            Announcement.tcp(port, "127.0.0.1:" + target.port()).withProxyProtocol(1)));
            try (RawConnection client = RawConnection.open(port)) {
                client.send("hello\n");
                assertThat(lines.poll(30, TimeUnit.SECONDS))
                        .isEqualTo("PROXY TCP4 127.0.0.1 127.0.0.1 "
                                + client.socket().getLocalPort() + " " + port + "\r\n");
                assertThat(lines.poll(30, TimeUnit.SECONDS)).isEqualTo("hello\n");
            }
            assertThat(rig.records.poll(30, TimeUnit.SECONDS))
                    .satisfies(record -> assertThat(record.end()).isEqualTo(RelayEnd.CLOSED));
        }
    }

    @Test
    void relaySurvivesTheLossOfItsControlChannel() throws Exception {
        int port = FreePorts.next();
        try (RawUpstream target = RawUpstream.start(c -> {
                    for (String line = c.readLine(); !line.isEmpty(); line = c.readLine()) {
                        c.send(line);
                    }
                });
                TunnelRig rig = rig(port)) {
            PrivateSide alice = rig.connected(rig.tunnel("alice").announceTcp(port, "127.0.0.1:" + target.port()));
            try (RawConnection client = RawConnection.open(port)) {
                client.send("before\n");
                assertThat(client.readLine()).isEqualTo("before\n");
                alice.leave(false);
                await().until(() -> rig.side.agentStatus().stream()
                        .allMatch(agent -> agent.left().isPresent()));
                client.send("after\n");
                assertThat(client.readLine()).isEqualTo("after\n");
            }
        }
    }
}
