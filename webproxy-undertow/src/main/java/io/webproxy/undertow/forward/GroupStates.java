package io.webproxy.undertow.forward;

import io.webproxy.route.OutlierEjection;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The states of all upstream groups of one list of routes. Immutable. */
final class GroupStates {
    private final Map<UpstreamGroup, GroupState> states;

    private GroupStates(Map<UpstreamGroup, GroupState> states) {
        this.states = states;
    }

    static GroupStates none() {
        return new GroupStates(Map.of());
    }

    /** The state of a group; null if it isn't one of them. */
    @Nullable GroupState find(UpstreamGroup group) {
        return states.get(group);
    }

    /**
     * The states of these routes' groups. Equal groups keep their state. A changed group takes what still applies from
     * the group of the same name, or, if it has no name, from that of the route of the same name.
     *
     * @param before the previous groups without a name, by the name of their route
     */
    GroupStates next(
            Iterable<Route> routes, OutlierEjection server, Upstreams upstreams, Map<String, GroupState> before) {
        Set<UpstreamGroup> wanted = new HashSet<>();
        routes.forEach(route -> route.upstreamGroup().ifPresent(wanted::add));
        Set<GroupState> replaced = new HashSet<>(states.values());
        replaced.removeIf(state -> wanted.contains(state.group()));
        Map<UpstreamGroup, GroupState> next = new HashMap<>();
        for (Route route : routes) {
            UpstreamGroup group = route.upstreamGroup().orElse(null);
            if (group != null && !next.containsKey(group)) {
                GroupState known = states.get(group);
                if (known == null) {
                    GroupState other = group.name().isPresent() ? named(group) : before.get(route.name());
                    // a state is handed on to one group only
                    known = other != null && replaced.remove(other) ? other : null;
                }
                next.put(group, GroupState.of(group, server, upstreams, known));
            }
        }
        return new GroupStates(next);
    }

    private @Nullable GroupState named(UpstreamGroup group) {
        return states.values().stream()
                .filter(state -> Objects.equals(state.group().name(), group.name()))
                .findFirst()
                .orElse(null);
    }
}
