package io.webproxy.spi;

import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * When a route sends a request to another upstream of its group although the first one was sent it. Immutable; start
 * from {@link #none()}.
 *
 * @param statuses of answers that lead to another attempt; empty for none
 * @param firstByte how long an upstream may take to its response head; zero for no such limit
 * @param nonIdempotent whether requests that aren't idempotent are sent again too
 * @param bodyBytes how long a request body may be that is kept to be sent again
 */
public record RetryOn(Set<Integer> statuses, Duration firstByte, boolean nonIdempotent, int bodyBytes) {
    /** Bodies up to this length are kept by default. */
    private static final int BODY_BYTES = 1 << 20;

    private static final int MOST_BODY_BYTES = 64 << 20;
    private static final Duration LEAST = Duration.ofMillis(100);
    private static final Duration MOST = Duration.ofDays(1);
    private static final RetryOn NONE = new RetryOn(Set.of(), Duration.ZERO, false, BODY_BYTES);

    /** The same, with a copy of the statuses. */
    public RetryOn {
        statuses = Set.copyOf(statuses);
    }

    /** Requests that were sent aren't sent again. */
    public static RetryOn none() {
        return NONE;
    }

    /** Whether it says anything. */
    public boolean isOn() {
        return !statuses.isEmpty() || !firstByte.isZero();
    }

    /**
     * The same with further statuses.
     *
     * @throws IllegalArgumentException if one isn't 400 to 599, or asks for credentials
     */
    public RetryOn withStatuses(int... more) {
        Set<Integer> all = new TreeSet<>(statuses);
        for (int status : Objects.requireNonNull(more, "statuses")) {
            if (status < 400 || status > 599 || status == 401 || status == 407) {
                throw new IllegalArgumentException("route.retryOn: " + status
                        + " (expected: 400 to 599, such as 429 or 503, but not 401 and 407, which ask for"
                        + " credentials)");
            }
            all.add(status);
        }
        return new RetryOn(all, firstByte, nonIdempotent, bodyBytes);
    }

    /**
     * The same with another limit of the first byte.
     *
     * @throws IllegalArgumentException if it is neither zero nor 100 ms to 24 h
     */
    public RetryOn withFirstByte(Duration limit) {
        Objects.requireNonNull(limit, "retryOnFirstByte");
        if (!limit.isZero() && (limit.compareTo(LEAST) < 0 || limit.compareTo(MOST) > 0)) {
            throw new IllegalArgumentException(
                    "route.retryOnFirstByte: " + limit + " (expected: 100 ms to 24 h, or 0 for never)");
        }
        return new RetryOn(statuses, limit, nonIdempotent, bodyBytes);
    }

    /** The same for requests that aren't idempotent too. */
    public RetryOn withNonIdempotent() {
        return new RetryOn(statuses, firstByte, true, bodyBytes);
    }

    /**
     * The same with another limit of bodies.
     *
     * @throws IllegalArgumentException if it isn't 0 to 64 MiB
     */
    public RetryOn withBodyBytes(int most) {
        if (most < 0 || most > MOST_BODY_BYTES) {
            throw new IllegalArgumentException(
                    "route.retryBodyBytes: " + most + " (expected: 0-" + MOST_BODY_BYTES + ")");
        }
        return new RetryOn(statuses, firstByte, nonIdempotent, most);
    }
}
