package io.webproxy.undertow.exchange;

import io.webproxy.undertow.deadline.Lease;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The leases of routes, by name: exchanges of a route that an update removes end within the drain time. Thread-safe.
 */
public final class RouteLeases {
    private final Map<String, Lease> leases = new ConcurrentHashMap<>();
    /** For a request that found its route just before the route was removed. */
    private volatile Lease gone = new Lease();

    /** Adds routes that are about to come into force. */
    public void add(Set<String> names) {
        names.forEach(name -> leases.computeIfAbsent(name, added -> new Lease()));
    }

    /** Keeps only these routes; the exchanges of all others end at this time of the sweepers' clock. */
    public void retain(Set<String> names, long end) {
        Lease removed = new Lease();
        removed.end(end);
        gone = removed;
        leases.entrySet().removeIf(entry -> {
            if (names.contains(entry.getKey())) {
                return false;
            }
            entry.getValue().end(end);
            return true;
        });
    }

    Lease of(String name) {
        Lease lease = leases.get(name);
        return lease == null ? gone : lease;
    }
}
