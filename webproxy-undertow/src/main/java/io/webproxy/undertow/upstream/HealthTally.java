package io.webproxy.undertow.upstream;

import io.webproxy.route.HealthCheck;

/** Counts good and bad answers in a row. Written by one thread, read by any. */
final class HealthTally implements Health {
    private final HealthCheck check;
    private volatile boolean well = true;
    private int against;

    HealthTally(HealthCheck check) {
        this.check = check;
    }

    @Override
    public boolean isWell() {
        return well;
    }

    /** One more answer; gives whether the upstream's state is another now. */
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
