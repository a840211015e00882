package io.webproxy.undertow.forward;

import java.util.concurrent.TimeUnit;

/**
 * The time for which an upstream has asked by {@code Retry-After} to get no requests. Only routes that send requests
 * again after such an answer heed it, and none for longer than a minute, whatever the upstream says.
 *
 * <p>Thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class Cooldown {
    /** The longest one. */
    static final long MOST_SECONDS = 60;

    private volatile long until;
    private volatile boolean begun;

    /** The upstream asks for so many seconds from now on. */
    void start(long seconds, long now) {
        if (seconds > 0) {
            until = now + TimeUnit.SECONDS.toNanos(Math.min(seconds, MOST_SECONDS));
            begun = true;
        }
    }

    /** How much of it is left; at most 0 if it is over. */
    long left(long now) {
        return begun ? until - now : 0;
    }

    boolean isOver(long now) {
        return left(now) <= 0;
    }
}
