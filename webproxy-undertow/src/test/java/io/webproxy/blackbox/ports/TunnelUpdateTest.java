package io.webproxy.blackbox.ports;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.PrivateProxy;
import io.webproxy.ProxyServer;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.FreePorts;
import io.webproxy.testing.Hellos;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.Told;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.tunnel.TunnelStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What an update of a running public server to another agents file, another identity, or no tunnels leaves of what was
 * there before.
 */
@ExtendWith(LeakCheck.class)
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "doesn't accept")
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "can't be connected to")
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "isn't served by")
class TunnelUpdateTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private final ExecutorService executor = Executors.newCachedThreadPool();

    @AfterEach
    void close() {
        executor.shutdownNow();
    }

    /** An agents file; lines without the fingerprint. */
    private Path agents(String file, String... lines) throws IOException {
        return Files.writeString(
                directory.resolve(file),
                Stream.of(lines)
                        .map(line -> {
                            String name = line.substring(0, line.indexOf(' '));
                            String key = TunnelKey.obtain(directory, name).fingerprint();
                            return name + " " + key + line.substring(line.indexOf(' ')) + "\n";
                        })
                        .collect(Collectors.joining()));
    }

    private TunnelServer tunnels(Path agents) {
        return TunnelServer.agents(agents).identity(directory.resolve("public"));
    }

    private static ProxyServer publicSide(TunnelServer tunnels) {
        return ProxyServer.builder()
                .bind("127.0.0.1")
                .tuning(t -> t.withIoThreads(2))
                .drainTime(Duration.ZERO)
                .listen(FreePorts.next(), port -> port.tunnels(tunnels))
                .start();
    }

    /** The endpoint stays, with other rules. */
    private static void update(ProxyServer server, Consumer<PortBuilder> rules) {
        server.update(b -> b.listen(port(server), rules));
    }

    private static int port(ProxyServer server) {
        return server.endpoints().get(0).address().getPort();
    }

    private PrivateProxy privateSide(ProxyServer server, String agent, UnaryOperator<Tunnel> what)
            throws InterruptedException {
        PrivateProxy started = PrivateProxy.start(
                "127.0.0.1:" + port(server),
                t -> what.apply(t.identity(directory.resolve(agent))
                        .server(TunnelKey.load(directory.resolve("public/public"))
                                .fingerprint())),
                b -> b.tuning(t -> t.withIoThreads(2)).drainTime(Duration.ZERO));
        assertThat(started.awaitAnnounced(SOON)).isTrue();
        return started;
    }

    private static void assertEchoes(RawConnection client) throws IOException {
        client.send("ping\n");
        assertThat(client.readLine()).isEqualTo("ping\n");
    }

    private static RawConnection greeted(int port) throws IOException {
        RawConnection client = RawConnection.open(port);
        assertThat(client.readLine()).isEqualTo("target\r\n");
        return client;
    }

    @Test
    void portsOfAgentsAreClosedWithThePublicSideThatHasOpenedThem() throws Exception {
        int port = FreePorts.next();
        Path first = agents("first", "alice ports=" + port);
        Path second = agents("second", "bob names=b.example.com");
        try (RawUpstream target = RawUpstream.echoing("target");
                ProxyServer outer = publicSide(tunnels(first));
                PrivateProxy inner =
                        privateSide(outer, "alice", t -> t.announceTcp(port, "127.0.0.1:" + target.port()))) {
            greeted(port).close();
            update(outer, p -> p.tunnels(tunnels(second)));
            assertThatThrownBy(() -> RawConnection.open(port)).isInstanceOf(ConnectException.class);
            // and come back with one that allows them
            update(outer, p -> p.tunnels(tunnels(first)));
            await().atMost(SOON).ignoreExceptions().until(() -> {
                greeted(port).close();
                return true;
            });
            update(outer, p -> p.tls("127.0.0.1:1"));
            assertThatThrownBy(() -> RawConnection.open(port)).isInstanceOf(ConnectException.class);
            assertThat(inner.server().isRunning()).isTrue();
        }
    }

    @Test
    void portIsOpenedAgainByAnAgentOfBothFiles() throws Exception {
        int port = FreePorts.next();
        try (RawUpstream target = RawUpstream.echoing("target");
                ProxyServer outer = publicSide(tunnels(agents("first", "alice ports=" + port)));
                PrivateProxy inner =
                        privateSide(outer, "alice", t -> t.announceTcp(port, "127.0.0.1:" + target.port()));
                RawConnection before = greeted(port)) {
            update(outer, p -> p.tunnels(tunnels("second", "alice ports=" + port)));
            await().atMost(SOON).ignoreExceptions().until(() -> {
                greeted(port).close();
                return true;
            });
            // its relay has gone on
            assertEchoes(before);
            assertThat(inner.server().status().tunnelStatus().servers().get(0).refused())
                    .isEmpty();
        }
    }

    private TunnelServer tunnels(String file, String... lines) {
        try {
            return tunnels(agents(file, lines));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void relaysOfAnAgentEndWhenAFileComesThatDoesNotHaveIt() throws Exception {
        int one = FreePorts.next();
        int other = FreePorts.next();
        try (RawUpstream target = RawUpstream.echoing("target");
                ProxyServer outer = publicSide(tunnels(agents("first", "alice ports=" + one, "bob ports=" + other)));
                PrivateProxy alice =
                        privateSide(outer, "alice", t -> t.announceTcp(one, "127.0.0.1:" + target.port()));
                PrivateProxy bob = privateSide(outer, "bob", t -> t.announceTcp(other, "127.0.0.1:" + target.port()));
                RawConnection ofAlice = greeted(one);
                RawConnection ofBob = greeted(other)) {
            TunnelServer second = tunnels("second", "bob ports=" + other);
            update(outer, p -> p.tunnels(second));
            assertThat(ofAlice.end()).as("its relay is cut").isNotEmpty();
            assertEchoes(ofBob);
            await().atMost(SOON)
                    .untilAsserted(
                            () -> assertThat(outer.status().tunnelStatus().clients())
                                    .as("a relay of the side before counts as a client")
                                    .isEqualTo(1));
            // removed later, it loses what it has from the side before
            agents("second", "carol names=c.example.com");
            assertThat(ofBob.end()).as("its relay is cut").isNotEmpty();
            assertThat(List.of(alice, bob)).allMatch(each -> each.server().isRunning());
        }
    }

    @Test
    void limitsCountClientsOfTheSideBefore() throws Exception {
        int port = FreePorts.next();
        try (RawUpstream target = RawUpstream.echoing("target");
                ProxyServer outer = publicSide(tunnels(agents("first", "alice ports=" + port)));
                PrivateProxy inner =
                        privateSide(outer, "alice", t -> t.announceTcp(port, "127.0.0.1:" + target.port()));
                RawConnection before = greeted(port)) {
            TunnelServer second = tunnels("second", "alice ports=" + port).withConnectionsPerAddress(1);
            update(outer, p -> p.tunnels(second));
            await().atMost(SOON).until(() -> inner.awaitAnnounced(Duration.ZERO) && agentsOf(outer) == 1);
            try (RawConnection refused = RawConnection.open(port)) {
                assertThat(refused.end()).isNotEmpty();
            }
            assertThat(outer.status().tunnelStatus().refused()).isEqualTo(1);
            assertEchoes(before);
            update(outer, p -> p.tunnels(tunnels("third", "alice ports=" + port)));
            assertThat(outer.status().tunnelStatus().refused())
                    .as("is counted since the start")
                    .isEqualTo(1);
        }
    }

    private static long agentsOf(ProxyServer outer) {
        return outer.status().tunnelStatus().agents().stream()
                .filter(agent -> agent.left().isEmpty())
                .count();
    }

    @Test
    void clientThatWaitsForItsAgentIsServedByTheSideThatComes() throws Exception {
        try (RawUpstream target = RawUpstream.echoing("target");
                ProxyServer outer = publicSide(tunnels(agents("first", "alice names=a.example.com")))) {
            // every name of the file is waited for while a server is young
            Future<String> client = executor.submit(() -> {
                try (RawConnection waiting = hello(port(outer), "a.example.com")) {
                    return waiting.readLine();
                }
            });
            await().atMost(SOON).until(() -> outer.status().tunnelStatus().clients() == 1);
            update(outer, p -> p.tunnels(tunnels("second", "alice names=a.example.com")));
            assertThat(client).isNotDone();
            try (PrivateProxy inner =
                    privateSide(outer, "alice", t -> t.announce("a.example.com", "127.0.0.1:" + target.port()))) {
                assertThat(client.get()).isEqualTo("target\r\n");
                assertThat(inner.server().isRunning()).isTrue();
            }
        }
    }

    /** A client that says its ClientHello, to a target that speaks no TLS. */
    private static RawConnection hello(int port, String name) throws IOException {
        return RawConnection.open(port).send(Hellos.with(Hellos.serverName(name)));
    }

    @Test
    void clientThatWaitsIsRefusedAtOnceWhenTheTunnelsGo() throws Exception {
        try (ProxyServer outer = publicSide(tunnels(agents("first", "alice names=a.example.com")));
                RawConnection waiting = hello(port(outer), "a.example.com")) {
            await().atMost(SOON).until(() -> outer.status().tunnelStatus().clients() == 1);
            long start = System.nanoTime();
            update(outer, p -> p.tls("127.0.0.1:1"));
            assertThat(waiting.readByte()).as("an alert").isEqualTo(21);
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
        }
    }

    @Test
    void nameThatTheServerServesItselfByNowIsNoAgentsAnyMore() throws Exception {
        try (RawUpstream target = RawUpstream.echoing("target");
                RawUpstream own = RawUpstream.echoing("own");
                ProxyServer outer = publicSide(tunnels(agents("first", "alice names=a.example.com")));
                PrivateProxy inner =
                        privateSide(outer, "alice", t -> t.announce("a.example.com", "127.0.0.1:" + target.port()))) {
            try (RawConnection client = hello(port(outer), "a.example.com")) {
                assertThat(client.readLine()).isEqualTo("target\r\n");
            }
            TunnelServer same = tunnels(directory.resolve("first"));
            update(outer, p -> p.tunnels(same).tls(Sni.of("a.example.com"), "127.0.0.1:" + own.port()));
            try (RawConnection client = hello(port(outer), "a.example.com")) {
                assertThat(client.readLine()).isEqualTo("own\r\n");
            }
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(
                                    inner.server().status().tunnelStatus().servers())
                            .singleElement()
                            .satisfies(each -> assertThat(each.refused())
                                    .hasEntrySatisfying(
                                            "a.example.com",
                                            why -> assertThat(why).startsWith("409 "))));
        }
    }

    @ParameterizedTest
    @CsvSource({"private, 0", "private, 25", "public, 0", "public, 25"})
    void closeOfEitherSideIsAGoodbye(String which, int drainSeconds) throws Exception {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        ProxyObserver observer = Told.to(told -> {
            // the start may be told late
            if (told.method().matches(".*(Disconnected|Lost)")) {
                events.add(told.method());
            }
        });
        try (ProxyServer outer = publicSide(tunnels(agents("first", "alice names=a.example.com")));
                PrivateProxy inner = privateSide(outer, "alice", t -> t.announce("a.example.com", "127.0.0.1:1"))) {
            List<ProxyServer> both = List.of(outer, inner.server());
            both.forEach(each -> each.update(b -> b.observer(observer).drainTime(Duration.ofSeconds(drainSeconds))));
            long start = System.nanoTime();
            both.get(which.equals("public") ? 0 : 1).close();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
            List<String> ends = List.of(
                    Objects.requireNonNull(events.poll(30, TimeUnit.SECONDS)),
                    Objects.requireNonNull(events.poll(30, TimeUnit.SECONDS)));
            assertThat(ends).containsExactlyInAnyOrder("tunnelAgentDisconnected", "tunnelServerDisconnected");
        }
    }

    @Test
    void agentThatIsRenamedIsCalledByItsNewName() throws Exception {
        Path file = agents("agents", "alice names=a.example.com");
        try (ProxyServer outer = publicSide(tunnels(file));
                PrivateProxy inner = privateSide(outer, "alice", t -> t.announce("a.example.com", "127.0.0.1:1"))) {
            Files.writeString(file, Files.readString(file).replace("alice ", "alicia "));
            await().atMost(SOON)
                    .untilAsserted(
                            () -> assertThat(outer.status().tunnelStatus().agents())
                                    .filteredOn(agent -> agent.left().isEmpty())
                                    .extracting(TunnelStatus.Agent::name)
                                    .containsExactly("alicia"));
            assertThat(inner.server().isRunning()).isTrue();
        }
    }
}
