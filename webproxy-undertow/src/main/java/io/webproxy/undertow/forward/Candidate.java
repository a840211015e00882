package io.webproxy.undertow.forward;

import io.webproxy.route.Upstream;
import io.webproxy.undertow.upstream.Health;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An upstream as one route sees it.
 *
 * @param health what the route's health check says of it
 * @param failures which share of the route's requests it fails; null where nobody asks
 */
record Candidate(Upstream upstream, Health health, @Nullable FailureWindow failures) {
    private static final Logger LOG = LoggerFactory.getLogger(Candidate.class);

    /** One that is asked whatever is known of it. */
    static Candidate alone(Upstream upstream) {
        return new Candidate(upstream, Health.UNCHECKED, null);
    }

    boolean isPaused(long now) {
        return failures != null && failures.isPaused(now);
    }

    /** It has answered with less than 500. */
    void answered(long now) {
        if (failures != null) {
            failures.ended(false, now);
        }
    }

    /** It has answered with 5xx, or not at all. */
    void failed(String route, long now) {
        if (failures != null && failures.ended(true, now)) {
            LOG.info(
                    "{} failed above {} % of the requests of route {}: others are preferred for {}",
                    upstream,
                    Math.round(failures.limit().share() * 100),
                    route,
                    failures.limit().pause());
        }
    }
}
