package io.webproxy.undertow.forward;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Decides when an idle WebSocket client gets a ping, and when one that doesn't answer counts as gone. Times are
 * nanoseconds of a monotonic clock. Not thread-safe.
 */
final class Pings {
    /** What to do now. */
    enum Due {
        NOTHING,
        PING,
        /** The client has neither sent nor taken a byte since the ping. */
        GONE
    }

    private final long silence;
    private final long token = ThreadLocalRandom.current().nextLong();
    private long lastHeard;
    private long lastTaken;
    private boolean asked;

    Pings(long silence, long now) {
        this.silence = silence;
        this.lastHeard = now;
        this.lastTaken = now;
    }

    /** The payload of the pings, and of their pongs. */
    long token() {
        return token;
    }

    /** The client has sent something. */
    void heard(long now) {
        lastHeard = now;
        asked = false;
    }

    /** The client's socket has taken bytes. */
    void taken(long now) {
        lastTaken = now;
    }

    Due look(long now) {
        if (asked) {
            return now - lastTaken >= silence ? Due.GONE : Due.NOTHING;
        }
        if (now - lastHeard < silence) {
            return Due.NOTHING;
        }
        asked = true;
        lastTaken = now;
        return Due.PING;
    }
}
