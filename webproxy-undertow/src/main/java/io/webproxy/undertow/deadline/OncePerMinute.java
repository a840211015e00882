package io.webproxy.undertow.deadline;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Limits a repeating log line to one a minute. Thread-safe. */
public final class OncePerMinute {
    private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final AtomicLong last = new AtomicLong(System.nanoTime() - QUIET_NANOS);

    /** Whether it may be logged now; then not again within a minute. */
    public boolean isDue() {
        long before = last.get();
        long now = System.nanoTime();
        return now - before >= QUIET_NANOS && last.compareAndSet(before, now);
    }
}
