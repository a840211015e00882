package io.webproxy.undertow.forward;

import java.util.concurrent.TimeUnit;

/**
 * How fast an upstream responds to a group's requests: the moving average of the time to the first byte, as in
 * Finagle's "peak EWMA", and how often it has failed in a row. What it says fades with time, so that the upstream is
 * tried again, by one request at a time.
 *
 * <p>Thread-safe without locks: of two responses at the same moment one may be lost, which an average survives. Times
 * are nanoseconds of a monotonic clock.
 */
final class Latency {
    /** In this time, the weight of what was before falls to 1/e; and so often it may be tried again. */
    private static final long MEMORY = TimeUnit.SECONDS.toNanos(10);

    /** More failures count as so many. */
    private static final double MOST_FAILURES = 20;

    /** How much more than all others one costs of which nothing is known while it is being tried. */
    private static final double UNKNOWN = 1e6;

    /** 0 as long as there was no response. */
    private volatile double average;

    private volatile long averageAt;
    private volatile double failures;
    private volatile long failedAt;
    private volatile boolean tried;
    private volatile long triedAt;

    private static double weight(long since, long now) {
        return Math.exp(-Math.max(0, now - since) / (double) MEMORY);
    }

    /** It has responded after so many nanoseconds. */
    void responded(long nanos, long now) {
        double before = average;
        if (nanos < before) {
            double weight = weight(averageAt, now);
            average = Math.max(1, before * weight + nanos * (1 - weight));
            averageAt = now;
        } else {
            waited(nanos, now);
        }
    }

    /** A request has waited for so long, and has ended without a response: it takes so long at least. */
    void waited(long nanos, long now) {
        if (nanos >= average) {
            average = Math.max(1, nanos);
            averageAt = now;
        }
    }

    /** It has served a request. */
    void succeeded() {
        if (failures != 0) {
            failures = 0;
        }
    }

    /** It has failed a request. */
    void failed(long now) {
        failures = Math.min(MOST_FAILURES, failures * weight(failedAt, now) + 1);
        failedAt = now;
    }

    /** The average; 0 if it has never responded. */
    double average() {
        return average;
    }

    /**
     * What a request to it costs beside those to others: the expected time, doubled by each failure in a row.
     *
     * @param worst the highest average of the group, which counts for one that has only failed
     */
    double cost(int inFlight, double worst, long now) {
        double known = average;
        double failed = failures;
        double fresh = failed == 0 ? 0 : weight(failedAt, now);
        double base = known != 0 ? known : failed != 0 ? worst : UNKNOWN * worst;
        if (mayBeTried(now)) {
            base *= known != 0 ? weight(averageAt, now) : failed != 0 ? fresh : 0;
        }
        return base * Math.pow(2, failed * fresh) * (inFlight + 1.0);
    }

    private boolean mayBeTried(long now) {
        return !tried || now - triedAt >= MEMORY;
    }

    /** It gets a request: if little is known of it, that is the one that tries it for now. */
    void chosen(long now) {
        if (mayBeTried(now) && (average == 0 || now - averageAt > MEMORY / 2)) {
            triedAt = now;
            tried = true;
        }
    }
}
