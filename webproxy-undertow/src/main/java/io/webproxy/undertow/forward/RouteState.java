package io.webproxy.undertow.forward;

import io.webproxy.route.FailureShare;
import io.webproxy.route.RetryBudget;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the requests of one route have in common: its upstreams as it sees them, and the retries that are left.
 * Thread-safe.
 */
final class RouteState {
    private final Route route;
    private final Retries retries;
    private final List<Candidate> candidates;

    private RouteState(Route route, Retries retries, List<Candidate> candidates) {
        this.route = route;
        this.retries = retries;
        this.candidates = List.copyOf(candidates);
    }

    /**
     * The state of a route.
     *
     * @param before the state of the route of the same name, of which what still fits is kept
     */
    static RouteState of(Route route, RetryBudget budget, Upstreams upstreams, @Nullable RouteState before) {
        List<Candidate> candidates = new ArrayList<>();
        for (Upstream upstream : route.upstreams()) {
            candidates.add(new Candidate(
                    upstream, upstreams.health(route, upstream), failures(route, upstream, upstreams, before)));
        }
        Retries retries =
                before != null && before.retries.budget().equals(budget) ? before.retries : new Retries(budget);
        return new RouteState(route, retries, candidates);
    }

    private static @Nullable FailureWindow failures(
            Route route, Upstream upstream, Upstreams upstreams, @Nullable RouteState before) {
        FailureShare limit = route.failureShare().orElse(null);
        if (limit == null) {
            return null;
        }
        for (Candidate known : before == null ? List.<Candidate>of() : before.candidates) {
            FailureWindow failures = known.failures();
            if (known.upstream().equals(upstream)
                    && failures != null
                    && failures.limit().equals(limit)) {
                return failures;
            }
        }
        return new FailureWindow(limit, upstreams.now());
    }

    Route route() {
        return route;
    }

    Retries retries() {
        return retries;
    }

    /** In the order of the route. */
    List<Candidate> candidates() {
        return candidates;
    }
}
