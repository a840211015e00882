package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.RelayEnd;
import io.webproxy.spi.TlsProvider;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.Told;
import io.webproxy.tunnel.Announcement;
import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Who gets which name, and what its visitors meet. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "doesn't accept")
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "isn't used, the one before still is")
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "isn't served by")
@ExpectedLog(logger = "io.webproxy.tunnel", contains = "can't be connected to")
class AnnouncementTest {
    @TempDir
    private Path directory;

    private TunnelRig rig(String... agents) throws IOException {
        return new TunnelRig(directory, TlsProvider.JDK, agents);
    }

    private static TunnelStatus.Server server(PrivateSide side) {
        return side.status().get(0);
    }

    private static RawConnection visit(TunnelRig rig, String name) throws IOException {
        return RawConnection.openTlsFor(name, rig.port(), TestProxy.trust().sslSocketFactory(), "http/1.1");
    }

    private static void assertEchoes(TunnelRig rig, String name) throws IOException {
        try (RawConnection visitor = visit(rig, name)) {
            visitor.send("ping\n");
            assertThat(visitor.readLine()).isEqualTo("ping\n");
        }
    }

    private static String alertOf(TunnelRig rig, String name) {
        try (RawConnection visitor = visit(rig, name)) {
            return "connected";
        } catch (SSLException e) {
            return String.valueOf(e.getMessage());
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void eachItemGetsAnAnswerOfItsOwn() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                ServerSocket taken = new ServerSocket(0);
                TunnelRig rig = rig("alice names=Db.Example.com.,*.inner.example.com,taken.example.com ports="
                        + taken.getLocalPort())) {
            String target = "127.0.0.1:" + inner.port();
            PrivateSide alice = rig.connected(rig.tunnel("alice")
                    .announce("DB.example.COM.", target)
                    .announce("*.inner.example.com", target)
                    .announce("x.inner.example.com", target)
                    .announce("x.y.inner.example.com", target)
                    .announce("other.example.com", target)
                    .announce("taken.example.com", target)
                    .announceTcp(taken.getLocalPort(), target)
                    .announceTcp(1, target));
            assertThat(server(alice).accepted())
                    .containsExactly("db.example.com", "*.inner.example.com", "x.inner.example.com");
            assertThat(server(alice).refused())
                    .hasEntrySatisfying(
                            "x.y.inner.example.com", why -> assertThat(why).startsWith("403 "))
                    .hasEntrySatisfying(
                            "other.example.com", why -> assertThat(why).startsWith("403 "))
                    .hasEntrySatisfying(
                            "taken.example.com", why -> assertThat(why).startsWith("409 "))
                    .hasEntrySatisfying(
                            "tcp:" + taken.getLocalPort(),
                            why -> assertThat(why).startsWith("409 "))
                    .hasEntrySatisfying("tcp:1", why -> assertThat(why).startsWith("403 "))
                    .hasSize(5);
            assertEchoes(rig, "db.example.com");
            assertEchoes(rig, "DB.Example.com");
            assertEchoes(rig, "a.inner.example.com");
            assertThat(alertOf(rig, "a.b.inner.example.com")).contains("unrecognized_name");
            assertThat(alertOf(rig, "taken.example.com")).contains("unrecognized_name");
            assertThat(rig.side.agentStatus()).singleElement().satisfies(agent -> {
                assertThat(agent.name()).isEqualTo("alice");
                assertThat(agent.announced())
                        .containsExactly("*.inner.example.com", "db.example.com", "x.inner.example.com");
                assertThat(agent.left()).isEmpty();
            });
        }
    }

