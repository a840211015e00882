package io.webproxy.spi;

import io.webproxy.http.RequestHead;
import io.webproxy.route.Route;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the route of a request: exact host before wildcard before any, then the longest path prefix, then the order of
 * configuration. Pure and immutable; a look-up allocates nothing, and takes the same time with a thousand routes as
 * with ten.
 */
public final class RouteTable {
    private static final Comparator<Route> PRECEDENCE = Comparator.comparingInt(RouteTable::hostRank)
            .thenComparing(route -> route.path().length(), Comparator.reverseOrder());

    private final List<Route> ordered;
    private final RegionMap<PathIndex> exact;
    /** Keyed by the domain after {@code *.}. */
    private final RegionMap<PathIndex> wildcard;

    private final PathIndex any;
    private final boolean anyHost;

    /** A table of these routes; it may be empty. */
    public RouteTable(List<Route> routes) {
        this.ordered = routes.stream().sorted(PRECEDENCE).toList();
        List<Map<String, List<Route>>> ranks = List.of(new HashMap<>(), new HashMap<>(), new HashMap<>());
        for (Route route : ordered) {
            String host = route.host().toString();
            ranks.get(hostRank(route))
                    .computeIfAbsent(route.host().isWildcard() ? host.substring(2) : host, ignored -> new ArrayList<>())
                    .add(route);
        }
        this.exact = indexed(ranks.get(0));
        this.wildcard = indexed(ranks.get(1));
        this.any = new PathIndex(ranks.get(2).getOrDefault("", List.of()));
        this.anyHost = ranks.get(2).containsKey("");
    }

    private static RegionMap<PathIndex> indexed(Map<String, List<Route>> hosts) {
        Map<String, PathIndex> indexes = new HashMap<>();
        hosts.forEach((host, routes) -> indexes.put(host, new PathIndex(routes)));
        return new RegionMap<>(indexes);
    }

    /**
     * The route of a request, or null if none matches. A route that strips a prefix ending in a slash is also found for
     * the path without that slash, unless another route of the same host matches it: {@link PathPrefix#matches} is
     * false then, and the request must be redirected.
     *
     * @param host as {@link HostPattern#hostOf} gives it
     * @param path the normalised path
     * @param request for its method and fields, see {@link Route#accepts}
     */
    public @Nullable Route find(String host, String path, RequestHead request) {
        if (path.isEmpty() || path.charAt(0) != '/') {
            return null;
        }
        PathIndex paths = exact.find(host, 0, host.length());
        Route found = paths == null ? null : paths.find(path, request);
        int dot = found == null ? host.indexOf('.') : -1;
        if (dot > 0) {
            paths = wildcard.find(host, dot + 1, host.length());
            found = paths == null ? null : paths.find(path, request);
        }
        return found == null ? any.find(path, request) : found;
    }

    /**
     * Whether there is a route for a host, with any path and conditions.
     *
     * @param host as {@link HostPattern#hostOf} gives it
     */
    public boolean hasHost(String host) {
        int dot = host.indexOf('.');
        return anyHost
                || exact.find(host, 0, host.length()) != null
                || (dot > 0 && wildcard.find(host, dot + 1, host.length()) != null);
    }

    /** The routes, the more specific ones first. */
    public List<Route> routes() {
        return ordered;
    }

    /**
     * Problems of a list of routes, a sentence each: two routes with the same name; two with the same host, path and
     * conditions; a route that no request can reach, because earlier ones with the same host and path take them all.
     */
    public static List<String> problems(List<Route> routes) {
        List<String> problems = new ArrayList<>();
        Map<String, List<Route>> places = new LinkedHashMap<>();
        Map<String, Route> names = new HashMap<>();
        for (Route route : routes) {
            String pattern = route.host() + route.path().toString();
            List<Route> before = places.computeIfAbsent(pattern, ignored -> new ArrayList<>());
            Conditions conditions = new Conditions(route);
            String shadow = conditions.shadow(before);
            if (shadow != null) {
                problems.add("route: " + pattern + " " + shadow);
            } else if (names.putIfAbsent(route.name(), route) != null) {
                boolean nameless = route.name().equals(pattern + conditions.text());
                problems.add("route.name: " + route.name() + " (expected: each name only once"
                        + (nameless ? "; routes that differ only in the values of fields need names)" : ")"));
            }
            before.add(route);
        }
        return problems;
    }

    private static int hostRank(Route route) {
        return route.host().isAny() ? 2 : route.host().isWildcard() ? 1 : 0;
    }
}
