package io.webproxy.undertow.deadline;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How many bytes of bodies may wait in direct buffers, over all connections: clients and upstreams of HTTP/2 send as
 * much as their windows let them, whether the other side takes it or not. Thread-safe.
 */
public final class BodyRoom {
    /** The part of all that windows may have beyond their first size: who takes some bytes at once may then stop. */
    private static final int PART_TO_GROW = 8;

    private final long most;
    private final AtomicLong taken = new AtomicLong();
    private final AtomicLong grown = new AtomicLong();

    /** Room for so many bytes. */
    public BodyRoom(long most) {
        this.most = most;
    }

    /** Takes room for a buffer; false if there is none. */
    public boolean take(int bytes) {
        if (taken.addAndGet(bytes) > most) {
            taken.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    /** Gives it back. */
    public void give(int bytes) {
        taken.addAndGet(-bytes);
    }

    /** What each of so many bodies may have. */
    public long share(int bodies) {
        return most / bodies;
    }

    /** By how much windows may grow now, with those of all other connections. */
    public long growth() {
        return Math.max(0, most / PART_TO_GROW - grown.get());
    }

    /** Windows have grown by so much, or shrunk if it is below zero. */
    public void grown(long bytes) {
        grown.addAndGet(bytes);
    }

    /** Whether so little is taken that windows may be large. */
    public boolean isAmple() {
        return taken.get() <= most / 4;
    }
}
