package io.webproxy.undertow.forward;

import io.webproxy.route.OutlierEjection;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.RetryBudget;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The states of all routes and of the groups that they forward to. Thread-safe. */
final class RouteStates {
    private final Upstreams upstreams;
    private volatile Known known = new Known(
            RetryBudget.defaults(), OutlierEjection.defaults(), List.of(), GroupStates.none(), new IdentityHashMap<>());

    /**
     * A snapshot of the states.
     *
     * @param current routes in force
     * @param found those, and the previous routes
     */
    private record Known(
            RetryBudget retries,
            OutlierEjection ejection,
            List<RouteState> current,
            GroupStates groups,
            IdentityHashMap<Route, RouteState> found) {}

    RouteStates(Upstreams upstreams) {
        this.upstreams = upstreams;
    }

    /** The state of a route. */
    RouteState of(Route route) {
        Known now = known;
        RouteState state = now.found.get(route);
        return state != null ? state : unknown(route, now);
    }

    /** For a route that was replaced more than once while its request was on the way. */
    private RouteState unknown(Route route, Known now) {
        UpstreamGroup group = route.upstreamGroup().orElse(null);
        GroupState state = group == null ? null : now.groups.find(group);
        if (group != null && state == null) {
            state = GroupState.of(group, now.ejection, upstreams, null);
        }
        return RouteState.of(route, now.retries, state, null);
    }

    /** Sets the routes in force; requests that began with the previous routes still find them. */
    synchronized void update(List<Route> routes, RetryBudget retries, OutlierEjection ejection) {
        Known before = known;
        IdentityHashMap<Route, RouteState> found = new IdentityHashMap<>();
        Map<String, RouteState> names = new HashMap<>();
        Map<String, GroupState> nameless = new HashMap<>();
        for (RouteState state : before.current) {
            found.put(state.route(), state);
            names.put(state.route().name(), state);
            GroupState group = state.group();
            if (group != null && group.group().name().isEmpty()) {
                nameless.put(state.route().name(), group);
            }
        }
        GroupStates groups = before.groups.next(routes, ejection, upstreams, nameless);
        List<RouteState> current = new ArrayList<>();
        for (Route route : routes) {
            UpstreamGroup group = route.upstreamGroup().orElse(null);
            GroupState state = group == null ? null : groups.find(group);
            current.add(RouteState.of(route, retries, state, names.get(route.name())));
        }
        current.forEach(state -> found.put(state.route(), state));
        known = new Known(retries, ejection, List.copyOf(current), groups, found);
    }
}
