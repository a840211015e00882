package io.webproxy.undertow.forward;

import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.undertow.upstream.Health;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An upstream as a member of one group.
 *
 * @param health by the group's health check
 * @param cooldown as it asks for by {@code Retry-After}
 * @param latency how fast it responds
 * @param slowStart null if the group has none
 * @param failures its failed share of the group's requests; null if the group sets no limit
 */
record Candidate(
        Upstream upstream,
        Health health,
        Cooldown cooldown,
        Latency latency,
        @Nullable SlowStart slowStart,
        @Nullable FailureWindow failures) {
    /** A candidate without health check and limit. */
    static Candidate alone(Upstream upstream) {
        return new Candidate(upstream, Health.UNCHECKED, new Cooldown(), new Latency(), null, null);
    }

    boolean isPaused(long now) {
        return failures != null && failures.isPaused(now);
    }

    /** It answered with a status below 500; {@code busy}: by refusing the request for now. */
    void answered(LongSupplier nanoClock, boolean busy) {
        if (busy) {
            latency.failed(nanoClock.getAsLong());
        } else {
            latency.succeeded();
        }
        if (failures != null) {
            failures.ended(false, nanoClock.getAsLong());
        }
    }

    private static String seconds(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
    }

    /**
     * It answered 5xx or not at all. Returns why the group ejects it from now on, or null.
     *
     * @param route of the request
     */
    @Nullable String failed(Route route, long now) {
        latency.failed(now);
        if (failures == null || !failures.ended(true, now)) {
            return null;
        }
        String requests = route.upstreamGroup()
                .flatMap(UpstreamGroup::name)
                .map(name -> "group " + name)
                .orElseGet(() -> "route " + route.name());
        return "failed more than " + Math.round(failures.limit().failureShare() * 100) + " % of the requests of "
                + requests + ": for " + seconds(failures.limit().time())
                + " it gets only those that no other upstream can take";
    }
}
