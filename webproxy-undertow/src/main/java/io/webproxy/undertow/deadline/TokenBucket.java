package io.webproxy.undertow.deadline;

/**
 * A token bucket: tokens come at a steady rate, up to the size of the bucket. Not thread-safe; times are nanoseconds of
 * a monotonic clock.
 */
public final class TokenBucket {
    /** When it will be full again; in the past if it is full. */
    private long fullAt;

    /** A full bucket. */
    public TokenBucket(long now) {
        fullAt = now;
    }

    /**
     * Takes a token.
     *
     * @param size its capacity in tokens
     * @param period nanoseconds per token
     * @return 0, or, if there is none, the nanoseconds until the next one; then nothing was taken
     */
    public long take(long size, long period, long now) {
        long missing = Math.max(0, fullAt - now);
        long wait = missing - (size - 1) * period;
        if (wait > 0) {
            return wait;
        }
        fullAt = now + missing + period;
        return 0;
    }

    /** Gives back a token. */
    void giveBack(long period) {
        fullAt -= period;
    }
}
