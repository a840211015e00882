package io.webproxy.route;

import java.time.Duration;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Asks every upstream of a route again and again whether it is well: a {@code GET}, answered in time with an expected status. An upstream counts as well until
 * it has failed, so a server that starts serves at once. Immutable; start from {@link #path}.
 *
 * @param path what is asked for, with a query if wanted
 * @param interval from one question to the next, 100 ms to 24 h
 * @param timeout for the whole answer's head, connecting included, 10 ms to 1 h
 * @param leastStatus the lowest status that counts as well, 100 to 599
 * @param mostStatus the highest
 * @param failures after how many failures in a row an upstream gets no requests, 1 to 1000
 * @param successes after how many good answers in a row it gets them again, 1 to 1000
 */
public record HealthCheck(
        String path,
        Duration interval,
        Duration timeout,
        int leastStatus,
        int mostStatus,
        int failures,
        int successes) {
    private static final Pattern TARGET = Pattern.compile("/[\\x21\\x22\\x24-\\x7e]{0,2000}");

    /** Checks every value. */
    public HealthCheck {
        if (!TARGET.matcher(Objects.requireNonNull(path, "path")).matches()) {
            throw new IllegalArgumentException(
                    "healthCheck.path: " + path + " (expected: a path that starts with /, percent-encoded)");
        }
        check("interval", interval, Duration.ofMillis(100), Duration.ofHours(24));
        check("timeout", timeout, Duration.ofMillis(10), Duration.ofHours(1));
        check("leastStatus", leastStatus, 100, 599);
        check("mostStatus", mostStatus, leastStatus, 599);
        check("failures", failures, 1, 1000);
        check("successes", successes, 1, 1000);
    }

    /** Asks for this path every 10 s; within 5 s a status of 200 to 399 is expected; 3 failures take an upstream out, 2 good answers bring it back. */
    public static HealthCheck path(String path) {
        return new HealthCheck(path, Duration.ofSeconds(10), Duration.ofSeconds(5), 200, 399, 3, 2);
    }

    /** The same at another pace. */
    public HealthCheck withInterval(Duration every) {
        return new HealthCheck(path, every, timeout, leastStatus, mostStatus, failures, successes);
    }

    /** The same with another wait. */
    public HealthCheck withTimeout(Duration wait) {
        return new HealthCheck(path, interval, wait, leastStatus, mostStatus, failures, successes);
    }

    /** The same with other statuses that count as well. */
    public HealthCheck withStatus(int least, int most) {
        return new HealthCheck(path, interval, timeout, least, most, failures, successes);
    }

    /** The same with other thresholds. */
    public HealthCheck withThresholds(int outAfter, int backAfter) {
        return new HealthCheck(path, interval, timeout, leastStatus, mostStatus, outAfter, backAfter);
    }

    private static void check(String name, Duration value, Duration least, Duration most) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    "healthCheck." + name + ": " + value + " (expected: " + least + " to " + most + ")");
        }
    }

    private static void check(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "healthCheck." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
    }
}
