package io.webproxy.undertow.pipeline;

import io.webproxy.http.AddressRange;
import io.webproxy.route.RateLimit;
import io.webproxy.route.Route;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The token buckets of clients, by route; they outlive an update of the route. Thread-safe. */
public final class RateLimiter {
    private final Map<String, Buckets> routes = new ConcurrentHashMap<>();

    /** No buckets yet. */
    public RateLimiter() {}

    /** Takes a token of the client's; gives 0, or for how many nanoseconds there will be none. */
    long take(Route route, RateLimit limit, InetAddress client, long now) {
        return routes.computeIfAbsent(route.name(), name -> new Buckets())
                .take(limit, AddressRange.clientOf(client), now);
    }

    /** Forgets all routes but these. */
    public void retain(Set<String> names) {
        routes.keySet().retainAll(names);
    }

    /** When each client's bucket will be full again, in nanoseconds; the client that was seen least recently is forgotten first. */
    private static final class Buckets extends LinkedHashMap<AddressRange, Long> {
        private static final long serialVersionUID = 1;
        private static final int MOST = 100_000;

        Buckets() {
            super(16, 0.75f, true);
        }

        synchronized long take(RateLimit limit, AddressRange client, long now) {
            long period = limit.per().toNanos() / limit.requests();
            Long until = get(client);
            long missing = until == null ? 0 : Math.max(0, until - now);
            long wait = missing - (limit.burst() - 1) * period;
            if (wait > 0) {
                return wait;
            }
            put(client, now + missing + period);
            return 0;
        }

        @Override
        protected boolean removeEldestEntry(Map.@Nullable Entry<AddressRange, Long> eldest) {
            return size() > MOST;
        }
    }
}
