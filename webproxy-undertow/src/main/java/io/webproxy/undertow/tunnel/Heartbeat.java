package io.webproxy.undertow.tunnel;

import java.security.SecureRandom;
import java.util.concurrent.TimeUnit;

/**
 * When a control channel's peer is asked whether it is there, and when it isn't: it has said nothing for two
 * heartbeats, or hasn't answered two of them. Their numbers are random, so that only a peer can answer that reads what
 * it is sent.
 *
 * <p>Not thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class Heartbeat {
    static final long PING_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Two heartbeats, and a second for the way. */
    static final long DEAD_NANOS = TimeUnit.SECONDS.toNanos(21);

    private static final SecureRandom RANDOM = new SecureRandom();

    private long nextPing = Long.MAX_VALUE;
    private long last;
    private long lastAt;
    private long previous;
    /** When the first was sent that isn't answered; the greatest value if all are. */
    private long unansweredSince = Long.MAX_VALUE;

    void start(long now) {
        nextPing = now + PING_NANOS;
    }

    /** The number of the heartbeat that is sent now. */
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

    /** The peer answers one; numbers that weren't sent, or long ago, answer none. */
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

    /** When there is something to do: to send the next one, or to give the peer up. */
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
