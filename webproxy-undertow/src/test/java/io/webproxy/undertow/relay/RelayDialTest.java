package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import io.webproxy.port.Relay;
import io.webproxy.route.OutlierEjection;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.HangingPort;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.undertow.deadline.DescriptorRoom;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which target a relay gets, and what its client sees when there is none. */
@ExtendWith(LeakCheck.class)
class RelayDialTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    private final AtomicLong clock = new AtomicLong(1);

    private static String ask(int port) throws Exception {
        try (RawConnection client = RelayHarness.connect(port)) {
            client.send("?").shutdownOutput();
            return client.readAll();
        }
    }

    /** Its limits go by the clock. */
    private RelayHarness turned() {
        return new RelayHarness(OutlierEjection.defaults(), clock::get, DescriptorRoom.unlimited(), List.of());
    }

    /** Of 600 ms, once the first of two targets is being connected to. */
    private void passHalfOfTheTime(RelayHarness harness) throws Exception {
        await().until(() -> harness.relays.open() == 1);
        harness.onThread(() -> {});
        clock.addAndGet(Duration.ofMillis(300).toNanos());
    }

    private static RawUpstream answering(String name) throws Exception {
        return RawUpstream.start(c -> {
            c.read(1);
            c.send(name);
        });
    }

    @Test
    void equalTargetsTakeTurns() throws Exception {
        try (RawUpstream one = answering("one");
                RawUpstream two = answering("two");
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(one.port(), two.port()));
            assertThat(List.of(ask(port), ask(port), ask(port), ask(port))).containsExactly("one", "two", "one", "two");
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.upstream", contains = "is skipped: ")
    void targetThatRefusesIsReplacedByTheNextThenEjectedAndTriedAgainLater() throws Exception {
        OutlierEjection ejection =
                OutlierEjection.defaults().withConnectFailures(2).withTime(Duration.ofSeconds(10));
        try (RefusedPort down = RefusedPort.open();
                RawUpstream up = answering("up");
                RelayHarness harness = new RelayHarness(ejection, clock::get, DescriptorRoom.unlimited(), List.of())) {
            int port = harness.listen(RelayHarness.to(down.port(), up.port()));
            for (int i = 0; i < 4; i++) {
                assertThat(ask(port)).isEqualTo("up");
                assertThat(harness.ended().target()).contains("127.0.0.1:" + up.port());
            }
            assertThat(harness.status().ejected()).containsExactly("127.0.0.1:" + down.port());
            await().untilAsserted(() -> assertThat(harness.status().failed()).isZero());
            try (ServerSocket back = down.listen()) {
                assertThat(List.of(ask(port), ask(port))).containsExactly("up", "up");
                clock.addAndGet(Duration.ofSeconds(10).toNanos());
                try (RawConnection client = RelayHarness.connect(port);
                        RawConnection other = RelayHarness.connect(port);
                        Socket accepted = back.accept()) {
                    assertThat(accepted.isConnected()).isTrue();
                    await().until(() -> harness.status().ejected().isEmpty());
                    client.close();
                    other.close();
                }
            }
        }
    }

    @Test
    void refusedClientDoesNotTakeTheTryOfATargetThatIsEjected() throws Exception {
        OutlierEjection ejection =
                OutlierEjection.defaults().withConnectFailures(1).withTime(Duration.ofSeconds(10));
        try (RefusedPort down = RefusedPort.open();
                RawUpstream up = answering("up");
                RelayHarness harness = new RelayHarness(ejection, clock::get, DescriptorRoom.unlimited(), List.of())) {
            int port = harness.listen(RelayHarness.to(down.port(), up.port()).withConnections(1));
            for (int i = 0; i < 2; i++) {
                assertThat(ask(port)).isEqualTo("up");
                harness.ended();
            }
            assertThat(harness.status().ejected()).hasSize(1);
            try (ServerSocket back = down.listen();
                    RawConnection held = RelayHarness.connect(port)) {
                assertThat(back.isBound()).isTrue();
                await().until(() -> harness.relays.open() == 1);
                clock.addAndGet(Duration.ofSeconds(10).toNanos());
                for (int i = 0; i < 3; i++) {
                    try (RawConnection refused = RelayHarness.connect(port)) {
                        assertThat(refused.end()).isEqualTo("reset");
                    }
                    harness.ended();
                }
                held.reset();
                harness.ended();
                List<String> tried = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    RawConnection client = RelayHarness.connect(port);
                    await().until(() -> harness.relays.open() == 1);
                    client.reset();
                    tried.add(harness.ended().target().orElseThrow());
                }
                assertThat(tried).contains("127.0.0.1:" + down.port());
            }
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.upstream", contains = "no target can be connected to")
    void clientIsResetWhenNoTargetCanBeConnectedTo() throws Exception {
        try (RefusedPort one = RefusedPort.open();
                RefusedPort two = RefusedPort.open();
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(one.port(), two.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                assertThat(client.end()).isEqualTo("reset");
            }
            RelayRecord record = harness.ended();
            assertThat(record.end()).isEqualTo(RelayEnd.CONNECT_FAILED);
            assertThat(record.detail()).contains("refuses connections");
            assertThat(record.target()).contains("127.0.0.1:" + two.port());
            assertThat(record.source()).isEmpty();
            await().untilAsserted(() -> assertThat(harness.status().failed()).isEqualTo(1));
            harness.isQuiet();
        }
    }

    @Test
    void nameThatIsNotFoundIsAFailureOfTheTarget() throws Exception {
        try (RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(Relay.to("nothing.invalid:22"));
            try (RawConnection client = RelayHarness.connect(port)) {
                assertThat(client.end()).isEqualTo("reset");
            }
            assertThat(harness.ended().detail()).contains("nothing.invalid");
        }
    }

    /** The service listens on the IPv4 address only, which localhost needn't have first. */
    @Test
    void targetMayBeANameOrAnIpv6Address() throws Exception {
        try (RawUpstream up = answering("up");
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(Relay.to("localhost:" + up.port()));
            assertThat(ask(port)).isEqualTo("up");
            assertThat(harness.ended().target()).contains("localhost:" + up.port());
        }
        try (ServerSocket up = new ServerSocket(0, 5, InetAddress.getByName("::1"));
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(Relay.to("[::1]:" + up.getLocalPort()));
            try (RawConnection client = RelayHarness.connect(port);
                    RawConnection accepted = new RawConnection(up.accept())) {
                client.send("?");
                assertThat(accepted.read(1)).isEqualTo("?");
            }
            RelayRecord record = harness.ended();
            assertThat(record.target()).contains("[::1]:" + up.getLocalPort());
            assertThat(record.source().orElseThrow().getAddress()).isEqualTo(InetAddress.getByName("::1"));
        }
    }

    @Test
    void targetThatHangsLeavesTimeForTheNext() throws Exception {
        try (HangingPort hung = HangingPort.open();
                RawUpstream up = answering("up");
                RelayHarness harness = turned()) {
            int port = harness.listen(RelayHarness.to(hung.port(), up.port()).withConnectTime(Duration.ofMillis(600)));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("?").shutdownOutput();
                passHalfOfTheTime(harness);
                assertThat(client.readAll()).isEqualTo("up");
            }
        }
    }

    @Test
    void attemptsTogetherHaveOneLimit() throws Exception {
        try (HangingPort one = HangingPort.open();
                HangingPort two = HangingPort.open();
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(
                    RelayHarness.to(one.port(), two.port(), one.port()).withConnectTime(Duration.ofSeconds(1)));
            try (RawConnection client = RelayHarness.connect(port)) {
                assertThat(client.end()).isEqualTo("reset");
            }
            RelayRecord record = harness.ended();
            assertThat(record.end()).isEqualTo(RelayEnd.CONNECT_FAILED);
            assertThat(record.duration()).isBetween(Duration.ofSeconds(1), Duration.ofMillis(2_900));
        }
    }

    @Test
    void resetOfTheClientEndsTheAttemptAtOnce() throws Exception {
        try (HangingPort hung = HangingPort.open();
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(hung.port()).withConnectTime(LONG));
            RawConnection client = RelayHarness.connect(port);
            client.send("SSH-2.0-x¶");
            await().until(() -> harness.relays.open() == 1);
            client.reset();
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLIENT_LEFT);
            harness.isQuiet();
        }
    }

    @Test
    void clientThatHasEndedIsWaitedForNoLongerThanASecond() throws Exception {
        try (HangingPort hung = HangingPort.open();
                RelayHarness harness = turned()) {
            int port = harness.listen(RelayHarness.to(hung.port()).withConnectTime(LONG));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("SSH-2.0-x¶");
                await().until(() -> harness.relays.open() == 1);
            }
            await().until(() -> {
                clock.addAndGet(Duration.ofMillis(100).toNanos());
                return harness.relays.open() == 0;
            });
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLIENT_LEFT);
        }
    }

    /** The first target hangs, so that the client's bytes and its half-close come before there is a connection. */
    @Test
    void whatTheClientSendsMeanwhileIsNeitherLostNorLeftBehind() throws Exception {
        String much = "x".repeat(100_000);
        try (HangingPort hung = HangingPort.open();
                RawUpstream up =
                        RawUpstream.start(c -> c.send(String.valueOf(c.readAll().equals(much))));
                RelayHarness harness = turned()) {
            int port = harness.listen(RelayHarness.to(hung.port(), up.port()).withConnectTime(Duration.ofMillis(600)));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send(much).shutdownOutput();
                passHalfOfTheTime(harness);
                assertThat(client.readAll()).isEqualTo("true");
            }
            assertThat(harness.ended().sent()).isEqualTo(much.length());
        }
        try (HangingPort hung = HangingPort.open();
                RawUpstream up = RawUpstream.start(c -> c.send("<" + c.readAll() + ">"));
                RelayHarness harness = turned()) {
            int port = harness.listen(RelayHarness.to(hung.port(), up.port()).withConnectTime(Duration.ofMillis(600)));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("half").shutdownOutput();
                passHalfOfTheTime(harness);
                assertThat(client.readAll()).isEqualTo("<half>");
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLOSED);
        }
    }

    @Test
    void cutEndsAnAttempt() throws Exception {
        try (HangingPort hung = HangingPort.open();
                RelayHarness harness = new RelayHarness()) {
            int port = harness.listen(RelayHarness.to(hung.port()).withConnectTime(LONG));
            try (RawConnection client = RelayHarness.connect(port)) {
                await().until(() -> harness.relays.open() == 1);
                harness.relays.cutAll();
                assertThat(client.end()).isEqualTo("reset");
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CUT);
            harness.isQuiet();
        }
    }

    /** Under which name doesn't matter: it may have become this machine's since the start. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void relayThatComesBackToItsEndpointEnds(int endpoints) throws Exception {
        try (RelayHarness harness = new RelayHarness()) {
            harness.whenReadable = true;
            List<RelayRule> rules = new CopyOnWriteArrayList<>();
            int[] ports = new int[endpoints];
            for (int i = 0; i < endpoints; i++) {
                int number = i;
                ports[i] = harness.listen("127.0.0.1", () -> rules.get(number));
            }
            for (int i = 0; i < endpoints; i++) {
                rules.add(harness.relays.rule(
                        "endpoint" + i,
                        "ssh",
                        RelayHarness.to(ports[(i + 1) % endpoints]).withConnections(100)));
            }
            try (RawConnection client = RelayHarness.connect(ports[0])) {
                assertThat(client.send("SSH-2.0-x¶").end()).isEqualTo("reset");
            }
            await().until(() -> harness.relays.open() == 0);
            long relays = 0;
            for (int i = 0; i < endpoints; i++) {
                relays += harness.relays
                        .rules("endpoint" + i, List.of("ssh"))
                        .get(0)
                        .total();
            }
            assertThat(relays).isLessThan(endpoints + 3);
            List<RelayEnd> ends = new ArrayList<>();
            for (int i = 0; i < relays; i++) {
                ends.add(harness.ended().end());
            }
            assertThat(ends).contains(RelayEnd.CONNECT_FAILED);
            assertThat(harness.relays.paths().size()).isZero();
        }
    }
}
