package io.webproxy.undertow.pipeline;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Measures how fast a client sends its request body: the average over the time that the proxy waited for the client, so
 * that neither a pause of the upstream nor a burst of the client counts against it. Pure; times are nanoseconds of a
 * monotonic clock.
 */
final class BodyPace {
    /** Sweeps are never this late; a longer step means that the whole machine was suspended. */
    private static final long LONGEST_STEP = TimeUnit.SECONDS.toNanos(1);

    private final int bytesPerSecond;
    private final long grace;
    private long last;
    private long waited;

    BodyPace(int bytesPerSecond, Duration grace, long now) {
        this.bytesPerSecond = bytesPerSecond;
        this.grace = grace.toNanos();
        this.last = now;
    }

    /**
     * Measures, on each sweep.
     *
     * @param waiting whether the proxy has waited for the client since the last call
     * @param bytes received so far
     * @return whether the client is too slow
     */
    boolean isTooSlow(long now, boolean waiting, long bytes) {
        if (waiting) {
            waited += Math.min(now - last, LONGEST_STEP);
        }
        last = now;
        return waited > grace && bytes < bytesPerSecond * (waited / (double) TimeUnit.SECONDS.toNanos(1));
    }
}
