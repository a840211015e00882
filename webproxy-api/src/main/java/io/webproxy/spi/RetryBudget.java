package io.webproxy.spi;

/**
 * How many requests of a route may be retried on another upstream, so that retries never multiply the load of failing
 * upstreams. Counted per route: each request earns a fraction of a retry, each retry spends one. Retrying a request on
 * an idle connection that the upstream has closed meanwhile costs nothing. Immutable; start from {@link #defaults()}.
 */
public final class RetryBudget {
    private static final RetryBudget DEFAULTS = new RetryBudget(0.2, 100);
    private static final RetryBudget NONE = new RetryBudget(0, 0);

    private final double share;
    private final int reserve;

    private RetryBudget(double share, int reserve) {
        this.share = share;
        this.reserve = reserve;
    }

    /** A retry for every five requests, 100 in reserve. */
    public static RetryBudget defaults() {
        return DEFAULTS;
    }

    /** No request is retried on another upstream. */
    public static RetryBudget none() {
        return NONE;
    }

    /**
     * The same with another share of a retry that each request earns, 0 to 1; 0 with a reserve of 0 is {@link #none()}.
     */
    public RetryBudget withShare(double earned) {
        if (!(earned >= 0 && earned <= 1)) {
            throw new IllegalArgumentException("retries.share: " + earned + " (expected: 0 to 1)");
        }
        return new RetryBudget(earned, reserve);
    }

    /**
     * The same with another reserve: the number of retries at the start, and at most ten times as many later, 0 to
     * 100,000.
     */
    public RetryBudget withReserve(int retries) {
        if (retries < 0 || retries > 100_000) {
            throw new IllegalArgumentException("retries.reserve: " + retries + " (expected: 0-100000)");
        }
        return new RetryBudget(share, retries);
    }

    /** The share of a retry that each request earns, 0 to 1. */
    public double share() {
        return share;
    }

    /** The number of retries at the start. */
    public int reserve() {
        return reserve;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RetryBudget that && Double.compare(share, that.share) == 0 && reserve == that.reserve;
    }

    @Override
    public int hashCode() {
        return Double.hashCode(share) * 31 + reserve;
    }

    @Override
    public String toString() {
        return "RetryBudget[share=" + share + ", reserve=" + reserve + "]";
    }
}
