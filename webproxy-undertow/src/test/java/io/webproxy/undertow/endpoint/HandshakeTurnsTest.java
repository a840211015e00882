package io.webproxy.undertow.endpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.deadline.Faults;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class HandshakeTurnsTest {
    private static final long MILLI = 1_000_000;

    private final AtomicLong now = new AtomicLong();
    private final Deque<Runnable> later = new ArrayDeque<>();
    private final List<Integer> done = new ArrayList<>();
    private final HandshakeTurns turns = new HandshakeTurns(now::get, later::add);

    @BeforeEach
    void forgetFailures() {
        Faults.reset();
    }

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

    @Test
    @ExpectedLog(contains = "Unexpected failure in a TLS handshake")
    void handshakeThatThrowsKeepsNoOtherFromItsTurn() {
        handshake(0);
        handshake(1);
        turns.run(() -> {
            throw new NoClassDefFoundError("out of descriptors");
        });
        for (int i = 2; i < 8; i++) {
            handshake(i);
        }
        while (!later.isEmpty()) {
            now.addAndGet(MILLI);
            later.remove().run();
        }
        assertThat(done).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    @ExpectedLog(contains = "Unexpected failure in a TLS handshake")
    void handshakeThatThrowsAtOnceIsNotTheCallersFault() {
        turns.run(() -> {
            throw new IllegalStateException("Unable to create application data");
        });
        handshake(0);
        assertThat(done).containsExactly(0);
    }

    @Test
    void turnThatCouldNotBeScheduledIsTriedAgain() {
        AtomicInteger refusals = new AtomicInteger(1);
        HandshakeTurns unlucky = new HandshakeTurns(now::get, task -> {
            if (refusals.getAndDecrement() > 0) {
                throw new OutOfMemoryError("no room for a timer");
            }
            later.add(task);
        });
        for (int i = 0; i < 2; i++) {
            unlucky.run(() -> now.addAndGet(MILLI));
        }
        assertThatThrownBy(() -> unlucky.run(() -> done.add(0))).isInstanceOf(OutOfMemoryError.class);
        unlucky.run(() -> done.add(1));
        later.remove().run();
        assertThat(done).containsExactly(0, 1);
    }
}
