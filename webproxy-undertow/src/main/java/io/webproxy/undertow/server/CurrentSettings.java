package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.undertow.endpoint.OpenConnections;
import io.webproxy.undertow.exchange.RouteLeases;
import io.webproxy.undertow.pipeline.RateLimiter;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The settings in force, from the start of a server on. Thread-safe; one change at a time. */
final class CurrentSettings implements Part, Supplier<ServerSettings> {
    private final OpenConnections connections;
    private final RouteLeases leases;
    private final RateLimiter rates = new RateLimiter();
    private volatile @Nullable ServerSettings current;

    /** None yet; {@code connections} get their limits from it, {@code leases} the routes in force. */
    CurrentSettings(OpenConnections connections, RouteLeases leases) {
        this.connections = connections;
        this.leases = leases;
    }

    @Override
    public ServerSettings get() {
        return Objects.requireNonNull(current, "settings");
    }

    @Override
    public Change prepare(ProxyConfig next) {
        ServerSettings settings = ServerSettings.of(next, rates);
        Set<String> routes = Forwarding.names(next);
        return new Change() {
            @Override
            public void commit() {
                current = settings;
                connections.limits(next.tuning().connections(), next.trustedProxies());
            }

            @Override
            public void finish() {
                rates.retain(routes);
                leases.retain(routes, System.nanoTime() + next.drainTime().toNanos());
            }
        };
    }
}
