package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.TunnelEvent;
import io.webproxy.spi.TlsProvider;
import io.webproxy.spi.TunnelEventData;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.Told;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Agents that break the rules, and those who pass for agents: nothing is thrown, and a bystander goes on. */
@ExtendWith(LeakCheck.class)
class HostileAgentTest {
    @TempDir
    private Path directory;

    private RawUpstream inner;
    private TunnelRig rig;
    private TunnelKey mallory;

    @BeforeEach
    void start() throws Exception {
        inner = InnerTls.echoing();
        rig = new TunnelRig(
                directory, TlsProvider.AUTO, "good names=good.example.com", "mallory names=evil.example.com");
        mallory = TunnelKey.load(directory.resolve("mallory"));
        rig.connected(rig.tunnel("good").announce("good.example.com", "127.0.0.1:" + inner.port()));
    }

    @AfterEach
    void bystanderGoesOn() throws Exception {
        try (RawConnection visitor = visit("good.example.com")) {
            visitor.send("ping\n");
            assertThat(visitor.readLine()).isEqualTo("ping\n");
        } finally {
            rig.close();
            inner.close();
        }
    }

    private RawConnection visit(String name) throws IOException {
        return RawConnection.openTlsFor(name, rig.port(), TestProxy.trust().sslSocketFactory(), "http/1.1");
    }

    @Test
    void keyThatTheFileDoesNotHaveIsRefusedWithinTls() throws Exception {
        TunnelKey unknown = TunnelKey.create(directory.resolve("other"), "unknown");
        // with TLS 1.3 a client hears of it only when it reads
        assertThatThrownBy(() -> {
                    try (RawAgent agent = new RawAgent(unknown, rig.port(), UUID.randomUUID())) {
                        agent.send(new Message.Hello(1, 0, agent.instance, "x"));
                        if (agent.next() == null) {
                            throw new IOException("closed");
                        }
                    }
                })
                .isInstanceOf(IOException.class);
        await().until(() -> rig.side.refusedAgents() >= 1);
        await().untilAsserted(() -> assertThat(rig.events)
                .contains(new Told(
                        "tunnelAgentRefused",
                        new TunnelEventData(unknown.fingerprint(), "", "the agents file has no agent with this key"))));
    }

    @Test
    void garbageOnAControlChannelIsAnsweredWithAGoodbye() throws Exception {
        byte[] garbage = new byte[200];
        new Random(3).nextBytes(garbage);
        for (byte[] bytes : List.of(
                garbage,
                new byte[] {-1, -1, -1, -1},
                new byte[] {0, 0, 0, 0},
                new byte[] {0x7f, -1, -1, -1, 1},
                new byte[] {0, 0, 0, 1, Frames.HELLO},
                new byte[] {0, 0, 0, 1, 99},
                ByteBuffer.allocate(100)
                        .put(Frames.of(new Message.Welcome(1, 0, "a", "b")))
                        .array())) {
            try (RawAgent agent = new RawAgent(mallory, rig.port(), UUID.randomUUID())) {
                agent.send(bytes);
                assertThat(agent.next()).isInstanceOf(Message.Goodbye.class);
                assertThat(agent.next()).isNull();
            }
        }
    }

    @Test
    void nothingIsAnnouncedBeforeAHello() throws Exception {
        try (RawAgent agent = new RawAgent(mallory, rig.port(), UUID.randomUUID())) {
            agent.send(new Message.Announce(1, List.of(new Message.Offer(Message.Item.name("evil.example.com"), 0))));
            assertThat(agent.next()).isInstanceOf(Message.Goodbye.class);
        }
        assertThatThrownBy(() -> visit("evil.example.com")).isInstanceOf(IOException.class);
    }

