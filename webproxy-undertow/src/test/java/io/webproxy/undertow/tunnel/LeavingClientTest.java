package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.RelayEnd;
import io.webproxy.spi.TlsProvider;
import io.webproxy.spi.TunnelKey;
import io.webproxy.testing.FreePorts;
import io.webproxy.testing.Hellos;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A client that leaves while its agent is asked, or waited for, is noticed, and neither counts nor keeps an agent busy
 * any longer.
 */
@ExtendWith(LeakCheck.class)
class LeavingClientTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private int port;
    private TunnelRig rig;
    private RawAgent agent;

    @BeforeEach
    void start() throws Exception {
        port = FreePorts.next();
        rig = new TunnelRig(directory, TlsProvider.AUTO, "alice names=*.example.com ports=" + port);
        agent = new RawAgent(TunnelKey.load(directory.resolve("alice")), rig.port(), UUID.randomUUID());
        agent.send(new Message.Hello(1, 0, agent.instance, "raw"));
        agent.next(Message.Welcome.class);
        agent.send(new Message.Announce(
                1,
                List.of(
                        new Message.Offer(Message.Item.name("a.example.com"), 0),
                        new Message.Offer(Message.Item.port(port), 0))));
        assertThat(agent.next(Message.Result.class).verdicts()).allMatch(Message.Verdict::isAccepted);
    }

    @AfterEach
    void close() throws Exception {
        agent.close();
        rig.close();
    }

    private RawConnection client(String kind) throws IOException {
        return switch (kind) {
            case "name" -> RawConnection.open(rig.port()).send(Hellos.with(Hellos.serverName("a.example.com")));
            case "absent" -> RawConnection.open(rig.port()).send(Hellos.with(Hellos.serverName("b.example.com")));
            default -> RawConnection.open(port);
        };
    }

    private static void leave(RawConnection client, String how) throws IOException {
        if (how.equals("RST")) {
            client.socket().setSoLinger(true, 0);
        }
        client.socket().close();
    }

    private void awaitNoClients() throws InterruptedException {
        await().atMost(SOON).until(() -> rig.side.clients() == 0);
        assertThat(rig.record().end()).isEqualTo(RelayEnd.CLIENT_LEFT);
        assertThat(rig.side.counts().waiting()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"name, FIN, 0", "name, RST, 0", "name, FIN, 100", "name, RST, 100", "port, RST, 0", "port, RST, 100"})
    void isNoticedAndTheAgentIsTold(String kind, String how, int bytes) throws Exception {
        RawConnection client = client(kind).send(new byte[bytes]);
        Message.Connect asked = agent.next(Message.Connect.class);
        assertThat(rig.side.clients()).isEqualTo(1);
        leave(client, how);
        awaitNoClients();
        assertThat(agent.next(Message.Drop.class).id()).isEqualTo(asked.id());
    }

    @ParameterizedTest
    @ValueSource(strings = {"FIN", "RST"})
    void isNoticedWhileNoAgentIsThere(String how) throws Exception {
        RawConnection client = client("absent");
        await().atMost(SOON).until(() -> rig.side.clients() == 1);
        leave(client, how);
        awaitNoClients();
    }

    @ParameterizedTest
    @ValueSource(strings = {"name", "port"})
    void clientThatHasEndedItsDirectionIsWaitedForAWhile(String kind) throws Exception {
        try (RawConnection client = client(kind)) {
            client.send("all that it says\n").shutdownOutput();
            Message.Connect asked = agent.next(Message.Connect.class);
            // its end is seen
            rig.awaitSweeps();
            assertThat(rig.side.clients()).isEqualTo(1);
            try (Socket data = agent.data(asked.id(), asked.token())) {
                data.getOutputStream().write(DataHello.ACKNOWLEDGED);
                assertThat(new String(data.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                        .endsWith("all that it says\n");
                data.getOutputStream().write("answer".getBytes(StandardCharsets.US_ASCII));
                data.shutdownOutput();
                assertThat(client.readAll()).isEqualTo("answer");
            }
            assertThat(rig.record().end()).isEqualTo(RelayEnd.CLOSED);
        }
    }

    @Test
    void clientOfAPortThatHasClosedIsGivenUp() throws Exception {
        RawConnection client = client("port");
        Message.Connect asked = agent.next(Message.Connect.class);
        leave(client, "FIN");
        rig.awaitSweeps();
        assertThat(rig.side.clients()).isEqualTo(1);
        rig.pass(Duration.ofSeconds(5));
        awaitNoClients();
        assertThat(agent.next(Message.Drop.class).id()).isEqualTo(asked.id());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4096, 4097, 300_000})
    void whatAClientSaysMeanwhileReachesTheTarget(int bytes) throws Exception {
        byte[] said = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            said[i] = (byte) (i * 31 + i / 256);
        }
        try (RawConnection client = client("port")) {
            Message.Connect asked = agent.next(Message.Connect.class);
            client.send(said);
            client.shutdownOutput();
            rig.awaitSweeps();
            try (Socket data = agent.data(asked.id(), asked.token())) {
                data.getOutputStream().write(DataHello.ACKNOWLEDGED);
                assertThat(data.getInputStream().readAllBytes()).isEqualTo(said);
                data.shutdownOutput();
                assertThat(client.readAll()).isEmpty();
            }
        }
    }
}
