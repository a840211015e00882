package io.webproxy.route;

import java.time.Duration;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Active health check: a periodic {@code GET} to each upstream of a route, answered in time with an expected status, or
 * a call of the gRPC health protocol. An upstream counts as healthy until it has failed, so a server that starts serves
 * at once. Immutable; start from {@link #path} or {@link #grpc()}.
 *
 * @param path what is asked for, with a query if wanted
 * @param interval from one question to the next, 100 ms to 24 h
 * @param timeout for the whole answer's head, connecting included, 10 ms to 1 h
 * @param leastStatus the lowest status that counts as well, 100 to 599
 * @param mostStatus the highest
 * @param failures after how many failures in a row an upstream gets no requests, 1 to 1000
 * @param successes after how many good answers in a row it gets them again, 1 to 1000
 * @param grpcService the service whose health is asked for by gRPC, empty for the server as a whole; null for a
 *     {@code GET}
 */
public record HealthCheck(
        String path,
        Duration interval,
        Duration timeout,
        int leastStatus,
        int mostStatus,
        int failures,
        int successes,
        @Nullable String grpcService) {
    private static final String GRPC_PATH = "/grpc.health.v1.Health/Check";
    private static final int LONGEST_SERVICE = 1000;
    private static final Pattern TARGET = Pattern.compile("/[\\x21\\x22\\x24-\\x7e]{0,2000}");

    /** Checks every value. */
    public HealthCheck {
        if (!TARGET.matcher(Objects.requireNonNull(path, "path")).matches()) {
            throw new IllegalArgumentException(
                    "healthCheck.path: " + path + " (expected: a path that starts with /, percent-encoded)");
        }
        check("interval", interval, Duration.ofMillis(100), Duration.ofHours(24), "100 ms to 24 h");
        check("timeout", timeout, Duration.ofMillis(10), Duration.ofHours(1), "10 ms to 1 h");
        check("leastStatus", leastStatus, 100, 599);
        check("mostStatus", mostStatus, leastStatus, 599);
        check("failures", failures, 1, 1000);
        check("successes", successes, 1, 1000);
        if (grpcService != null && grpcService.length() > LONGEST_SERVICE) {
            throw new IllegalArgumentException("healthCheck.grpcService: " + grpcService.length()
                    + " characters (expected: at most " + LONGEST_SERVICE + ")");
        }
    }

    /** A {@code GET}; checks every value. */
    public HealthCheck(
            String path,
            Duration interval,
            Duration timeout,
            int leastStatus,
            int mostStatus,
            int failures,
            int successes) {
        this(path, interval, timeout, leastStatus, mostStatus, failures, successes, null);
    }

    /**
     * Asks for this path every 10 s; within 5 s a status of 200 to 399 is expected; 3 failures take an upstream out, 2
     * good answers bring it back.
     */
    public static HealthCheck path(String path) {
        return new HealthCheck(path, Duration.ofSeconds(10), Duration.ofSeconds(5), 200, 399, 3, 2);
    }

    /** Asks for the health of the server as a whole, as {@link #grpc(String)} does for a service. */
    public static HealthCheck grpc() {
        return grpc("");
    }

    /**
     * Calls {@code grpc.health.v1.Health/Check} for this service every 10 s; within 5 s the answer {@code SERVING} is
     * expected; 3 failures take an upstream out, 2 good answers bring it back. The upstream must speak HTTP/2.
     *
     * @param service the full name, such as {@code example.v1.Echo}; empty for the server as a whole
     */
    public static HealthCheck grpc(String service) {
        return new HealthCheck(
                GRPC_PATH,
                Duration.ofSeconds(10),
                Duration.ofSeconds(5),
                200,
                200,
                3,
                2,
                Objects.requireNonNull(service, "service"));
    }

    /** The same at another pace. */
    public HealthCheck withInterval(Duration every) {
        return new HealthCheck(path, every, timeout, leastStatus, mostStatus, failures, successes, grpcService);
    }

    /** The same with another wait. */
    public HealthCheck withTimeout(Duration wait) {
        return new HealthCheck(path, interval, wait, leastStatus, mostStatus, failures, successes, grpcService);
    }

    /** The same with other statuses that count as healthy; without effect on a call of gRPC. */
    public HealthCheck withStatus(int least, int most) {
        return new HealthCheck(path, interval, timeout, least, most, failures, successes, grpcService);
    }

    /** The same with other thresholds. */
    public HealthCheck withThresholds(int outAfter, int backAfter) {
        return new HealthCheck(path, interval, timeout, leastStatus, mostStatus, outAfter, backAfter, grpcService);
    }

    private static void check(String name, Duration value, Duration least, Duration most, String range) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException("healthCheck." + name + ": " + value + " (expected: " + range + ")");
        }
    }

    private static void check(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "healthCheck." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
    }
}
