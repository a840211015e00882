package io.webproxy.route;

/**
 * How many requests of a route may be retried on another upstream, so that retries never multiply the load of upstreams
 * that fail. Counted for each route: a request earns a share of a retry, a retry costs one. A request on a kept
 * connection that the upstream has closed meanwhile is sent again without a charge. Immutable.
 *
 * @param share how many retries a request earns, 0 to 1; 0 with a reserve of 0 for no retries at all
 * @param reserve how many retries there are at the start, and at most to earn up to ten times of it, 0 to 100,000
 */
public record RetryBudget(double share, int reserve) {
    private static final RetryBudget DEFAULTS = new RetryBudget(0.2, 100);

    /** Checks every value. */
    public RetryBudget {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("retries.share: " + share + " (expected: 0 to 1)");
        }
        if (reserve < 0 || reserve > 100_000) {
            throw new IllegalArgumentException("retries.reserve: " + reserve + " (expected: 0-100000)");
        }
    }

    /** A retry for every five requests, 100 in reserve. */
    public static RetryBudget defaults() {
        return DEFAULTS;
    }

    /** Every request is asked once. */
    public static RetryBudget none() {
        return new RetryBudget(0, 0);
    }
}
