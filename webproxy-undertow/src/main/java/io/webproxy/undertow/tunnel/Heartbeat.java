package io.webproxy.undertow.tunnel;

import java.security.SecureRandom;
import java.util.concurrent.TimeUnit;

/**
 * Decides when to send heartbeats on a control channel, and when its peer counts as gone: it has sent nothing for two
 * heartbeats, or hasn't answered two of them. Their numbers are random, so that only a peer that reads them can answer.
 *
 * <p>Not thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class Heartbeat {
    static final long PING_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Two heartbeats, and a second for the round trip. */
    static final long DEAD_NANOS = TimeUnit.SECONDS.toNanos(21);

    private static final SecureRandom RANDOM = new SecureRandom();

    private long nextPing = Long.MAX_VALUE;
    private long last;
    private long lastAt;
    private long previous;
    /** When the first unanswered heartbeat was sent; {@link Long#MAX_VALUE} if there is none. */
    private long unansweredSince = Long.MAX_VALUE;

    void start(long now) {
        nextPing = now + PING_NANOS;
    }

    /** The number of the heartbeat to send now. */
    long next(long now) {
        nextPing = now + PING_NANOS;
        previous = last;
        last = RANDOM.nextLong();
        lastAt = now;
        if (unansweredSince == Long.MAX_VALUE) {
            unansweredSince = now;
        }
        return last;
    }

    /** The peer answers a heartbeat; unknown or old numbers are ignored. */
    void answered(long number) {
        if (unansweredSince == Long.MAX_VALUE) {
            return;
        }
        if (number == last) {
            unansweredSince = Long.MAX_VALUE;
        } else if (number == previous && unansweredSince != lastAt) {
            unansweredSince = lastAt;
        }
    }

    /** When to send the next heartbeat or to give up the peer. */
    long deadline(long lastReceived) {
        long silent = Math.min(nextPing, lastReceived + DEAD_NANOS);
        return unansweredSince == Long.MAX_VALUE ? silent : Math.min(silent, unansweredSince + DEAD_NANOS);
    }

    boolean isSilent(long lastReceived, long now) {
        return now - lastReceived >= DEAD_NANOS;
    }

    boolean isUnanswered(long now) {
        return unansweredSince != Long.MAX_VALUE && now - unansweredSince >= DEAD_NANOS;
    }
}
