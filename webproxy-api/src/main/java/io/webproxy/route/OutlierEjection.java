package io.webproxy.route;

import java.time.Duration;
import java.util.Objects;

/**
 * The rule for ejecting an upstream of several for a while: after consecutive connect failures, or when it fails too
 * large a share of requests. Immutable; start from {@link #defaults()} or {@link #off()}.
 *
 * <p>Failed connects are counted for each upstream, the share for each {@link UpstreamGroup}. A request counts as
 * failed if it is answered with 5xx, or not at all. A gRPC call counts as failed if it ends with {@code UNKNOWN},
 * {@code INTERNAL}, {@code UNAVAILABLE} or {@code DATA_LOSS}, or is cut. {@code DEADLINE_EXCEEDED} doesn't count: the
 * client sets that deadline.
 *
 * <p>An upstream is always tried if there is no other one, or all others are ejected too.
 */
public final class OutlierEjection {
    private static final OutlierEjection DEFAULTS =
            new OutlierEjection(5, 0, 20, Duration.ofSeconds(10), Duration.ofSeconds(10));
    private static final OutlierEjection OFF = DEFAULTS.withConnectFailures(0);

    private final int connectFailures;
    private final double failureShare;
    private final int leastRequests;
    private final Duration window;
    private final Duration time;

    private OutlierEjection(
            int connectFailures, double failureShare, int leastRequests, Duration window, Duration time) {
        this.connectFailures = connectFailures;
        this.failureShare = failureShare;
        this.leastRequests = leastRequests;
        this.window = window;
        this.time = time;
    }

    /** Ejected for 10 s after 5 consecutive connect failures; no limit for the share of failed requests. */
    public static OutlierEjection defaults() {
        return DEFAULTS;
    }

    /** No upstream is ejected, unless a limit is set. */
    public static OutlierEjection off() {
        return OFF;
    }

    /** The same after another number of consecutive connect failures, 0 to 1,000; 0 for never. */
    public OutlierEjection withConnectFailures(int inARow) {
        check("connectFailures", inARow, 0, 1000);
        return new OutlierEjection(inARow, failureShare, leastRequests, window, time);
    }

    /**
     * The same, and above this share of failed requests within the window, 0 to 1; 0, the default, for never. It is
     * ejected above the share, or when all of them have failed.
     */
    public OutlierEjection withFailureShare(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("outlierEjection.failureShare: " + share + " (expected: 0 to 1)");
        }
        return new OutlierEjection(connectFailures, share, leastRequests, window, time);
    }

    /** The same with another minimum number of requests for a share, 1 to 1,000,000; default 20. */
    public OutlierEjection withLeastRequests(int requests) {
        check("leastRequests", requests, 1, 1_000_000);
        return new OutlierEjection(connectFailures, failureShare, requests, window, time);
    }

    /** The same with another window over which requests are counted, 100 ms to 1 h; default 10 s. */
    public OutlierEjection withWindow(Duration span) {
        check("window", span, 100);
        return new OutlierEjection(connectFailures, failureShare, leastRequests, span, time);
    }

    /**
     * The same with another duration of an ejection, 1 ms to 1 h; default 10 s. After connect failures, one request at
     * a time then tries to connect again; after a share of failures the upstream gets requests again, and counting
     * restarts.
     */
    public OutlierEjection withTime(Duration skipped) {
        check("time", skipped, 1);
        return new OutlierEjection(connectFailures, failureShare, leastRequests, window, skipped);
    }

    /** The number of consecutive connect failures that ejects an upstream; 0 for never. */
    public int connectFailures() {
        return connectFailures;
    }

    /** The share of failed requests above which it is ejected; 0 for never. */
    public double failureShare() {
        return failureShare;
    }

    /** The minimum number of requests for a share. */
    public int leastRequests() {
        return leastRequests;
    }

    /** The window over which requests are counted. */
    public Duration window() {
        return window;
    }

    /** The duration of an ejection. */
    public Duration time() {
        return time;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OutlierEjection that
                && connectFailures == that.connectFailures
                && Double.compare(failureShare, that.failureShare) == 0
                && leastRequests == that.leastRequests
                && window.equals(that.window)
                && time.equals(that.time);
    }

    @Override
    public int hashCode() {
        return Objects.hash(connectFailures, failureShare, leastRequests, window, time);
    }

    @Override
    public String toString() {
        return "OutlierEjection[connectFailures=" + connectFailures + ", failureShare=" + failureShare
                + ", leastRequests=" + leastRequests + ", window=" + window + ", time=" + time + "]";
    }

    private static void check(String name, Duration value, long leastMillis) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(Duration.ofMillis(leastMillis)) < 0 || value.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException(
                    "outlierEjection." + name + ": " + value + " (expected: " + leastMillis + " ms to 1 h)");
        }
    }

    private static void check(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "outlierEjection." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
    }
}
