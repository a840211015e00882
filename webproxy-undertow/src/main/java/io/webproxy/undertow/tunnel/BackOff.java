package io.webproxy.undertow.tunnel;

import java.util.random.RandomGenerator;

/**
 * How long an agent rests before it dials a public server again: random from the first time on, so that the agents of a
 * server that was started again don't all come at once. Pure.
 */
final class BackOff {
    private static final long SHORTEST_MILLIS = 250;
    private static final long LONGEST_MILLIS = 3_000;

    /** The longest rest is so many times the shortest of the same attempt. */
    private static final int SPREAD = 3;

    private BackOff() {}

    /**
     * Milliseconds to rest after a loss: 250 to 750 at first, twice as many after each failure, at most 1,000 to 3,000.
     */
    static long millis(int failures, RandomGenerator random) {
        long shortest = Math.min(LONGEST_MILLIS / SPREAD, SHORTEST_MILLIS << Math.min(failures, 8));
        return random.nextLong(shortest, SPREAD * shortest + 1);
    }
}
