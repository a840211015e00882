package io.webproxy.undertow.deadline;

import io.webproxy.route.OutlierEjection;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The ejection of an upstream after several consecutive connect failures. When its time is up, one request may try the
 * upstream again: a success ends the ejection, and a failure or no outcome prolongs it.
 *
 * <p>Thread-safe. Times are nanoseconds of a monotonic clock.
 */
public final class Ejection {
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicLong until = new AtomicLong();

    /** Not ejected. */
    public Ejection() {}

    /** A connection was made. */
    public void succeeded() {
        if (failures.get() != 0) {
            failures.set(0);
        }
    }

    /** A connect failed; returns whether that ejects the upstream. */
    public boolean failed(OutlierEjection rule, long now) {
        int count = failures.updateAndGet(before -> before == Integer.MAX_VALUE ? before : before + 1);
        if (rule.connectFailures() == 0 || count < rule.connectFailures()) {
            return false;
        }
        until.set(now + rule.time().toNanos());
        return count == rule.connectFailures();
    }

    /** Whether it is ejected now. */
    public boolean isEjected(OutlierEjection rule) {
        return rule.connectFailures() != 0 && failures.get() >= rule.connectFailures();
    }

    /** Whether a request might try it: it isn't ejected, or its time is up. */
    public boolean mayBeTried(OutlierEjection rule, long now) {
        return !isEjected(rule) || now - until.get() >= 0;
    }

    /** Whether this request may use it: it isn't ejected, or this request is the one that tries it again. */
    public boolean allows(OutlierEjection rule, long now) {
        if (!isEjected(rule)) {
            return true;
        }
        long end = until.get();
        return now - end >= 0 && until.compareAndSet(end, now + rule.time().toNanos());
    }
}
