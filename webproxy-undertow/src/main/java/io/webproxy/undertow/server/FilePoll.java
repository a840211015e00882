package io.webproxy.undertow.server;

import io.webproxy.undertow.deadline.Daemons;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks files periodically, on a daemon thread that exists only while there is something to check. Thread-safe. */
final class FilePoll implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");

    private final Runnable look;
    private @Nullable ScheduledThreadPoolExecutor executor;
    private @Nullable ScheduledFuture<?> next;
    private Duration interval = Duration.ZERO;
    private boolean closed;

    FilePoll(Runnable look) {
        this.look = look;
    }

    /** Sets the period; zero stops the checks. */
    synchronized void every(Duration time) {
        if (closed || time.equals(interval)) {
            return;
        }
        interval = time;
        if (next != null) {
            next.cancel(false);
            next = null;
        }
        if (time.isZero()) {
            end();
            return;
        }
        ScheduledThreadPoolExecutor thread = executor;
        if (thread == null) {
            thread = new ScheduledThreadPoolExecutor(1, Daemons.named("webproxy-files"));
            thread.setRemoveOnCancelPolicy(true);
            executor = thread;
        }
        next = thread.scheduleWithFixedDelay(this::look, time.toNanos(), time.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void look() {
        try {
            look.run();
        } catch (Throwable e) {
            LOG.warn("Can't check the files of certificates for changes; trying again later", e);
        }
    }

    /** Ends it for good; idempotent. */
    @Override
    public synchronized void close() {
        closed = true;
        end();
    }

    private void end() {
        if (executor != null) {
            executor.shutdownNow();
            executor = null;
            next = null;
        }
    }
}
