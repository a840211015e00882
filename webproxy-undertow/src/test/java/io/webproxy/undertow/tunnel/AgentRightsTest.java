package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.spi.HostPattern;
import io.webproxy.spi.TlsProvider;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.tunnel.TunnelStatus;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an agent with a good key gets, and keeps, is what its line of the agents file allows. */
@ExtendWith(LeakCheck.class)
class AgentRightsTest {
    @TempDir
    private Path directory;

    private final ExecutorService executor = Executors.newCachedThreadPool();
    private TunnelRig rig;
    private TunnelKey mallory;
    private ServerSocket taken;

    @BeforeEach
    void start() throws Exception {
        taken = new ServerSocket(0);
        rig = new TunnelRig(
                directory,
                TlsProvider.AUTO,
                "good names=good.example.com",
                "mallory names=*.example.com ports=" + taken.getLocalPort());
        mallory = TunnelKey.load(directory.resolve("mallory"));
    }

    @AfterEach
    void close() throws Exception {
        executor.shutdownNow();
        rig.close();
        taken.close();
    }

    private RawConnection visit(String name) throws IOException {
        return RawConnection.openTlsFor(name, rig.port(), TestProxy.trust().sslSocketFactory(), "http/1.1");
    }

    @Test
    void wildcardTakesNoNameThatTheServerServesItself() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "*.example.com")) {
            assertThatThrownBy(() -> visit("taken.example.com")).hasMessageContaining("unrecognized_name");
            // others go to the agent
            Future<RawConnection> other = executor.submit(() -> visit("other.example.com"));
            Message.Connect asked = agent.next(Message.Connect.class);
            assertThat(asked.visitor().name()).isEqualTo("other.example.com");
            agent.send(new Message.Refuse(asked.id(), "no"));
            assertThatThrownBy(other::get).hasMessageContaining("internal_error");
        }
    }

    @Test
    void namesOfARemovedAgentAreGoneAtOnce() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            rig.writeAgents("good names=good.example.com");
            rig.side.look();
            assertThatThrownBy(() -> visit("evil.example.com")).hasMessageContaining("unrecognized_name");
            assertThat(agent.next(Message.Goodbye.class).text()).contains("removed");
        }
    }

    @Test
    void acknowledgementOfARemovedAgentIsTooLate() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            Future<RawConnection> visitor = executor.submit(() -> visit("evil.example.com"));
            Message.Connect asked = agent.next(Message.Connect.class);
            int others = rig.side.tokens().count() - 1;
            try (Socket data = agent.data(asked.id(), asked.token())) {
                await().until(() -> rig.side.tokens().count() <= others);
                rig.writeAgents("good names=good.example.com");
                rig.side.look();
                data.getOutputStream().write(DataHello.ACKNOWLEDGED);
                assertThat(data.getInputStream().read())
                        .as("no byte of the client's")
                        .isEqualTo(-1);
            }
            assertThatThrownBy(visitor::get).hasMessageContaining("unrecognized_name");
        }
    }

    @Test
    void otherLinesOfTheAgentsFileConcernNoAgent() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            rig.writeAgents(
                    "third names=third.example.com", "mallory names=*.example.com ports=" + taken.getLocalPort());
            rig.side.look();
            agent.send(new Message.Ping(7));
            assertThat(agent.next()).isEqualTo(new Message.Pong(7));
        }
    }

    @Test
    void agentThatLeavesLeavesNoTokens() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            Future<RawConnection> visitor = executor.submit(() -> visit("evil.example.com"));
            // a connection was asked for, and a ready one
            Message.Connect asked = agent.next(Message.Connect.class);
            agent.send(new Message.Refuse(asked.id(), "no"));
            assertThatThrownBy(visitor::get).hasMessageContaining("internal_error");
        }
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(rig.side.tokens().count()).isZero());
    }

    @Test
    void portIsOpenedOnlyForWhatIsAccepted() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port())) {
            agent.send(new Message.Announce(
                    1,
                    List.of(
                            new Message.Offer(Message.Item.port(taken.getLocalPort()), Registry.MOST_SECONDS + 1),
                            new Message.Offer(Message.Item.port(taken.getLocalPort()), 1))));
            assertThat(agent.next(Message.Result.class).verdicts().stream().map(Message.Verdict::code))
                    .containsExactly(400, 409);
        }
    }

    @Test
    void portThatIsTakenBackIsClosed() throws Exception {
        AgentChannel channel = channel();
        Registry registry = new Registry(rig.side.agents(), name -> false, System::nanoTime);
        AgentEntry entry = new AgentEntry(
                "mallory", mallory.fingerprint(), List.of(), List.of(new AgentEntry.Ports(6000, 6000)), false);
        Message.Item port = Message.Item.port(6000);
        registry.announce(channel, entry, new Message.Offer(port, 0));
        assertThat(registry.forget()).isEmpty();
        registry.withdraw(channel, List.of(port));
        assertThat(registry.find(port, System.nanoTime())).isNull();
        assertThat(registry.forget()).containsExactly(6000);
    }

    @Test
    void nameThatIsWaitedForIsNotForOthersToTakeBack() throws Exception {
        AgentChannel victim = channel();
        AgentChannel other = channel();
        Registry registry = new Registry(rig.side.agents(), name -> false, System::nanoTime);
        AgentEntry entry = new AgentEntry(
                "mallory", mallory.fingerprint(), List.of(HostPattern.of("a.example.com")), List.of(), false);
        Message.Item name = Message.Item.name("a.example.com");
        registry.announce(victim, entry, new Message.Offer(name, 0));
        registry.lost(victim);
        registry.withdraw(other, List.of(name));
        assertThat(registry.find(name, System.nanoTime())).isNotNull();
    }

    @Test
    void agentHasBoundedAnnouncementsHoweverOftenItComes() throws Exception {
        AgentChannel channel = channel();
        Registry registry = new Registry(rig.side.agents(), name -> false, System::nanoTime);
        AgentEntry entry = new AgentEntry(
                "mallory", mallory.fingerprint(), List.of(HostPattern.of("*.example.com")), List.of(), false);
        for (int i = 0; i < Registry.MOST_ITEMS; i++) {
            assertThat(announced(registry, channel, entry, i)).isEqualTo(200);
        }
        assertThat(announced(registry, channel, entry, 0)).as("once more").isEqualTo(200);
        assertThat(announced(registry, channel, entry, Registry.MOST_ITEMS)).isEqualTo(403);
        registry.withdraw(channel, List.of(Message.Item.name("n1.example.com")));
        registry.forget();
        assertThat(announced(registry, channel, entry, Registry.MOST_ITEMS)).isEqualTo(200);
        // what it had before still counts while it is remembered
        registry.lost(channel);
        assertThat(announced(registry, channel, entry, Registry.MOST_ITEMS + 1)).isEqualTo(403);
    }

    /** One that has announced evil.example.com, and may be closed. */
    private AgentChannel channel() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            long now = System.nanoTime();
            return Objects.requireNonNull(rig.side.registry().find(Message.Item.name("evil.example.com"), now))
                    .channels(now)
                    .get(0);
        }
    }

    private static int announced(Registry registry, AgentChannel channel, AgentEntry entry, int number) {
        return registry.announce(channel, entry, new Message.Offer(Message.Item.name("n" + number + ".example.com"), 0))
                .code();
    }

    @Test
    void agentHasBoundedChannels() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            rig.side.mostOfAgent(1);
            try (RawAgent second = new RawAgent(mallory, rig.port(), UUID.randomUUID())) {
                second.send(new Message.Hello(1, 0, second.instance, "second"));
                assertThat(second.next()).isInstanceOf(Message.Goodbye.class);
            }
            try (RawAgent same = new RawAgent(mallory, rig.port(), agent.instance)) {
                same.send(new Message.Hello(1, 0, agent.instance, "same"));
                assertThat(same.next()).isInstanceOf(Message.Welcome.class);
            }
        }
    }

    @Test
    void clientsThatWaitForAnAgentCountForItsLimit() throws Exception {
        rig.side.putInForce(TunnelServer.agents(rig.agentsFile)
                .identity(directory.resolve("public"))
                .withConnectionsPerAgent(1));
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            Future<RawConnection> first = executor.submit(() -> visit("evil.example.com"));
            Message.Connect asked = agent.next(Message.Connect.class);
            assertThatThrownBy(() -> visit("evil.example.com")).hasMessageContaining("internal_error");
            assertThat(first).isNotDone();
            agent.send(new Message.Refuse(asked.id(), "no"));
            assertThatThrownBy(first::get).hasMessageContaining("internal_error");
            // and no longer
            Future<RawConnection> next = executor.submit(() -> visit("evil.example.com"));
            asked = agent.next(Message.Connect.class);
            agent.send(new Message.Refuse(asked.id(), "no"));
            assertThatThrownBy(next::get).hasMessageContaining("internal_error");
        }
    }

    @Test
    void serverThatClosesTakesNoAgentWhoseHandshakeIsUnderWay() throws Exception {
        try (RawAgent agent = new RawAgent(mallory, rig.port(), UUID.randomUUID())) {
            rig.side.leave(null);
            Message answer;
            try {
                agent.send(new Message.Hello(1, 0, agent.instance, "x"));
                answer = agent.next();
            } catch (IOException e) {
                answer = null;
            }
            assertThat(answer == null || answer instanceof Message.Goodbye)
                    .as("%s", answer)
                    .isTrue();
            assertThat(rig.side.agentStatus()).isEmpty();
        }
    }

    @Test
    void clientThatIsAskedForWhenTheServerLeavesIsConnectedBeforeItsGoodbye() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            Future<RawConnection> visitor = executor.submit(() -> visit("evil.example.com"));
            Message.Connect asked = agent.next(Message.Connect.class);
            rig.side.leave(null);
            rig.awaitSweeps();
            agent.send(new Message.Ping(7));
            Message next = agent.next();
            while (next instanceof Message.Ready) {
                next = agent.next();
            }
            assertThat(next).as("no goodbye yet").isEqualTo(new Message.Pong(7));
            try (Socket data = agent.data(asked.id(), asked.token())) {
                data.getOutputStream().write(DataHello.ACKNOWLEDGED);
                assertThat(data.getInputStream().read()).as("a ClientHello").isEqualTo(22);
                assertThat(agent.next(Message.Goodbye.class).text()).isEqualTo("the server is closing");
            }
            assertThatThrownBy(visitor::get).hasCauseInstanceOf(IOException.class);
        }
    }

    @Test
    void agentThatReadsNoAnswersIsCutBeforeTheyTakeMuchMemory() throws Exception {
        String label = "x".repeat(60);
        List<Message.Offer> offers = new ArrayList<>();
        for (int i = 10; i < 10 + Frames.MAX_ITEMS; i++) {
            offers.add(new Message.Offer(
                    Message.Item.name(i + "." + label + "." + label + "." + label + "." + label + ".org"), 0));
        }
        Message.Announce announce = new Message.Announce(1, offers);
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port())) {
            // that it answers no heartbeats is another limit
            rig.stopClock();
            // fewer than are a flood, with more in answer than two sockets hold
            for (int i = 0; i < 1_900; i++) {
                agent.send(announce);
            }
        } catch (IOException e) {
            // it is cut
        }
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(rig.side.agentStatus())
                        .anySatisfy(each -> assertThat(each.left()).contains("the peer doesn't read")));
    }

    @Test
    void agentThatSaysHeartbeatsAndReadsNoneIsCutAndThoseThatReadAreNot() throws Exception {
        try (RawAgent deaf = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            PrivateSide good = rig.connected(rig.tunnel("good").announce("good.example.com", "127.0.0.1:1"));
            for (int i = 0; i < 6 && !hasLeft("mallory"); i++) {
                Instant before = lastSeen("mallory");
                Instant beforeOfGood = lastSeen("good");
                rig.pass(Duration.ofSeconds(11));
                try {
                    deaf.send(new Message.Ping(i)).send(new Message.Pong(i));
                } catch (IOException e) {
                    // it is cut
                }
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> (hasLeft("mallory") || lastSeen("mallory").isAfter(before))
                                && lastSeen("good").isAfter(beforeOfGood));
            }
            await().until(() -> hasLeft("mallory"));
            assertThat(rig.side.agentStatus())
                    .filteredOn(agent -> agent.name().equals("mallory"))
                    .singleElement()
                    .satisfies(agent -> assertThat(agent.left())
                            .contains("the peer doesn't read: two heartbeats weren't answered"));
            assertThat(hasLeft("good")).isFalse();
            assertThat(good.status().get(0).connected()).isTrue();
        }
    }

    private boolean hasLeft(String agent) {
        return rig.side.agentStatus().stream()
                .filter(each -> each.name().equals(agent))
                .allMatch(each -> each.left().isPresent());
    }

    private Instant lastSeen(String agent) {
        return rig.side.agentStatus().stream()
                .filter(each -> each.name().equals(agent))
                .map(TunnelStatus.Agent::lastSeen)
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @EnumSource(names = {"JDK", "AUTO"})
    void sessionOfARemovedAgentIsNotResumed(TlsProvider provider) throws Exception {
        try (TunnelRig other =
                new TunnelRig(Files.createDirectory(directory.resolve("other")), provider, "eve names=e.example.com")) {
            TunnelKey eve = TunnelKey.load(directory.resolve("other/eve"));
            SSLContext context = RawAgent.context(eve);
            for (int i = 0; i < 2; i++) {
                try (RawAgent agent = new RawAgent(eve, other.port(), UUID.randomUUID(), context)) {
                    agent.send(new Message.Hello(1, 0, agent.instance, "x"));
                    agent.next(Message.Welcome.class);
                }
            }
            other.writeAgents("good names=good.example.com");
            other.side.look();
            Object answer;
            try (RawAgent agent = new RawAgent(eve, other.port(), UUID.randomUUID(), context)) {
                agent.send(new Message.Hello(1, 0, agent.instance, "x"));
                answer = agent.next();
            } catch (IOException e) {
                answer = null;
            }
            assertThat(answer == null || answer instanceof Message.Goodbye)
                    .as("%s", answer)
                    .isTrue();
            assertThat(other.side.agentStatus()).noneMatch(each -> each.left().isEmpty());
        }
    }
}
