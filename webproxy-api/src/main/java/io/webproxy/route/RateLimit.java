package io.webproxy.route;

import java.time.Duration;
import java.util.Objects;

/**
 * How many requests one client address may send to a route: a token bucket, which fills at a steady rate. A request
 * that finds it empty gets 429 with {@code Retry-After} (RFC 6585 section 4). An IPv6 network of 64 bits counts as one
 * address. Immutable.
 *
 * @param requests how many fill up in {@code per}, 1 to 1,000,000
 * @param per 1 ms to 24 h
 * @param burst how many may come at once after a pause, 1 to 1,000,000
 */
public record RateLimit(int requests, Duration per, int burst) {
    private static final int MOST = 1_000_000;

    /** Checks every value. */
    public RateLimit {
        Objects.requireNonNull(per, "per");
        check("requests", requests);
        check("burst", burst);
        if (per.compareTo(Duration.ofMillis(1)) < 0 || per.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("rateLimit.per: " + per + " (expected: 1 ms to 24 h)");
        }
    }

    /** So many requests in so much time, all of which may come at once. */
    public static RateLimit of(int requests, Duration per) {
        return new RateLimit(requests, per, requests);
    }

    /** The same with another burst. */
    public RateLimit withBurst(int count) {
        return new RateLimit(requests, per, count);
    }

    private static void check(String name, int value) {
        if (value < 1 || value > MOST) {
            throw new IllegalArgumentException("rateLimit." + name + ": " + value + " (expected: 1-" + MOST + ")");
        }
    }
}
