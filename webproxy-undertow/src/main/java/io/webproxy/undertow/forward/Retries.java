package io.webproxy.undertow.forward;

import io.webproxy.spi.RetryBudget;
import java.util.concurrent.atomic.AtomicLong;

/** The retry budget of one route: each request earns a fraction of a retry, each retry spends one. Thread-safe. */
final class Retries {
    /** The cost of one retry. */
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

    /** A request has arrived. */
    void earn() {
        for (long before = left.get(); earned > 0 && before < cap; before = left.get()) {
            if (left.compareAndSet(before, Math.min(cap, before + earned))) {
                return;
            }
        }
    }

    /** Spends one retry; returns false if none is left. */
    boolean take() {
        for (long before = left.get(); before >= ONE; before = left.get()) {
            if (left.compareAndSet(before, before - ONE)) {
                return true;
            }
        }
        return false;
    }
}
