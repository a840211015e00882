package io.webproxy.undertow.deadline;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Says when something may be logged that would come again and again: at once, then at most once a minute. Thread-safe.
 */
public final class OncePerMinute {
    private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final AtomicLong last = new AtomicLong(System.nanoTime() - QUIET_NANOS);

    /** Whether it may be logged now; if so, not again within a minute. */
    public boolean isDue() {
        long before = last.get();
        long now = System.nanoTime();
        return now - before >= QUIET_NANOS && last.compareAndSet(before, now);
    }
}
