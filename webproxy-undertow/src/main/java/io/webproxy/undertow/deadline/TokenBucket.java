package io.webproxy.undertow.deadline;

/**
 * Tokens that come at a steady rate, as many as fit into a bucket. Not thread-safe; times are nanoseconds of a
 * monotonic clock.
 */
public final class TokenBucket {
    /** When it will be full again; the past, if it is full. */
    private long fullAt;

    /** One that is full. */
    public TokenBucket(long now) {
        fullAt = now;
    }

    /**
     * Takes a token.
     *
     * @param size how many fit into it
     * @param period after how many nanoseconds one more comes
     * @return 0, or for how many nanoseconds there will be none: then nothing was taken
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

    /** Puts a token back that was taken. */
    void giveBack(long period) {
        fullAt -= period;
    }
}
