package io.webproxy.undertow.forward;

import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Takes a route's upstreams in turns. Thread-safe. */
final class Rotation {
    private final Map<String, AtomicInteger> next = new ConcurrentHashMap<>();

    /** Where the exchange starts in the route's list. */
    int first(Route route) {
        List<Upstream> upstreams = route.upstreams();
        if (upstreams.size() == 1) {
            return 0;
        }
        return Math.floorMod(
                next.computeIfAbsent(route.name(), name -> new AtomicInteger()).getAndIncrement(), upstreams.size());
    }
}
