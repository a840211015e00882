package io.webproxy.undertow.forward;

import io.webproxy.spi.RetryBudget;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many requests of one route may still be asked of another upstream: each request earns a share of a retry, each
 * retry costs one. Thread-safe.
 */
final class Retries {
    /** What one retry costs. */
    private static final long ONE = 1_000_000;

    private static final int LEAST_CAP = 10;

    private final RetryBudget budget;
    private final long earned;
    private final long cap;
    private final AtomicLong left;

    Retries(RetryBudget budget) {
        this.budget = budget;
        this.earned = Math.round(budget.share() * ONE);
        this.cap = Math.max(LEAST_CAP, budget.reserve() * 10L) * ONE;
        this.left = new AtomicLong(budget.reserve() * ONE);
    }

    RetryBudget budget() {
        return budget;
    }

    /** A request has come. */
    void earn() {
        for (long before = left.get(); earned > 0 && before < cap; before = left.get()) {
            if (left.compareAndSet(before, Math.min(cap, before + earned))) {
                return;
            }
        }
    }

    /** Takes one retry; gives whether there was one. */
    boolean take() {
        for (long before = left.get(); before >= ONE; before = left.get()) {
            if (left.compareAndSet(before, before - ONE)) {
                return true;
            }
        }
        return false;
    }
}
