package io.webproxy.undertow.deadline;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A memory budget of body bytes, over all connections: of those in direct buffers, because HTTP/2 peers send as much as
 * their windows allow, whether or not the other side reads it; or of those that are kept to be sent again. Thread-safe.
 */
public final class BodyRoom {
    /** The share of the budget that windows may use beyond their initial size: readers may suddenly stop. */
    private static final int PART_TO_GROW = 8;

    private final long most;
    private final AtomicLong taken = new AtomicLong();
    private final AtomicLong grown = new AtomicLong();

    /** A budget of so many bytes. */
    public BodyRoom(long most) {
        this.most = most;
    }

    /** Takes memory for a buffer; false if there is none left. */
    public boolean take(int bytes) {
        if (taken.addAndGet(bytes) > most) {
            taken.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    /** Gives memory back. */
    public void give(int bytes) {
        taken.addAndGet(-bytes);
    }

    /** The part of each of so many bodies. */
    public long share(int bodies) {
        return most / bodies;
    }

    /** By how much windows may grow now, together with those of all other connections. */
    public long growth() {
        return Math.max(0, most / PART_TO_GROW - grown.get());
    }

    /** Windows have grown by this much, or shrunk if negative. */
    public void grown(long bytes) {
        grown.addAndGet(bytes);
    }

    /** Whether little enough is taken that windows may be large. */
    public boolean isAmple() {
        return taken.get() <= most / 4;
    }
}
