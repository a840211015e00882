package io.webproxy.route;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the route of a request: exact host before wildcard before any, then the longest path prefix. Pure and immutable.
 */
public final class RouteTable {
    private static final Comparator<Route> PRECEDENCE = Comparator.comparingInt(RouteTable::hostRank)
            .thenComparing(route -> route.path().length(), Comparator.reverseOrder());

    private final List<Route> ordered;

    /** A table of these routes; it may be empty. */
    public RouteTable(List<Route> routes) {
        this.ordered = routes.stream().sorted(PRECEDENCE).toList();
    }

    /**
     * The route of a request, or null when none matches.
     *
     * @param host as {@link HostPattern#hostOf} gives it
     * @param path the normalised path
     */
    public @Nullable Route find(String host, String path) {
        for (int i = 0; i < ordered.size(); i++) {
            Route route = ordered.get(i);
            if (route.host().matches(host) && route.path().matches(path)) {
                return route;
            }
        }
        return null;
    }

    /** The routes, the more specific ones first. */
    public List<Route> routes() {
        return ordered;
    }

    /** What is wrong with a list of routes, a sentence each: the same name twice, or the same host and path twice. */
    public static List<String> problems(List<Route> routes) {
        Map<String, Route> seen = new HashMap<>();
        Map<String, Route> names = new HashMap<>();
        return routes.stream()
                .map(route -> {
                    String pattern = route.host() + route.path().toString();
                    if (seen.putIfAbsent(pattern, route) != null) {
                        return "route: " + pattern + " (expected: each host and path only once)";
                    }
                    return names.putIfAbsent(route.name(), route) == null
                            ? ""
                            : "route.name: " + route.name() + " (expected: each name only once)";
                })
                .filter(problem -> !problem.isEmpty())
                .toList();
    }

    private static int hostRank(Route route) {
        return route.host().isAny() ? 2 : route.host().isWildcard() ? 1 : 0;
    }
}
