package io.webproxy.undertow.tunnel;

import java.util.random.RandomGenerator;

/**
 * The back-off before an agent dials a public server again: randomised from the first time on, so that the agents of a
 * restarted server don't all connect at once. Pure.
 */
final class BackOff {
    private static final long SHORTEST_MILLIS = 250;
    private static final long LONGEST_MILLIS = 3_000;

    /** Ratio of the longest to the shortest wait of one attempt. */
    private static final int SPREAD = 3;

    private BackOff() {}

    /** Milliseconds to wait after a loss: 250 to 750 at first, doubled after each failure, at most 1,000 to 3,000. */
    static long millis(int failures, RandomGenerator random) {
        long shortest = Math.min(LONGEST_MILLIS / SPREAD, SHORTEST_MILLIS << Math.min(failures, 8));
        return random.nextLong(shortest, SPREAD * shortest + 1);
    }
}
