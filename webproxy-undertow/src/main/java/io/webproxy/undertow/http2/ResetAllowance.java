package io.webproxy.undertow.http2;

import java.util.concurrent.TimeUnit;

/**
 * How often the streams of a connection to an upstream may be reset. Upstreams take many resets for an attack
 * (CVE-2023-44487), and end the connection with all that is on it: so a client that leaves again and again moves to
 * another one before others are harmed.
 *
 * <p>Not thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class ResetAllowance {
    /** So often streams may be reset over time, from one to the next. */
    private static final long RESET_NANOS = TimeUnit.MILLISECONDS.toNanos(30);
    /** What may be saved up of these: 500 resets. */
    private static final long RESETS_NANOS = 500 * RESET_NANOS;

    /** The time by which the resets so far are paid for. */
    private long paid;

    ResetAllowance(long now) {
        paid = now;
    }

    /** Counts a reset; returns whether that is one too many. */
    boolean isExceeded(long now) {
        paid = Math.max(now, paid) + RESET_NANOS;
        return paid - now > RESETS_NANOS;
    }
}
