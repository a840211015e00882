package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class DescriptorRoomTest {
    private final AtomicLong open = new AtomicLong();
    private final AtomicLong now = new AtomicLong();
    private final AtomicInteger counts = new AtomicInteger();

    private DescriptorRoom room(long limit) {
        return new DescriptorRoom(
                limit,
                () -> {
                    counts.incrementAndGet();
                    return open.get();
                },
                now::get);
    }

    @Test
    void partIsKeptBack() {
        DescriptorRoom room = room(256);
        open.set(100);
        int taken = 0;
        while (room.takeClient()) {
            taken++;
        }
        // 48 of 256 are kept back, 100 are open already, each connection may need 3
        assertThat(taken).isEqualTo((256 - 48 - 100) / 3);
        assertThat(counts).hasValue(1);
    }

    @Test
    void roomComesBack() {
        DescriptorRoom room = room(256);
        open.set(250);
        assertThat(room.takeClient()).isFalse();
        open.set(10);
        assertThat(room.takeClient()).as("it doesn't count for each refusal").isFalse();
        now.addAndGet(20_000_000);
        assertThat(room.takeClient()).isTrue();
    }

    @Test
    void countsOnlyWhenItMatters() {
        DescriptorRoom room = room(20_000);
        for (int i = 0; i < 6000; i++) {
            assertThat(room.takeClient()).isTrue();
            room.settleClient();
        }
        assertThat(counts).hasValue(1);
        for (int i = 0; i < 1_000_000; i++) {
            now.addAndGet(20_000_000);
            open.set(0);
            assertThat(room.takeClient()).isTrue();
            room.settleClient();
        }
        assertThat(counts.get()).isLessThan(200);
    }

    /**
     * Of 256, 96 are for clients only, but for the first 12 relays and the first connections to upstreams, which don't
     * take from each other.
     */
    @Test
    void relaysLeaveRoomForTheFirstConnectionsToUpstreams() {
        DescriptorRoom room = room(256);
        open.set(100);
        int relays = 0;
        while (room.takeRelay()) {
            room.settleRelay();
            relays++;
        }
        assertThat(relays).isEqualTo(256 - 96 - 100);
        int upstreams = 0;
        while (room.takeUpstream(false)) {
            upstreams++;
        }
        assertThat(upstreams).isEqualTo(24);
        open.set(230);
        DescriptorRoom crowded = room(256);
        relays = 0;
        while (crowded.takeRelay()) {
            relays++;
        }
        assertThat(relays).isEqualTo(12);
    }

    /** Else those that say nothing would have the descriptors of those that do. */
    @Test
    void whoNeedsNoEngineYetTakesOneDescriptor() {
        DescriptorRoom room = room(256);
        open.set(100);
        int silent = 0;
        while (room.takeClient()) {
            room.withdrawEngine();
            silent++;
        }
        assertThat(silent).isEqualTo(256 - 48 - 100 - 2);
        assertThat(room.takeEngine()).as("the two that are left").isTrue();
        assertThat(room.takeEngine()).isFalse();
        room.settleClient();
        room.giveClient(true);
        room.giveClient(false);
        assertThat(room.takeClient()).isTrue();
        assertThat(room.takeEngine()).isFalse();
    }

    @Test
    void processHasRoom() {
        assertThat(DescriptorRoom.ofProcess().takeClient()).isTrue();
    }

    @Test
    void countThatFailsIsNoRoom() {
        AtomicLong failing = new AtomicLong(1);
        DescriptorRoom room = new DescriptorRoom(
                256,
                () -> {
                    if (failing.getAndDecrement() > 0) {
                        throw new InternalError("errno: 24");
                    }
                    return 50;
                },
                now::get);
        assertThat(room.takeClient()).isFalse();
        now.addAndGet(20_000_000);
        assertThat(room.takeClient()).isTrue();
    }

    @Test
    void upstreamsLeaveRoomForClients() {
        DescriptorRoom room = room(1024);
        open.set(50);
        int upstreams = 0;
        while (room.takeUpstream(false)) {
            upstreams++;
        }
        assertThat(upstreams).isEqualTo(1024 - 2 * 128 - 50);
        int clients = 0;
        while (room.takeClient()) {
            clients++;
        }
        assertThat(clients).isEqualTo(128 / 3);
    }

    @Test
    void roomIsTightBeforeUpstreamsFindNone() {
        DescriptorRoom room = room(1024);
        open.set(1024 - 3 * 128);
        assertThat(room.isTight()).isFalse();
        assertThat(room.takeUpstream(false)).isTrue();
        assertThat(room.isTight()).isTrue();
        room.settleUpstream(false);
        room.giveUpstream(false);
        assertThat(room.isTight()).isFalse();
        assertThat(DescriptorRoom.unlimited().isTight()).isFalse();
    }

    @Test
    void clientsLeaveRoomForUpstreams() {
        DescriptorRoom room = room(1024);
        open.set(50);
        while (room.takeClient()) {
            room.settleClient();
        }
        int upstreams = 0;
        while (room.takeUpstream(true)) {
            upstreams++;
        }
        assertThat(upstreams).isEqualTo(64 / 3);
    }

    @Test
    void whatIsPromisedIsNotForgottenByACount() {
        DescriptorRoom room = room(256);
        open.set(50);
        int taken = 0;
        while (room.takeClient()) {
            taken++;
        }
        // their sockets are open, their engines are not
        open.set(50 + taken);
        now.addAndGet(20_000_000);
        assertThat(room.takeClient()).isFalse();
        room.settleClient();
        room.giveClient(true);
        assertThat(room.takeClient()).as("one has gone").isTrue();
    }

    @Test
    void upstreamThatIsClosedGivesItsRoomBack() {
        DescriptorRoom room = room(256);
        open.set(50);
        int taken = 0;
        while (room.takeUpstream(true)) {
            room.settleUpstream(true);
            taken++;
        }
        for (int i = 0; i < taken; i++) {
            room.giveUpstream(true);
        }
        for (int i = 0; i < taken; i++) {
            assertThat(room.takeUpstream(true)).isTrue();
        }
    }

    @Test
    void longCountsAreRare() {
        DescriptorRoom room = new DescriptorRoom(
                256,
                () -> {
                    counts.incrementAndGet();
                    now.addAndGet(10_000_000);
                    return 250;
                },
                now::get);
        assertThat(room.takeClient()).isFalse();
        now.addAndGet(190_000_000);
        assertThat(room.takeClient()).isFalse();
        assertThat(counts).hasValue(1);
        now.addAndGet(10_000_000);
        assertThat(room.takeClient()).isFalse();
        assertThat(counts).hasValue(2);
    }
}
