package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import io.webproxy.route.OutlierEjection;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.undertow.deadline.DescriptorRoom;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** How relays end that nobody ends, and what is said of each end: one line, one event, and counts that are 0 again. */
@ExtendWith(LeakCheck.class)
class RelayEndTest {
    private final AtomicLong clock = new AtomicLong(1);
    private final Logger logger = (Logger) LoggerFactory.getLogger("io.webproxy.relay");
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

    @BeforeEach
    void listen() {
        lines.list = new CopyOnWriteArrayList<>();
        lines.setContext(logger.getLoggerContext());
        lines.start();
        logger.addAppender(lines);
    }

    @AfterEach
    void stop() {
        logger.detachAppender(lines);
    }

    private RelayHarness harness(ProxyObserver... others) {
        return new RelayHarness(OutlierEjection.defaults(), clock::get, DescriptorRoom.unlimited(), List.of(others));
    }

    private static RawUpstream echo() throws Exception {
        return RawUpstream.start(c -> {
            for (int b = c.readByte(); b >= 0; b = c.readByte()) {
                c.send(new byte[] {(byte) b});
            }
        });
    }

    private void oneLine(String end) {
        assertThat(lines.list)
                .singleElement()
                .satisfies(line -> assertThat(line.getFormattedMessage()).endsWith(" end=" + end));
        lines.list.clear();
    }

    @Test
    void silentRelayEndsAfterItsIdleTimeAndNoSooner() throws Exception {
        try (RawUpstream target = echo();
                RelayHarness harness = harness()) {
            int port = harness.listen(RelayHarness.to(target.port()).withIdleTime(Duration.ofSeconds(30)));
            try (RawConnection client = RelayHarness.connect(port)) {
                for (int i = 0; i < 3; i++) {
                    client.send("x");
                    assertThat(client.read(1)).isEqualTo("x");
                    harness.sweep();
                    clock.addAndGet(Duration.ofSeconds(29).toNanos());
                    harness.sweep();
                    assertThat(harness.relays.open()).isEqualTo(1);
                }
                clock.addAndGet(Duration.ofSeconds(2).toNanos());
                assertThat(client.end()).isEqualTo("reset");
            }
            RelayRecord record = harness.ended();
            assertThat(record.end()).isEqualTo(RelayEnd.IDLE);
            assertThat(record.sent()).isEqualTo(3);
            oneLine("idle");
            harness.isQuiet();
        }
    }

    @Test
    void relayWithoutIdleTimeLastsForEver() throws Exception {
        try (RawUpstream target = echo();
                RelayHarness harness = harness()) {
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("x").read(1);
                clock.addAndGet(Duration.ofDays(400).toNanos());
                harness.sweep();
                client.send("y");
                assertThat(client.read(1)).isEqualTo("y");
            }
        }
    }

    @Test
    void cutResetsBothSides() throws Exception {
        try (RawUpstream target = RawUpstream.start(c -> {
                    c.send("hi");
                    assertThat(c.end()).isEqualTo("reset");
                });
                RelayHarness harness = harness()) {
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.read(2);
                harness.relays.cutAll();
                assertThat(client.end()).isEqualTo("reset");
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CUT);
            oneLine("cut");
            harness.isQuiet();
            await().until(() -> target.failures().isEmpty());
        }
    }

    @Test
    void everyEndHasOneLineAndOneEvent() throws Exception {
        try (RawUpstream target = echo();
                RefusedPort refused = RefusedPort.open();
                RelayHarness harness = harness()) {
            int port = harness.listen(RelayHarness.to(target.port()).withNewConnectionsPerMinute(2));
            int down = harness.listen(
                    "127.0.0.1", () -> harness.relays.rule("test", "down", RelayHarness.to(refused.port())));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("x").shutdownOutput();
                assertThat(client.readAll()).isEqualTo("x");
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLOSED);
            String line = lines.list.get(0).getFormattedMessage();
            assertThat(line)
                    .matches("client=127\\.0\\.0\\.1:[0-9]+ endpoint=test rule=ssh source=127\\.0\\.0\\.1:[0-9]+"
                            + " target=127\\.0\\.0\\.1:" + target.port()
                            + " sent=1 received=1 seconds=[0-9]+\\.[0-9]{3} end=closed");
            oneLine("closed");
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("x").read(1);
                client.reset();
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLIENT_RESET);
            oneLine("client-reset");
            try (RawConnection client = RelayHarness.connect(port)) {
                client.end();
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.REFUSED_RATE);
            assertThat(lines.list.get(0).getFormattedMessage()).contains(" source=- target=- sent=0 received=0 ");
            oneLine("refused-rate");
            try (RawConnection client = RelayHarness.connect(down)) {
                client.end();
            }
            assertThat(harness.ended().end()).isEqualTo(RelayEnd.CONNECT_FAILED);
            oneLine("connect-failed");
            harness.relays.undetected(
                    "test",
                    new InetSocketAddress("2001:db8::7", 4711),
                    Duration.ofMillis(2),
                    RelayEnd.UNDETECTED_SILENT);
            RelayRecord unknown = harness.ended();
            assertThat(unknown.rule()).isEmpty();
            assertThat(lines.list.get(0).getFormattedMessage())
                    .isEqualTo("client=[2001:db8::7]:4711 endpoint=test rule=- source=- target=- sent=0 received=0"
                            + " seconds=0.002 end=undetected-silent");
            assertThat(harness.relays.undetected("test")).containsOnlyKeys(RelayEnd.UNDETECTED_SILENT);
            harness.isQuiet();
        }
    }

    @Test
    @ExpectedLog(contains = "failed, which is logged once")
    void observerThatThrowsHarmsNothing() throws Exception {
        ProxyObserver broken = new ProxyObserver() {
            @Override
            public void relayEnded(RelayRecord relay) {
                throw new IllegalStateException("on purpose");
            }
        };
        try (RawUpstream target = echo();
                RelayHarness harness = harness(broken)) {
            int port = harness.listen(RelayHarness.to(target.port()));
            for (int i = 0; i < 2; i++) {
                try (RawConnection client = RelayHarness.connect(port)) {
                    client.send("x").shutdownOutput();
                    assertThat(client.readAll()).isEqualTo("x");
                }
                assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLOSED);
            }
            harness.isQuiet();
            await().untilAsserted(() -> assertThat(harness.status().open()).isZero());
        }
    }

    @Test
    void countsOfRemovedRulesAreForgottenWhenTheirRelaysHaveEnded() throws Exception {
        try (RawUpstream target = echo();
                RelayHarness harness = harness()) {
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection client = RelayHarness.connect(port)) {
                client.send("x").read(1);
                harness.relays.retain(Map.of("test", List.of("other")));
                assertThat(harness.relays.rules("test", List.of("other")))
                        .extracting(rule -> rule.name() + " " + rule.open())
                        .containsExactly("other 0", "ssh 1");
            }
            harness.ended();
            assertThat(harness.relays.rules("test", List.of("other"))).hasSize(1);
            harness.relays.retain(Map.of());
            await().untilAsserted(() -> assertThat(harness.status().total()).isZero());
        }
    }
}
