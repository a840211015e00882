package io.webproxy.undertow.port;

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
        while (room.take()) {
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
        assertThat(room.take()).isFalse();
        open.set(10);
        assertThat(room.take()).as("it doesn't count for each refusal").isFalse();
        now.addAndGet(20_000_000);
        assertThat(room.take()).isTrue();
    }

    @Test
    void countsOnlyWhenItMatters() {
        DescriptorRoom room = room(20_000);
        for (int i = 0; i < 6000; i++) {
            assertThat(room.take()).isTrue();
        }
        assertThat(counts).hasValue(1);
        for (int i = 0; i < 1_000_000; i++) {
            now.addAndGet(20_000_000);
            open.set(0);
            assertThat(room.take()).isTrue();
        }
        assertThat(counts.get()).isLessThan(200);
    }

    @Test
    void processHasRoom() {
        assertThat(DescriptorRoom.ofProcess().take()).isTrue();
    }
}
