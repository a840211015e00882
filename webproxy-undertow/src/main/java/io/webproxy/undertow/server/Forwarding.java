package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.route.Route;
import io.webproxy.undertow.exchange.RouteLeases;
import io.webproxy.undertow.forward.Forwarder;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Where the routes lead: their upstreams with pools and health checks, and what is known of each route. It is there
 * before the first request finds a route.
 *
 * @param leases how long the exchanges of each route may go on
 */
record Forwarding(Upstreams upstreams, Forwarder forwarder, RouteLeases leases) implements Part {
    @Override
    public Change prepare(ProxyConfig next) {
        Upstreams.Prepared prepared = upstreams.prepare(next.routes().stream()
                .map(Route::upstreams)
                .flatMap(List::stream)
                .collect(Collectors.toUnmodifiableSet()));
        Set<String> names = names(next);
        return () -> {
            leases.add(names);
            upstreams.update(prepared, next.tuning().http(), next.tuning().pool());
            upstreams.check(next.routes());
            forwarder.update(next.routes(), next.retries());
        };
    }

    /** Those of the routes of a configuration. */
    static Set<String> names(ProxyConfig config) {
        return config.routes().stream().map(Route::name).collect(Collectors.toUnmodifiableSet());
    }
}
