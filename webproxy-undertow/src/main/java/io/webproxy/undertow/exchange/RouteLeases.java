package io.webproxy.undertow.exchange;

import io.webproxy.undertow.deadline.Lease;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How long the exchanges of each route may go on: those of a route that an update removes end within the drain time. By
 * name. Thread-safe.
 */
public final class RouteLeases {
    private final Map<String, Lease> leases = new ConcurrentHashMap<>();
    /** For a request that has found its route just before that was removed. */
    private volatile Lease gone = new Lease();

    /** Adds routes that are about to be in force. */
    public void add(Set<String> names) {
        names.forEach(name -> leases.computeIfAbsent(name, added -> new Lease()));
    }

    /** Only these routes are in force now; the others end at a time of the sweepers' clock. */
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
