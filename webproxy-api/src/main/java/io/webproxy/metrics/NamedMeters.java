package io.webproxy.metrics;

import io.micrometer.core.instrument.Meter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The meters of what has a name, such as a route, which are removed together. What it makes later has the name
 * {@code other}. Its lock guards it: {@link #own} and {@link #name} are called under it, or by a constructor.
 */
abstract class NamedMeters {
    private final MeterSet meters;
    private final String name;
    private final List<Meter> own = new ArrayList<>();
    private boolean gone;

    NamedMeters(MeterSet meters, String name) {
        this.meters = meters;
        this.name = name;
    }

    /** The tag's value. */
    final String name() {
        return gone ? MeterSet.OTHER : name;
    }

    final boolean isGone() {
        return gone;
    }

    /** Makes a new meter one of these. */
    final <T extends Meter> @Nullable T own(@Nullable T meter) {
        if (meter != null && !gone) {
            own.add(meter);
        }
        return meter;
    }

    /** Removes the meters. Idempotent. */
    synchronized void leave() {
        gone = true;
        own.forEach(meters::remove);
        own.clear();
    }
}