    @Test
    void pingsAreAnsweredAndWhatALaterVersionSaysIsSkipped() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port())) {
            agent.send(new byte[] {0, 0, 0, 3, (byte) 200, 1, 2}).send(new Message.Ping(42));
            assertThat(agent.next()).isEqualTo(new Message.Pong(42));
        }
    }

    @Test
    void namesThatNobodyCanHaveAreMalformed() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port())) {
            List<Message.Offer> offers = List.of(
                    new Message.Offer(Message.Item.name("*"), 0),
                    new Message.Offer(Message.Item.name("*.com"), 0),
                    new Message.Offer(Message.Item.name(""), 0),
                    new Message.Offer(Message.Item.name("a b"), 0),
                    new Message.Offer(Message.Item.name("192.0.2.1"), 0),
                    new Message.Offer(Message.Item.port(0), 0),
                    new Message.Offer(Message.Item.name("evil.example.com"), 604_801),
                    new Message.Offer(Message.Item.name("EVIL.example.com."), 604_800));
            agent.send(new Message.Announce(-7, offers));
            Message.Result result = agent.next(Message.Result.class);
            assertThat(result.sequence()).isEqualTo(-7);
            assertThat(result.verdicts().stream().map(Message.Verdict::code))
                    .containsExactly(400, 400, 400, 400, 400, 400, 400, 200);
        }
    }

    @Test
    void floodOfMessagesEndsTheChannel() throws Exception {
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port())) {
            byte[] pings = new byte[13 * 500];
            for (int i = 0; i < 500; i++) {
                ByteBuffer.wrap(pings, 13 * i, 13).put(Frames.of(new Message.Ping(i)));
            }
            try {
                for (int i = 0; i < 8; i++) {
                    agent.send(pings);
                }
                Message last = agent.next();
                for (Message next = last; next != null; next = agent.next()) {
                    last = next;
                }
                assertThat(last).isEqualTo(new Message.Goodbye(400, "too many messages"));
            } catch (IOException e) {
                // what was still on its way has reset it, perhaps before the server has put down why
                await().untilAsserted(() -> assertThat(rig.side.agentStatus())
                        .anySatisfy(each -> assertThat(each.left()).contains("too many messages")));
            }
        }
    }

    @Test
    void newerChannelOfAnInstanceReplacesTheOlderAtOnce() throws Exception {
        UUID instance = UUID.randomUUID();
        try (RawAgent older = new RawAgent(mallory, rig.port(), instance);
                RawAgent newer = new RawAgent(mallory, rig.port(), instance)) {
            older.send(new Message.Hello(1, 0, instance, "older"));
            older.next(Message.Welcome.class);
            newer.send(new Message.Hello(1, 0, instance, "newer"));
            newer.next(Message.Welcome.class);
            assertThat(older.next(Message.Goodbye.class).text()).contains("newer channel");
        }
    }

    @Test
    void tokenIsGoodForNobodyElseAndOnlyOnce() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            Future<RawConnection> visitor = executor.submit(() -> visit("evil.example.com"));
            Message.Connect asked = agent.next(Message.Connect.class);
            assertThat(asked.visitor().name()).isEqualTo("evil.example.com");
            String other = TunnelKey.load(directory.resolve("good")).fingerprint();
            for (byte[] proof : List.of(
                    new byte[32],
                    asked.token(),
                    Tokens.proof(asked.token(), asked.id(), other, agent.instance),
                    Tokens.proof(asked.token(), asked.id(), mallory.fingerprint(), UUID.randomUUID()))) {
                try (Socket wrong = agent.dataWithProof(asked.id(), proof)) {
                    assertThat(wrong.getInputStream().read()).isEqualTo(-1);
                }
            }
            try (Socket data = agent.data(asked.id(), asked.token());
                    Socket replay = agent.data(asked.id(), asked.token())) {
                // the one that isn't redeemed is closed; a visitor's bytes come only after the acknowledgement
                data.getOutputStream().write(DataHello.ACKNOWLEDGED);
                replay.getOutputStream().write(DataHello.ACKNOWLEDGED);
                int first = firstByte(data.getInputStream());
                int second = firstByte(replay.getInputStream());
                assertThat(List.of(first, second)).containsExactlyInAnyOrder(22, -1);
            }
            assertThatThrownBy(visitor::get).hasCauseInstanceOf(IOException.class);
        } finally {
            executor.shutdownNow();
        }
    }

    private static int firstByte(InputStream in) {
        try {
            return in.read();
        } catch (IOException e) {
            return -1;
        }
    }

    @Test
    void bytesInPlaceOfADataHelloAreNotAnswered() throws Exception {
        for (byte[] bytes : List.of(
                new byte[] {(byte) 0xe5},
                ByteBuffer.allocate(60).put(DataHello.of(1, new byte[32])).array())) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), rig.port())) {
                socket.setSoTimeout(30_000);
                socket.getOutputStream().write(bytes);
                socket.shutdownOutput();
                assertThat(firstByte(socket.getInputStream())).isEqualTo(-1);
            }
        }
        await().untilAsserted(() -> assertThat(rig.events)
                .filteredOn(told -> told.method().equals("tunnelAgentRefused"))
                .extracting(told -> told.as(TunnelEvent.class))
                .anyMatch(event ->
                        event.peer().startsWith("127.0.0.1") && event.detail().contains("token isn't good")));
    }

    @Test
    void deadReadyConnectionCostsNoVisitor() throws Exception {
        ExecutorService executor = Executors.newCachedThreadPool();
        try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            // a first visitor makes the pool ask for a ready connection
            Future<RawConnection> first = executor.submit(() -> visit("evil.example.com"));
            Message.Ready ready = null;
            Message.Connect connect = null;
            while (ready == null || connect == null) {
                Message message = Objects.requireNonNull(agent.next(), "the end");
                ready = message instanceof Message.Ready asked ? asked : ready;
                connect = message instanceof Message.Connect asked ? asked : connect;
            }
            agent.send(new Message.Refuse(connect.id(), "not now"));
            assertThatThrownBy(first::get).hasCauseInstanceOf(IOException.class);
            try (Socket silent = agent.data(ready.id(), ready.token())) {
                await().until(() -> rig.side.agentStatus().stream().anyMatch(each -> each.ready() == 1));
                Future<RawConnection> second = executor.submit(() -> visit("evil.example.com"));
                assertThat(agent.next(Message.Use.class).id()).isEqualTo(ready.id());
                // nothing comes on it: a new connection is asked for
                rig.pass(Duration.ofSeconds(2));
                Message.Connect next = agent.next(Message.Connect.class);
                try (Socket data = agent.data(next.id(), next.token());
                        Socket target = new Socket(InetAddress.getLoopbackAddress(), inner.port())) {
                    data.getOutputStream().write(DataHello.ACKNOWLEDGED);
                    executor.execute(() -> copy(data, target));
                    executor.execute(() -> copy(target, data));
                    try (RawConnection visitor = second.get()) {
                        visitor.send("served\n");
                        assertThat(visitor.readLine()).isEqualTo("served\n");
                    }
                }
                rig.pass(Duration.ofSeconds(10));
                assertThat(firstByte(silent.getInputStream())).isEqualTo(-1);
            }
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void processThatAnswersNothingIsAskedAfterThoseThatDo() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (RawAgent silent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
            Future<RawConnection> first = executor.submit(() -> visit("evil.example.com"));
            silent.next(Message.Connect.class);
            rig.connected(rig.tunnel("mallory").announce("evil.example.com", "127.0.0.1:" + inner.port()));
            rig.pass(Duration.ofSeconds(2));
            first.get().close();
            for (int i = 0; i < 5; i++) {
                visit("evil.example.com").close();
            }
            silent.send(new Message.Ping(7));
            for (Message message = silent.next(); !new Message.Pong(7).equals(message); message = silent.next()) {
                assertThat(message).isNotInstanceOf(Message.Connect.class).isNotNull();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    private static void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // the other side is gone
        }
    }

    @Test
    void channelThatIsGoneFailsItsVisitorsOverToNobodyWithinSeconds() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            Future<RawConnection> visitor;
            try (RawAgent agent = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
                visitor = executor.submit(() -> visit("evil.example.com"));
                agent.next(Message.Connect.class);
            }
            // it waits for its agent to come back
            try (RawAgent again = RawAgent.announcing(mallory, rig.port(), "evil.example.com")) {
                Message.Connect asked = again.next(Message.Connect.class);
                again.send(new Message.Refuse(asked.id(), "still not"));
                assertThatThrownBy(visitor::get).hasCauseInstanceOf(IOException.class);
            }
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void clientsThatSayNothingDisturbNobody() throws Exception {
        Socket[] silent = new Socket[300];
        try {
            for (int i = 0; i < silent.length; i++) {
                silent[i] = new Socket(InetAddress.getLoopbackAddress(), rig.port());
            }
            try (RawConnection visitor = visit("good.example.com")) {
                visitor.send("ping\n");
                assertThat(visitor.readLine()).isEqualTo("ping\n");
            }
            // each is closed within 5 s
            rig.pass(Duration.ofSeconds(5));
            for (Socket socket : silent) {
                socket.setSoTimeout(30_000);
                assertThat(firstByte(socket.getInputStream())).isEqualTo(-1);
            }
        } finally {
            for (Socket socket : silent) {
                if (socket != null) {
                    socket.close();
                }
            }
        }
    }
}
