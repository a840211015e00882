package io.webproxy.undertow.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import io.webproxy.route.OutlierEjection;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.deadline.DescriptorRoom;
import io.webproxy.undertow.deadline.DescriptorRooms;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Clients that a rule refuses. */
@ExtendWith(LeakCheck.class)
class RelayLimitsTest {
    private final AtomicLong clock = new AtomicLong(1);
    private final AtomicReference<String> address = new AtomicReference<>("192.0.2.1");

    private RelayHarness harness(DescriptorRoom room) {
        RelayHarness harness = new RelayHarness(OutlierEjection.defaults(), clock::get, room, List.of());
        harness.clients = peer -> new InetSocketAddress(literal(address.get()), peer.getPort());
        return harness;
    }

    private static InetAddress literal(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    /** Greets, and stays until the client ends. */
    private static RawUpstream greeting() throws Exception {
        return RawUpstream.start(c -> {
            c.send("hi");
            c.readAll();
        });
    }

    private RawConnection open(int port, String from) throws Exception {
        address.set(from);
        RawConnection client = RelayHarness.connect(port);
        assertThat(client.read(2)).isEqualTo("hi");
        return client;
    }

    private void refused(RelayHarness harness, int port, String from, RelayEnd why) throws Exception {
        address.set(from);
        try (RawConnection client = RelayHarness.connect(port)) {
            assertThat(client.end()).isEqualTo("reset");
        }
        RelayRecord record = harness.ended();
        assertThat(record.end()).isEqualTo(why);
        assertThat(record.target()).isEmpty();
        assertThat(record.client().getAddress()).isEqualTo(literal(from));
    }

    @Test
    void connectionsAboveTheLimitOfTheRuleAreClosedAndTheOthersGoOn() throws Exception {
        try (RawUpstream target = greeting();
                RelayHarness harness = harness(DescriptorRoom.unlimited())) {
            int port = harness.listen(RelayHarness.to(target.port()).withConnections(2));
            try (RawConnection one = open(port, "192.0.2.1")) {
                RawConnection two = open(port, "192.0.2.2");
                refused(harness, port, "192.0.2.3", RelayEnd.REFUSED_LIMIT);
                two.close();
                assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLOSED);
                open(port, "192.0.2.3").close();
                one.shutdownOutput();
                assertThat(one.readAll()).isEmpty();
            }
            await().untilAsserted(() -> assertThat(harness.status().refused()).isEqualTo(1));
            await().untilAsserted(() -> assertThat(harness.status().total()).isEqualTo(4));
            assertThat(target.connections()).isEqualTo(3);
        }
    }

    @Test
    void connectionsOfOneAddressAreLimitedAndAnIpv6NetworkOf64BitsIsOneAddress() throws Exception {
        try (RawUpstream target = greeting();
                RelayHarness harness = harness(DescriptorRoom.unlimited())) {
            int port = harness.listen(RelayHarness.to(target.port()).withConnectionsPerAddress(1));
            try (RawConnection one = open(port, "2001:db8:1:2::1");
                    RawConnection other = open(port, "2001:db8:1:3::1")) {
                refused(harness, port, "2001:db8:1:2:ffff::7", RelayEnd.REFUSED_LIMIT);
                assertThat(one.socket().isClosed() || other.socket().isClosed()).isFalse();
            }
            harness.ended();
            harness.ended();
            open(port, "2001:db8:1:2:ffff::7").close();
            harness.ended();
            harness.isQuiet();
        }
    }

