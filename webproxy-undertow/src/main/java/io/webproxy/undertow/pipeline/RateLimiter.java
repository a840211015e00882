package io.webproxy.undertow.pipeline;

import io.webproxy.route.Route;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.RateLimit;
import io.webproxy.undertow.deadline.TokenBuckets;
import java.net.InetAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The token buckets of clients, by route; they survive an update of the route. Thread-safe. */
public final class RateLimiter {
    private final Map<String, TokenBuckets<AddressRange>> routes = new ConcurrentHashMap<>();

    /** No buckets yet. */
    public RateLimiter() {}

    /** Takes a token for a client; returns 0, or in how many nanoseconds there will be one. */
    long take(Route route, RateLimit limit, InetAddress client, long now) {
        return routes.computeIfAbsent(route.name(), name -> new TokenBuckets<>())
                .take(AddressRange.clientOf(client), limit.burst(), limit.per().toNanos() / limit.requests(), now);
    }

    /** Forgets the buckets of all other routes. */
    public void retain(Set<String> names) {
        routes.keySet().retainAll(names);
    }
}
