package io.webproxy.undertow.endpoint;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory budget of all connections of a server whose protocol isn't known yet. What usual clients send first is
 * free; larger amounts share a part of the heap, which the starts of long ClientHellos could otherwise fill.
 * Thread-safe.
 */
final class HeldRoom {
    /** ClientHellos with a post-quantum key share have 2 KiB at most. */
    private static final int FREE = 4096;

    /** Divisor of the maximum heap; the parser holds the same bytes once more. */
    private static final int PART = 64;

    private final AtomicLong held = new AtomicLong();
    private final long most;

    HeldRoom(long most) {
        this.most = most;
    }

    static HeldRoom ofJvm() {
        return new HeldRoom(Runtime.getRuntime().maxMemory() / PART);
    }

    /** The part of one connection. Not thread-safe. */
    final class Share {
        private int counted;

        /** Sets how many bytes it holds now; returns false, and changes nothing, if there is no room. */
        boolean hold(int bytes) {
            int more = Math.max(0, bytes - FREE) - counted;
            if (more > 0 && held.addAndGet(more) > most) {
                held.addAndGet(-more);
                return false;
            }
            if (more > 0) {
                counted += more;
            }
            return true;
        }

        /** It holds nothing any more. */
        void free() {
            if (counted > 0) {
                held.addAndGet(-counted);
                counted = 0;
            }
        }
    }

    Share share() {
        return new Share();
    }

    long held() {
        return held.get();
    }
}
