package io.webproxy.undertow.endpoint;

import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.xnio.XnioIoThread;

/**
 * Gives the TLS handshakes of one IO thread 2 ms at a time, then lets all other work have a turn. Each handshake costs
 * a signature, and a flood of them would starve established connections. Waiting handshakes run in order of arrival.
 *
 * <p>Not thread-safe: it belongs to its IO thread.
 */
public final class HandshakeTurns {
    private static final long TURN_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long REST_MILLIS = 1;

    private final LongSupplier nanoClock;
    private final Consumer<Runnable> afterRest;
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private long turnStart;
    private long spent;
    private final Runnable next = this::next;
    private boolean scheduled;

    /**
     * No handshakes yet.
     *
     * @param nanoClock a monotonic clock
     * @param afterRest runs a task on the thread, after a rest
     */
    HandshakeTurns(LongSupplier nanoClock, Consumer<Runnable> afterRest) {
        this.nanoClock = nanoClock;
        this.afterRest = afterRest;
        this.turnStart = nanoClock.getAsLong();
    }

    /** The turns of a thread. */
    public static HandshakeTurns of(XnioIoThread thread) {
        return new HandshakeTurns(System::nanoTime, task -> IoTasks.executeAfter(thread, task, REST_MILLIS));
    }

    /** Runs the costly part of a handshake: now, or after those that are waiting already. */
    void run(Runnable handshake) {
        long now = nanoClock.getAsLong();
        if (now - turnStart > TURN_NANOS + TimeUnit.MILLISECONDS.toNanos(REST_MILLIS)) {
            turn(now);
        }
        if (!waiting.isEmpty()) {
            waiting.add(handshake);
            schedule();
        } else if (spent < TURN_NANOS) {
            timed(handshake);
        } else {
            waiting.add(handshake);
            schedule();
        }
    }

    private void next() {
        scheduled = false;
        try {
            turn(nanoClock.getAsLong());
            while (spent < TURN_NANOS && !waiting.isEmpty()) {
                timed(waiting.remove());
            }
        } finally {
            schedule();
        }
    }

    /** If this throws, the next handshake tries it again: else those that wait would wait forever. */
    private void schedule() {
        if (!scheduled && !waiting.isEmpty()) {
            afterRest.accept(next);
            scheduled = true;
        }
    }

    private void turn(long now) {
        turnStart = now;
        spent = 0;
    }

    private void timed(Runnable handshake) {
        long start = nanoClock.getAsLong();
        Guard.run("a TLS handshake", handshake);
        spent += nanoClock.getAsLong() - start;
    }
}
