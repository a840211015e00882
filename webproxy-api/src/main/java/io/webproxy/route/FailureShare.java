package io.webproxy.route;

import java.time.Duration;
import java.util.Objects;

/**
 * Skips an upstream that answers too large a share of requests with 5xx, or not at all. Immutable.
 *
 * <p>A gRPC call counts as failed if it ends with {@code UNKNOWN}, {@code INTERNAL}, {@code UNAVAILABLE} or
 * {@code DATA_LOSS}, or is cut. {@code DEADLINE_EXCEEDED} doesn't count: how long a call may take is for its client to
 * say.
 *
 * @param share above which share of the requests within {@code window} it is skipped, above 0, at most 1
 * @param least how many requests there must have been, 1 to 1,000,000
 * @param window over what time they are counted, 100 ms to 1 h
 * @param pause how long it is skipped, 1 ms to 1 h; then it gets requests again and is counted anew
 */
public record FailureShare(double share, int least, Duration window, Duration pause) {
    /** Checks every value. */
    public FailureShare {
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("failureShare.share: " + share + " (expected: above 0, at most 1)");
        }
        if (least < 1 || least > 1_000_000) {
            throw new IllegalArgumentException("failureShare.least: " + least + " (expected: 1-1000000)");
        }
        check("window", window, 100);
        check("pause", pause, 1);
    }

    /** Above this share of at least 20 requests in 10 s, for 10 s. */
    public static FailureShare of(double share) {
        return new FailureShare(share, 20, Duration.ofSeconds(10), Duration.ofSeconds(10));
    }

    private static void check(String name, Duration value, long leastMillis) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(Duration.ofMillis(leastMillis)) < 0 || value.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException(
                    "failureShare." + name + ": " + value + " (expected: " + leastMillis + " ms to 1 h)");
        }
    }
}
