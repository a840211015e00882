package io.webproxy.undertow.forward;

import io.webproxy.route.Route;
import io.webproxy.spi.RetryBudget;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the requests of one route have in common: its upstream group, and the retries that are left. Thread-safe.
 *
 * @param group null where the route forwards nothing
 */
record RouteState(Route route, Retries retries, @Nullable GroupState group) {
    /**
     * The state of a route.
     *
     * @param before the state of the route of the same name, of which what still fits is kept
     */
    static RouteState of(Route route, RetryBudget budget, @Nullable GroupState group, @Nullable RouteState before) {
        Retries retries =
                before != null && before.retries.budget().equals(budget) ? before.retries : new Retries(budget);
        return new RouteState(route, retries, group);
    }

    /** What keeps sessions with their upstreams; null for nothing. */
    @Nullable Affinity affinity() {
        return group == null ? null : group.affinity();
    }

    /** In the order of the group. */
    List<Candidate> candidates() {
        return group == null ? List.of() : group.candidates();
    }
}
