package io.webproxy;

import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds contradictions between upstream groups: different groups of one name and, because an upstream has one pool for
 * all its groups, different pool limits or ejection rules for it.
 */
final class GroupConflicts {
    private final PoolLimits pool;
    private final OutlierEjection ejection;

    /** A group, and the first route that uses it. */
    private record Place(UpstreamGroup group, Route route) {
        @Override
        public String toString() {
            return group.name().map(name -> "group " + name).orElseGet(() -> "route " + route.name());
        }
    }

    /** The limits of groups without their own. */
    GroupConflicts(PoolLimits pool, OutlierEjection ejection) {
        this.pool = pool;
        this.ejection = ejection;
    }

    /** The problems, a sentence each. */
    List<String> problems(List<Route> routes) {
        List<String> problems = new ArrayList<>();
        Map<String, UpstreamGroup> names = new HashMap<>();
        Map<Upstream, Place> pools = new LinkedHashMap<>();
        Set<String> told = new LinkedHashSet<>();
        for (Route route : routes) {
            UpstreamGroup group = route.upstreamGroup().orElse(null);
            if (group == null) {
                continue;
            }
            String name = group.name().orElse("");
            if (!name.isEmpty()
                    && !names.computeIfAbsent(name, ignored -> group).equals(group)
                    && told.add(name)) {
                problems.add("upstreamGroup.name: " + name
                        + " (expected: the same settings wherever a group of this name is used)");
            }
            for (Upstream upstream : group.upstreams()) {
                Place place = new Place(group, route);
                Place first = pools.putIfAbsent(upstream, place);
                String what = first == null ? "" : difference(first.group, group);
                if (!what.isEmpty() && told.add(upstream + what)) {
                    problems.add("upstreamGroup." + what + ": other limits for " + upstream + " in " + place
                            + " than in " + first + " (expected: the same in all groups of an upstream)");
                }
            }
        }
        return problems;
    }

    private String difference(UpstreamGroup one, UpstreamGroup other) {
        if (one.name().isPresent() && one.name().equals(other.name())) {
            // their name is the problem
            return "";
        }
        if (!one.pool().orElse(pool).equals(other.pool().orElse(pool))) {
            return "pool";
        }
        OutlierEjection ours = one.outlierEjection().orElse(ejection);
        OutlierEjection theirs = other.outlierEjection().orElse(ejection);
        boolean alike = ours.connectFailures() == theirs.connectFailures()
                && (ours.connectFailures() == 0 || ours.time().equals(theirs.time()));
        return alike ? "" : "outlierEjection.connectFailures";
    }
}
