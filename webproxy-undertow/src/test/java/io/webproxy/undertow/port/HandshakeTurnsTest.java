package io.webproxy.undertow.port;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class HandshakeTurnsTest {
    private static final long MILLI = 1_000_000;

    private final AtomicLong now = new AtomicLong();
    private final Deque<Runnable> later = new ArrayDeque<>();
    private final List<Integer> done = new ArrayList<>();
    private final HandshakeTurns turns = new HandshakeTurns(now::get, later::add);

    private void handshake(int name) {
        turns.run(() -> {
            done.add(name);
            now.addAndGet(MILLI);
        });
    }

    @Test
    void fewRunAtOnce() {
        for (int i = 0; i < 10; i++) {
            handshake(i);
            now.addAndGet(5 * MILLI);
        }
        assertThat(done).hasSize(10);
        assertThat(later).isEmpty();
    }

    @Test
    void floodTakesTwoMillisecondsAtATime() {
        for (int i = 0; i < 7; i++) {
            handshake(i);
        }
        assertThat(done).containsExactly(0, 1);
        assertThat(later).as("one task, however many wait").hasSize(1);
        now.addAndGet(MILLI);
        later.remove().run();
        assertThat(done).containsExactly(0, 1, 2, 3);
        // one that comes now waits behind the others
        handshake(7);
        assertThat(done).hasSize(4);
        while (!later.isEmpty()) {
            now.addAndGet(MILLI);
            later.remove().run();
        }
        assertThat(done).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void lateComerDoesNotOvertake() {
        for (int i = 0; i < 3; i++) {
            handshake(i);
        }
        now.addAndGet(100 * MILLI);
        handshake(3);
        assertThat(done).containsExactly(0, 1);
        later.remove().run();
        assertThat(done).containsExactly(0, 1, 2, 3);
    }
}