    @Test
    void newConnectionsOfOneAddressAreLimitedPerMinute() throws Exception {
        try (RawUpstream target = greeting();
                RelayHarness harness = harness(DescriptorRoom.unlimited())) {
            int port = harness.listen(RelayHarness.to(target.port()).withNewConnectionsPerMinute(3));
            for (int i = 0; i < 3; i++) {
                open(port, "192.0.2.1").close();
                assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLOSED);
            }
            refused(harness, port, "192.0.2.1", RelayEnd.REFUSED_RATE);
            open(port, "192.0.2.2").close();
            harness.ended();
            clock.addAndGet(Duration.ofSeconds(20).toNanos());
            open(port, "192.0.2.1").close();
            harness.ended();
            refused(harness, port, "192.0.2.1", RelayEnd.REFUSED_RATE);
            await().untilAsserted(() -> assertThat(harness.status().refused()).isEqualTo(2));
        }
    }

    @Test
    void limitsHoldAcrossAnUpdateOfTheRuleAndItsRelaysGoOn() throws Exception {
        try (RawUpstream before = greeting();
                RawUpstream after = greeting();
                RelayHarness harness = harness(DescriptorRoom.unlimited())) {
            AtomicReference<RelayRule> rule = new AtomicReference<>(harness.relays.rule(
                    "test", "ssh", RelayHarness.to(before.port()).withConnections(2)));
            int port = harness.listen("127.0.0.1", rule::get);
            try (RawConnection old = open(port, "192.0.2.1")) {
                rule.set(harness.relays.rule(
                        "test", "ssh", RelayHarness.to(after.port()).withConnections(2)));
                try (RawConnection fresh = open(port, "192.0.2.1")) {
                    assertThat(after.connections()).isEqualTo(1);
                    refused(harness, port, "192.0.2.1", RelayEnd.REFUSED_LIMIT);
                    fresh.close();
                    harness.ended();
                }
                old.send("still there").shutdownOutput();
                assertThat(old.readAll()).isEmpty();
            }
            RelayRecord record = harness.ended();
            assertThat(record.sent()).isEqualTo(11);
            assertThat(record.target()).contains("127.0.0.1:" + before.port());
        }
    }

    @Test
    void shortageOfMemoryRefusesNewRelaysAndHarmsNoOther() throws Exception {
        try (RawUpstream target = greeting();
                RelayHarness harness = harness(DescriptorRoom.unlimited())) {
            harness.relays.memory(open -> open <= 1);
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection one = open(port, "192.0.2.1")) {
                refused(harness, port, "192.0.2.2", RelayEnd.REFUSED_SHORTAGE);
                one.send("still there").shutdownOutput();
                assertThat(one.readAll()).isEmpty();
            }
            assertThat(harness.ended().sent()).isEqualTo(11);
            open(port, "192.0.2.2").close();
        }
    }

    /** 256 descriptors, of which 12 are never for relays; each relay that is open, or being refused, has one. */
    @Test
    void shortageOfDescriptorsRefusesNewRelaysAndHarmsNoOther() throws Exception {
        AtomicLong others = new AtomicLong(241);
        AtomicReference<RelayHarness> running = new AtomicReference<>();
        DescriptorRoom room = DescriptorRooms.of(
                256,
                () -> others.get()
                        + (running.get() == null ? 0 : running.get().status().open()));
        try (RawUpstream target = greeting();
                RelayHarness harness = harness(room)) {
            running.set(harness);
            int port = harness.listen(RelayHarness.to(target.port()));
            try (RawConnection one = open(port, "192.0.2.1");
                    RawConnection two = open(port, "192.0.2.1")) {
                refused(harness, port, "192.0.2.1", RelayEnd.REFUSED_SHORTAGE);
                refused(harness, port, "192.0.2.2", RelayEnd.REFUSED_SHORTAGE);
                assertThat(target.connections()).isEqualTo(2);
                one.close();
                assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLOSED);
                open(port, "192.0.2.2").close();
                assertThat(harness.ended().end()).isEqualTo(RelayEnd.CLOSED);
                two.send("still there").shutdownOutput();
                assertThat(two.readAll()).isEmpty();
                assertThat(harness.ended().sent()).isEqualTo(11);
            }
            await().untilAsserted(() -> assertThat(harness.status().refused()).isEqualTo(2));
            harness.isQuiet();
        }
    }
}
