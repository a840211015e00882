package io.webproxy.metrics;

import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The upstreams of a configuration, and the groups they are in. Immutable.
 *
 * @param names by upstream: the name of its group; {@code none} without one, {@code several} in several
 */
record Groups(Map<String, String> names) {
    /** The value of a tag for an upstream of several groups. */
    static final String SEVERAL = "several";

    /** Of a configuration without upstreams. */
    static final Groups NONE = new Groups(Map.of());

    static Groups of(Iterable<Route> routes) {
        Map<String, String> names = new TreeMap<>();
        for (Route route : routes) {
            UpstreamGroup group = route.upstreamGroup().orElse(null);
            if (group != null) {
                String name = group.name().orElse(MeterSet.NONE);
                for (Upstream upstream : group.upstreams()) {
                    names.merge(upstream.toString(), name, (one, other) -> one.equals(other) ? one : SEVERAL);
                }
            }
        }
        return new Groups(names);
    }

    /** The group's name as the value of a tag; {@code none} for upstreams of no route. */
    String of(String upstream) {
        return names.getOrDefault(upstream, MeterSet.NONE);
    }

    /** The upstreams, such as {@code http://10.0.0.7:8000}, in order. */
    Set<String> upstreams() {
        return names.keySet();
    }
}
