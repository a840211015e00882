package io.webproxy.undertow.deadline;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How many bytes of bodies may wait in direct buffers, over all connections: clients and upstreams of HTTP/2 send as much as their windows let them, whether the other side takes it or
 * not. Thread-safe.
 */
public final class BodyRoom {
    private final long most;
    private final AtomicLong taken = new AtomicLong();

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

    /** Whether so little is taken that windows may be large. */
    public boolean isAmple() {
        return taken.get() <= most / 4;
    }
}
