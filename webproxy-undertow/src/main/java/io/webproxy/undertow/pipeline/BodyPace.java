package io.webproxy.undertow.pipeline;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How fast a client sends a body that is waited for: on average over that waiting, so that neither a pause of the
 * upstream nor a burst of the client counts against it. Pure; times are nanoseconds of a monotonic clock.
 */
final class BodyPace {
    /** More than a sweep can be late: in what is beyond it the whole machine slept. */
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
     * Looks at it.
     *
     * @param waiting whether the client is waited for since the last look
     * @param bytes how many have come so far
     * @return whether that is too slow
     */
    boolean isTooSlow(long now, boolean waiting, long bytes) {
        if (waiting) {
            waited += Math.min(now - last, LONGEST_STEP);
        }
        last = now;
        return waited > grace && bytes < bytesPerSecond * (waited / (double) TimeUnit.SECONDS.toNanos(1));
    }
}
