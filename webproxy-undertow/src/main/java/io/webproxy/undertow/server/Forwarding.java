package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.exchange.RouteLeases;
import io.webproxy.undertow.forward.Forwarder;
import io.webproxy.undertow.status.StatusPages;
import io.webproxy.undertow.upstream.PoolSettings;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The routes' upstreams with pools and health checks, and the state of each route. It is committed before requests can
 * find a new route.
 *
 * @param leases the leases of the routes
 */
record Forwarding(Upstreams upstreams, Forwarder forwarder, RouteLeases leases) implements Part {
    @Override
    public Change prepare(ProxyConfig next) {
        PoolSettings server =
                new PoolSettings(next.tuning().pool(), next.tuning().outlierEjection());
        Map<Upstream, PoolSettings> groups = new HashMap<>();
        next.routes().stream()
                .flatMap(route -> route.upstreamGroup().stream())
                .forEach(group -> group.upstreams().forEach(upstream -> groups.put(upstream, server.of(group))));
        Upstreams.Prepared prepared = upstreams.prepare(Set.copyOf(groups.keySet()));
        Set<String> names = names(next);
        return () -> {
            leases.add(names);
            upstreams.update(prepared, next.tuning().http(), server, groups);
            upstreams.check(next.routes());
            forwarder.update(next.routes(), next.retries(), next.tuning().outlierEjection());
        };
    }

    /** The names of a configuration's routes, with the one of endpoints that have the status page. */
    static Set<String> names(ProxyConfig config) {
        return Stream.concat(config.routes().stream().map(Route::name), Stream.of(StatusPages.ROUTE))
                .collect(Collectors.toUnmodifiableSet());
    }
}
