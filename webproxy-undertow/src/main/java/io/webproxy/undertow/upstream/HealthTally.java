package io.webproxy.undertow.upstream;

import io.webproxy.route.HealthCheck;

/** The health of an upstream, by consecutive good and bad results. Written by one thread, read by any. */
final class HealthTally implements Health {
    private final HealthCheck check;
    private volatile boolean well = true;
    private int against;

    HealthTally(HealthCheck check) {
        this.check = check;
    }

    @Override
    public boolean isHealthy() {
        return well;
    }

    /** Counts a result; returns whether the upstream's health has changed. */
    boolean changedBy(boolean good) {
        if (good == well) {
            against = 0;
            return false;
        }
        if (++against < (well ? check.failures() : check.successes())) {
            return false;
        }
        against = 0;
        well = good;
        return true;
    }
}
