package io.webproxy.undertow.forward;

import io.webproxy.route.RetryBudget;
import io.webproxy.route.Route;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The states of all routes. Thread-safe. */
final class RouteStates {
    private final Upstreams upstreams;
    private volatile RetryBudget budget = RetryBudget.defaults();
    private volatile List<RouteState> current = List.of();
    private volatile IdentityHashMap<Route, RouteState> states = new IdentityHashMap<>();

    RouteStates(Upstreams upstreams) {
        this.upstreams = upstreams;
    }

    /** The state of a route. */
    RouteState of(Route route) {
        RouteState state = states.get(route);
        return state != null ? state : RouteState.of(route, budget, upstreams, null);
    }

    /** These routes from now on; requests that have begun with those before find them once more. */
    synchronized void update(List<Route> routes, RetryBudget retries) {
        IdentityHashMap<Route, RouteState> next = new IdentityHashMap<>();
        for (RouteState before : current) {
            next.put(before.route(), before);
        }
        List<RouteState> made = routes.stream()
                .map(route -> RouteState.of(route, retries, upstreams, named(route.name())))
                .toList();
        for (RouteState state : made) {
            next.put(state.route(), state);
        }
        budget = retries;
        current = made;
        states = next;
    }

    private @Nullable RouteState named(String name) {
        for (RouteState state : current) {
            if (state.route().name().equals(name)) {
                return state;
            }
        }
        return null;
    }
}
