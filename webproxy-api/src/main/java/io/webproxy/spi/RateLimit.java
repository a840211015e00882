package io.webproxy.spi;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How many requests one client address may send to a route: a token bucket, which fills at a steady rate. A request
 * that finds it empty gets 429 with {@code Retry-After} (RFC 6585 section 4). An IPv6 network of 64 bits counts as one
 * address. Immutable.
 */
public final class RateLimit {
    private static final int MOST = 1_000_000;

    private final int requests;
    private final Duration per;
    private final int burst;

    private RateLimit(int requests, Duration per, int burst) {
        this.requests = checked("requests", requests);
        this.per = Objects.requireNonNull(per, "per");
        this.burst = checked("burst", burst);
        if (per.compareTo(Duration.ofMillis(1)) < 0 || per.compareTo(Duration.ofDays(1)) > 0) {
            throw new IllegalArgumentException("rateLimit.per: " + per + " (expected: 1 ms to 24 h)");
        }
    }

    /**
     * This many requests per period, all of which may come at once.
     *
     * @param requests 1 to 1,000,000
     * @param per 1 ms to 24 h
     */
    public static RateLimit of(int requests, Duration per) {
        return new RateLimit(requests, per, requests);
    }

    /** The same with another burst: how many may come at once after a pause, 1 to 1,000,000. */
    public RateLimit withBurst(int count) {
        return new RateLimit(requests, per, count);
    }

    /** How many requests are allowed per {@link #per()}. */
    public int requests() {
        return requests;
    }

    /** The period of {@link #requests()}. */
    public Duration per() {
        return per;
    }

    /** How many may come at once after a pause. */
    public int burst() {
        return burst;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RateLimit limit
                && requests == limit.requests
                && per.equals(limit.per)
                && burst == limit.burst;
    }

    @Override
    public int hashCode() {
        return Objects.hash(requests, per, burst);
    }

    @Override
    public String toString() {
        return "RateLimit[requests=" + requests + ", per=" + per + ", burst=" + burst + "]";
    }

    private static int checked(String name, int value) {
        if (value < 1 || value > MOST) {
            throw new IllegalArgumentException("rateLimit." + name + ": " + value + " (expected: 1-" + MOST + ")");
        }
        return value;
    }
}
