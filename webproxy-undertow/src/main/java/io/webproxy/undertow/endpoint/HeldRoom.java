package io.webproxy.undertow.endpoint;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How much memory the connections of one server may hold together that are still to show what they speak. What usual
 * clients send first is free; whoever sends far more shares a part of the heap with all others that do: else the starts
 * of long ClientHellos could fill it. Thread-safe.
 */
final class HeldRoom {
    /** Hellos with a key share against quantum computers have 2 KiB at most. */
    private static final int FREE = 4096;

    /** Of the maximum heap; what is held is there once more in the parser. */
    private static final int PART = 64;

    private final AtomicLong held = new AtomicLong();
    private final long most;

    HeldRoom(long most) {
        this.most = most;
    }

    static HeldRoom ofJvm() {
        return new HeldRoom(Runtime.getRuntime().maxMemory() / PART);
    }

    /** What one connection holds. Not thread-safe. */
    final class Share {
        private int counted;

        /** It holds so many bytes now; false if there is no room for them, and nothing has changed. */
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
