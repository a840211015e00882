package io.webproxy.route;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Active health check: a periodic {@code GET} to each upstream of a group, answered in time with an expected status, or
 * a call of the gRPC health protocol. An upstream counts as healthy until it fails, so a starting server serves at
 * once. Immutable; start from {@link #path} or {@link #grpc()}.
 */
public final class HealthCheck {
    private static final String GRPC_PATH = "/grpc.health.v1.Health/Check";
    private static final int LONGEST_SERVICE = 1000;
    private static final Pattern TARGET = Pattern.compile("/[\\x21\\x22\\x24-\\x7e]{0,2000}");

    /** The requirements on a response, and the thresholds. */
    private record Verdict(int leastStatus, int mostStatus, int failures, int successes) {}

    private static final Verdict OF_GET = new Verdict(200, 399, 3, 2);
    private static final Verdict OF_GRPC = new Verdict(200, 200, 3, 2);

    private final String path;
    private final Duration interval;
    private final Duration timeout;
    private final Verdict verdict;
    private final @Nullable String grpcService;

    private HealthCheck(
            String path, Duration interval, Duration timeout, Verdict verdict, @Nullable String grpcService) {
        this.path = path;
        this.interval = interval;
        this.timeout = timeout;
        this.verdict = verdict;
        this.grpcService = grpcService;
    }

    private HealthCheck(String path, Verdict verdict, @Nullable String grpcService) {
        this(path, Duration.ofSeconds(10), Duration.ofSeconds(5), verdict, grpcService);
    }

    /**
     * A {@code GET} for this path every 10 s; within 5 s a status of 200 to 399 is expected; after 3 failures in a row
     * an upstream is unhealthy, after 2 good answers in a row it is healthy again.
     *
     * @param path percent-encoded, with a query if wanted
     */
    public static HealthCheck path(String path) {
        if (!TARGET.matcher(Objects.requireNonNull(path, "path")).matches()) {
            throw new IllegalArgumentException(
                    "healthCheck.path: " + path + " (expected: a path that starts with /, percent-encoded)");
        }
        return new HealthCheck(path, OF_GET, null);
    }

    /** Like {@link #grpc(String)}, for the health of the server as a whole. */
    public static HealthCheck grpc() {
        return grpc("");
    }

    /**
     * A call of {@code grpc.health.v1.Health/Check} for this service every 10 s; within 5 s the answer {@code SERVING}
     * is expected; after 3 failures in a row an upstream is unhealthy, after 2 good answers in a row it is healthy
     * again. The upstream must speak HTTP/2.
     *
     * @param service the full name, such as {@code example.v1.Echo}; empty for the server as a whole
     */
    public static HealthCheck grpc(String service) {
        if (Objects.requireNonNull(service, "service").length() > LONGEST_SERVICE) {
            throw new IllegalArgumentException("healthCheck.grpcService: " + service.length()
                    + " characters (expected: at most " + LONGEST_SERVICE + ")");
        }
        return new HealthCheck(GRPC_PATH, OF_GRPC, service);
    }

    /** The same with another interval from one check to the next, 100 ms to 24 h. */
    public HealthCheck withInterval(Duration every) {
        check("interval", every, Duration.ofMillis(100), Duration.ofHours(24), "100 ms to 24 h");
        return new HealthCheck(path, every, timeout, verdict, grpcService);
    }

    /** The same with another time limit until the response head, connecting included, 10 ms to 1 h. */
    public HealthCheck withTimeout(Duration wait) {
        check("timeout", wait, Duration.ofMillis(10), Duration.ofHours(1), "10 ms to 1 h");
        return new HealthCheck(path, interval, wait, verdict, grpcService);
    }

    /** The same with another range of healthy statuses, 100 to 599; no effect on gRPC checks. */
    public HealthCheck withStatus(int least, int most) {
        check("leastStatus", least, 100, 599);
        check("mostStatus", most, least, 599);
        return with(new Verdict(least, most, verdict.failures, verdict.successes));
    }

    /**
     * The same with other thresholds.
     *
     * @param failures after how many failures in a row an upstream is unhealthy, 1 to 1000
     * @param successes after how many good answers in a row it is healthy again, 1 to 1000
     */
    public HealthCheck withThresholds(int failures, int successes) {
        check("failures", failures, 1, 1000);
        check("successes", successes, 1, 1000);
        return with(new Verdict(verdict.leastStatus, verdict.mostStatus, failures, successes));
    }

    private HealthCheck with(Verdict other) {
        return new HealthCheck(path, interval, timeout, other, grpcService);
    }

    /** The path of the request, with its query. */
    public String path() {
        return path;
    }

    /** The time from one check to the next. */
    public Duration interval() {
        return interval;
    }

    /** The time limit until the response head, connecting included. */
    public Duration timeout() {
        return timeout;
    }

    /** The lowest status that counts as healthy. */
    public int leastStatus() {
        return verdict.leastStatus;
    }

    /** The highest status that counts as healthy. */
    public int mostStatus() {
        return verdict.mostStatus;
    }

    /** After how many failures in a row an upstream is unhealthy. */
    public int failures() {
        return verdict.failures;
    }

    /** After how many good answers in a row it is healthy again. */
    public int successes() {
        return verdict.successes;
    }

    /** The service of a gRPC check, an empty name for the server as a whole; absent for a GET. */
    public Optional<String> grpcService() {
        return Optional.ofNullable(grpcService);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HealthCheck that
                && path.equals(that.path)
                && interval.equals(that.interval)
                && timeout.equals(that.timeout)
                && verdict.equals(that.verdict)
                && Objects.equals(grpcService, that.grpcService);
    }

    @Override
    public int hashCode() {
        return Objects.hash(path, interval, timeout, verdict, grpcService);
    }

    @Override
    public String toString() {
        return "HealthCheck[path=" + path + ", interval=" + interval + ", timeout=" + timeout + ", status="
                + verdict.leastStatus + "-" + verdict.mostStatus + ", failures=" + verdict.failures + ", successes="
                + verdict.successes + (grpcService == null ? "" : ", grpcService='" + grpcService + "'") + "]";
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
