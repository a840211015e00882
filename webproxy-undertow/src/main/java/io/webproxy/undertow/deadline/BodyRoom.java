package io.webproxy.undertow.deadline;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How many bytes of request bodies may wait in direct buffers, over all connections: clients of HTTP/2 send as much as their windows let them, whether the upstream takes it or not.
 * Thread-safe.
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

    /** Whether so little is taken that windows may be large. */
    public boolean isAmple() {
        return taken.get() <= most / 4;
    }
}
