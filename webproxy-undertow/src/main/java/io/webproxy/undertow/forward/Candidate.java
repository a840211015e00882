package io.webproxy.undertow.forward;

import io.webproxy.route.Upstream;
import io.webproxy.undertow.upstream.Health;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An upstream as one route sees it.
 *
 * @param health what the route's health check says of it
 * @param failures which share of the route's requests it fails; null where nobody asks
 */
record Candidate(Upstream upstream, Health health, @Nullable FailureWindow failures) {
    /** One that is asked whatever is known of it. */
    static Candidate alone(Upstream upstream) {
        return new Candidate(upstream, Health.UNCHECKED, null);
    }

    boolean isPaused(long now) {
        return failures != null && failures.isPaused(now);
    }

    /** It has answered with less than 500. */
    void answered(LongSupplier nanoClock) {
        if (failures != null) {
            failures.ended(false, nanoClock.getAsLong());
        }
    }

    private static String seconds(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
    }

    /** It has answered with 5xx, or not at all; gives why the route prefers others from now on, or null. */
    @Nullable String failed(String route, long now) {
        return failures == null || !failures.ended(true, now)
                ? null
                : "failed more than " + Math.round(failures.limit().share() * 100) + " % of the requests of route "
                        + route
                        + ": for " + seconds(failures.limit().pause())
                        + " it gets only those that no other upstream can take";
    }
}
