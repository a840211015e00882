package io.webproxy.undertow.http2;

import java.util.concurrent.TimeUnit;

/**
 * Limits how often the streams of an upstream's connection are reset. Upstreams treat many resets as an attack
 * (CVE-2023-44487), and close the connection with all its streams: so after many resets new requests go to another
 * connection, before others are harmed.
 *
 * <p>Not thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class ResetAllowance {
    /** The average time between resets. */
    private static final long RESET_NANOS = TimeUnit.MILLISECONDS.toNanos(30);
    /** The burst: 500 resets. */
    private static final long RESETS_NANOS = 500 * RESET_NANOS;

    /** The time up to which the resets are accounted for. */
    private long paid;

    ResetAllowance(long now) {
        paid = now;
    }

    /** Counts a reset; returns whether it exceeds the limit. */
    boolean isExceeded(long now) {
        paid = Math.max(now, paid) + RESET_NANOS;
        return paid - now > RESETS_NANOS;
    }
}
