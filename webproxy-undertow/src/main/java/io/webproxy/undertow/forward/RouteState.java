package io.webproxy.undertow.forward;

import io.webproxy.route.Route;
import io.webproxy.spi.RetryBudget;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state of one route: its upstream group and its retry budget. Thread-safe.
 *
 * @param group null if the route doesn't forward
 */
record RouteState(Route route, Retries retries, @Nullable GroupState group) {
    /**
     * The state of a route.
     *
     * @param before the previous state of the route of this name; what still applies is kept
     */
    static RouteState of(Route route, RetryBudget budget, @Nullable GroupState group, @Nullable RouteState before) {
        Retries retries =
                before != null && before.retries.budget().equals(budget) ? before.retries : new Retries(budget);
        return new RouteState(route, retries, group);
    }

    /** What keeps sessions on their upstreams; null for none. */
    @Nullable Affinity affinity() {
        return group == null ? null : group.affinity();
    }

    /** In the order of the group. */
    List<Candidate> candidates() {
        return group == null ? List.of() : group.candidates();
    }
}