    @Test
    void anotherAgentGetsANameOnlyIfBothShareIt() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig(
                        "alice names=a.example.com,s.example.com shared",
                        "bob names=a.example.com,s.example.com",
                        "carol names=s.example.com shared")) {
            String target = "127.0.0.1:" + inner.port();
            PrivateSide alice = rig.connected(
                    rig.tunnel("alice").announce("a.example.com", target).announce("s.example.com", target));
            PrivateSide bob = rig.connected(
                    rig.tunnel("bob").announce("a.example.com", target).announce("s.example.com", target));
            PrivateSide carol = rig.connected(rig.tunnel("carol").announce("s.example.com", target));
            assertThat(server(alice).refused()).isEmpty();
            assertThat(server(bob).refused()).containsOnlyKeys("a.example.com", "s.example.com");
            assertThat(server(bob).refused().get("a.example.com")).startsWith("409 ");
            assertThat(server(carol).refused()).isEmpty();
            carol.leave(false);
            alice.leave(false);
            // free again
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> rig.side.agentStatus().stream()
                                    .filter(agent -> agent.left().isEmpty())
                                    .count()
                            == 1);
            PrivateSide again = rig.connected(rig.tunnel("bob").announce("a.example.com", target));
            assertThat(server(again).refused()).isEmpty();
        }
    }

    @Test
    void announcementOfLimitedTimeEnds() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig("alice names=a.example.com")) {
            rig.connected(rig.tunnel("alice")
                    .announce(Announcement.name("a.example.com", "127.0.0.1:" + inner.port())
                            .withExpiry(Duration.ofSeconds(1))));
            assertEchoes(rig, "a.example.com");
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> !alertOf(rig, "a.example.com").equals("connected"));
        }
    }

    @Test
    void nameOfAnAgentThatSaysGoodbyeIsNotWaitedFor() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig("alice names=*.example.com")) {
            Tunnel tunnel = rig.tunnel("alice").announce("*.example.com", "127.0.0.1:" + inner.port());
            PrivateSide alice = rig.connected(tunnel);
            assertEchoes(rig, "a.example.com");
            alice.leave(false);
            await().until(() -> rig.side.agentStatus().stream()
                    .allMatch(agent -> agent.left().isPresent()));
            assertThat(alertOf(rig, "a.example.com")).contains("unrecognized_name");
            bothSidesTellOfTheirDisconnection(rig);
            assertThat(alice.status().get(0).connected()).isFalse();
            // and it may come back
            rig.connected(tunnel);
            assertEchoes(rig, "a.example.com");
        }
    }

    @Test
    void nameOfAnAgentWhoseNextTunnelComesIsWaitedFor() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig("alice names=a.example.com")) {
            Tunnel tunnel = rig.tunnel("alice").announce("a.example.com", "127.0.0.1:" + inner.port());
            PrivateSide alice = rig.connected(tunnel);
            alice.leave(true);
            await().until(() -> rig.side.agentStatus().stream()
                    .allMatch(agent -> agent.left().isPresent()));
            ExecutorService executor = Executors.newSingleThreadExecutor();
            try {
                Future<String> waits = executor.submit(() -> alertOf(rig, "a.example.com"));
                await().until(() -> rig.side.clients() == 1);
                rig.connected(tunnel);
                assertThat(waits.get()).isEqualTo("connected");
            } finally {
                executor.shutdownNow();
            }
        }
    }

    @Test
    void lossOfAnAgentIsToldAsOne() throws Exception {
        try (TunnelRig rig = rig("alice names=a.example.com")) {
            RawAgent.announcing(TunnelKey.load(directory.resolve("alice")), rig.port(), "a.example.com")
                    .close();
            await().until(() ->
                    rig.events.stream().anyMatch(told -> told.method().equals("tunnelAgentLost")));
            assertThat(rig.events).extracting(Told::method).doesNotContain("tunnelAgentDisconnected");
        }
    }

    @Test
    void closeOfAPublicSideIsNoLossForItsAgents() throws Exception {
        try (TunnelRig rig = rig("alice names=a.example.com")) {
            PrivateSide alice = rig.connected(rig.tunnel("alice").announce("a.example.com", "127.0.0.1:1"));
            rig.side.leave(null);
            bothSidesTellOfTheirDisconnection(rig);
            alice.leave(false);
        }
    }

    /** Each side tells of it on a thread of its own, in any order. */
    private static void bothSidesTellOfTheirDisconnection(TunnelRig rig) {
        await().untilAsserted(() -> assertThat(rig.events)
                .extracting(Told::method)
                .filteredOn(method -> method.matches(".*(Disconnected|Lost)"))
                .containsExactlyInAnyOrder("tunnelAgentDisconnected", "tunnelServerDisconnected"));
    }

    @Test
    void removedAgentLosesItsChannelItsReadyConnectionsAndItsRelays() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig("alice names=a.example.com", "bob names=b.example.com")) {
            String target = "127.0.0.1:" + inner.port();
            rig.connected(rig.tunnel("alice").announce("a.example.com", target));
            rig.connected(rig.tunnel("bob").announce("b.example.com", target));
            try (RawConnection ofAlice = visit(rig, "a.example.com");
                    RawConnection ofBob = visit(rig, "b.example.com")) {
                rig.writeAgents("bob names=b.example.com");
                rig.side.look();
                assertThat(ofAlice.end()).as("its relay is cut").isNotEmpty();
                await().untilAsserted(() -> assertThat(rig.side.agentStatus())
                        .filteredOn(agent -> agent.left().isEmpty())
                        .extracting(TunnelStatus.Agent::name)
                        .doesNotContain("alice"));
                assertEchoes(rig, "b.example.com");
                assertThat(alertOf(rig, "a.example.com")).doesNotContain("connected");
            }
        }
    }

    @Test
    void agentsFileWithABadLineChangesNothing() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig("alice names=a.example.com")) {
            rig.connected(rig.tunnel("alice").announce("a.example.com", "127.0.0.1:" + inner.port()));
            Files.writeString(rig.agentsFile, "bob nonsense\n", StandardOpenOption.APPEND);
            rig.side.look();
            rig.side.look();
            assertEchoes(rig, "a.example.com");
        }
    }

    @Test
    void visitorOfATargetThatIsDownGetsAnAlertAndARecordWithTheReason() throws Exception {
        try (TunnelRig rig = rig("alice names=a.example.com")) {
            rig.connected(rig.tunnel("alice").announce("a.example.com", "127.0.0.1:1"));
            assertThat(alertOf(rig, "a.example.com")).contains("internal_error");
            assertThat(rig.records.take()).satisfies(record -> {
                assertThat(record.end()).isEqualTo(RelayEnd.CONNECT_FAILED);
                assertThat(record.detail()).isEqualTo("the agent says: its target can't be reached");
            });
            assertThat(rig.side.refused()).isEqualTo(1);
        }
    }

    @Test
    void processesOfOneAgentShareItsNamesAndStandInForEachOther() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig("alice names=a.example.com")) {
            Tunnel up = rig.tunnel("alice").announce("a.example.com", "127.0.0.1:" + inner.port());
            Tunnel down = rig.tunnel("alice").announce("a.example.com", "127.0.0.1:1");
            PrivateSide first = rig.connected(up);
            rig.connected(down);
            for (int i = 0; i < 6; i++) {
                // half of them are asked for by the process whose target is down, first
                assertEchoes(rig, "a.example.com");
            }
            PrivateSide second = rig.connected(up);
            try (RawConnection one = visit(rig, "a.example.com");
                    RawConnection other = visit(rig, "a.example.com")) {
                assertThat(rig.side.agentStatus())
                        .as("the one with fewer clients is asked first")
                        .filteredOn(agent -> agent.left().isEmpty() && agent.clients() > 0)
                        .hasSize(2);
                first.leave(false);
                assertThat(one.send("still\n").readLine()).isEqualTo("still\n");
                assertThat(other.send("here\n").readLine()).isEqualTo("here\n");
            }
            assertEchoes(rig, "a.example.com");
            second.leave(false);
        }
    }

    @Test
    void firstClientAfterAPauseFindsAReadyConnectionForTenMinutes() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig("alice names=a.example.com")) {
            rig.connected(rig.tunnel("alice").announce("a.example.com", "127.0.0.1:" + inner.port()));
            assertThat(rig.side.agentStatus()).allMatch(agent -> agent.ready() == 0);
            assertEchoes(rig, "a.example.com");
            // no ready connection lives for a minute
            for (int i = 0; i < 30; i++) {
                passHeartbeat(rig);
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> rig.side.agentStatus().stream().allMatch(agent -> agent.ready() == 1));
            }
            for (int i = 0; i < 5; i++) {
                passHeartbeat(rig);
            }
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> rig.side.agentStatus().stream().allMatch(agent -> agent.ready() == 0));
        }
    }

    /** 18 seconds, and a heartbeat within them. */
    private static void passHeartbeat(TunnelRig rig) {
        Instant before = rig.side.agentStatus().get(0).lastSeen();
        // both would wait for the other one's, and the test sees only the server's
        rig.passAtThePublicSide(Duration.ofSeconds(18));
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> rig.side.agentStatus().stream()
                        .allMatch(agent ->
                                agent.left().isEmpty() && agent.lastSeen().isAfter(before)));
    }

    @Test
    void limitsRefuseWithAReason() throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = rig("alice names=a.example.com,b.example.com")) {
            String target = "127.0.0.1:" + inner.port();
            rig.connected(rig.tunnel("alice").announce("a.example.com", target).announce("b.example.com", target));
            TunnelServer server = TunnelServer.agents(rig.agentsFile);
            rig.side.putInForce(server.withConnectionsPerName(1));
            try (RawConnection one = visit(rig, "a.example.com")) {
                assertThat(one.socket().isConnected()).isTrue();
                assertThat(alertOf(rig, "a.example.com")).contains("internal_error");
                assertThat(rig.records.poll(30, TimeUnit.SECONDS)).satisfies(record -> {
                    assertThat(record.end()).isEqualTo(RelayEnd.REFUSED_LIMIT);
                    assertThat(record.detail()).isEqualTo("a.example.com has as many connections as it may have");
                });
                assertEchoes(rig, "b.example.com");
                rig.side.putInForce(server.withConnectionsPerAddress(1));
                assertThat(alertOf(rig, "b.example.com")).contains("internal_error");
                rig.side.putInForce(server.withConnectionsPerAgent(1));
                assertThat(alertOf(rig, "b.example.com")).contains("internal_error");
            }
            await().until(() -> rig.side.clients() == 0);
            rig.side.putInForce(server.withNewConnectionsPerMinute(2));
            assertEchoes(rig, "a.example.com");
            assertEchoes(rig, "a.example.com");
            rig.records.clear();
            assertThat(alertOf(rig, "a.example.com")).contains("internal_error");
            await().until(() -> rig.records.stream().anyMatch(record -> record.end() == RelayEnd.REFUSED_RATE));
        }
    }
}
