package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.ProxyStatus;
import io.webproxy.http.HttpLimits;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.PoolData;
import io.webproxy.spi.TlsProvider;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.deadline.Daemons;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.InFlight;
import io.webproxy.undertow.message.Leniency;
import io.webproxy.undertow.tls.ClientTls;
import io.webproxy.undertow.tls.UpstreamKeys;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.OptionMap;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;

/** The connection pools of one server, by upstream. Thread-safe. */
public final class Upstreams implements AutoCloseable {
    private static final int LOOKUP_THREADS = 2;
    private static final int LOOKUP_QUEUE = 1024;

    /** How many pools are kept for upstreams that aren't on a route, and were chosen by a filter. */
    private static final int MOST_UNLISTED = 1024;

    private final List<XnioIoThread> threads;
    private final Exchanges exchanges;
    private final ByteBufferPool records;
    private final Xnio xnio;
    private final TlsProvider tlsProvider;
    private final ThreadPoolExecutor lookups;
    private final Connector connector;
    private final HealthMonitor monitor;
    private final Map<Upstream, UpstreamPool> pools = new ConcurrentHashMap<>();
    private final Map<Upstream, Secured> tls = new ConcurrentHashMap<>();
    private volatile Set<Upstream> listed = Set.of();
    private volatile Set<Route> inForce = Set.of();
    private volatile HttpLimits httpLimits = HttpLimits.defaults();
    private volatile PoolSettings ofServer = new PoolSettings(PoolLimits.defaults(), OutlierEjection.defaults());
    private volatile Map<Upstream, PoolSettings> ofGroups = Map.of();

    /** TLS to one upstream, and the keys that it was made from. */
    private record Secured(UpstreamKeys keys, UndertowXnioSsl ssl, UndertowXnioSsl http2) {
        UndertowXnioSsl offering(boolean withHttp2) {
            return withHttp2 ? http2 : ssl;
        }
    }

    /** Upstreams whose files were read, see {@link #prepare}. */
    public static final class Prepared {
        private final Set<Upstream> wanted;
        private final Map<Upstream, Secured> tls = new HashMap<>();

        private Prepared(Set<Upstream> wanted) {
            this.wanted = wanted;
        }
    }

    /** No pools yet; for the IO threads of one worker. Each buffer of {@code records} holds a whole TLS record. */
    public Upstreams(
            Xnio xnio,
            List<XnioIoThread> threads,
            Exchanges exchanges,
            ByteBufferPool buffers,
            ByteBufferPool records,
            TlsProvider tlsProvider) {
        this.xnio = xnio;
        this.threads = List.copyOf(threads);
        this.exchanges = exchanges;
        this.records = records;
        this.tlsProvider = tlsProvider;
        this.lookups = new ThreadPoolExecutor(
                LOOKUP_THREADS,
                LOOKUP_THREADS,
                1,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(LOOKUP_QUEUE),
                Daemons.named("webproxy-dns"));
        lookups.allowCoreThreadTimeOut(true);
        this.connector = new Connector(
                lookups,
                new Addresses(lookups, exchanges.nanoClock(), InetAddress::getAllByName),
                buffers,
                () -> httpLimits,
                new Connector.Secrets() {
                    @Override
                    public @Nullable UndertowXnioSsl known(Upstream upstream, boolean http2) {
                        Secured known = tls.get(upstream);
                        return known == null ? null : known.offering(http2);
                    }

                    @Override
                    public UndertowXnioSsl load(Upstream upstream, boolean http2) {
                        return tls.computeIfAbsent(upstream, added -> secured(UpstreamKeys.load(added)))
                                .offering(http2);
                    }
                });
        this.monitor = new HealthMonitor(connector, this.threads, exchanges, new HealthProbe.Verdicts() {
            @Override
            public void fails(Upstream upstream, String why) {
                UpstreamPool pool = pool(upstream);
                if (pool != null) {
                    pool.health().news().down(null, why);
                }
            }

            @Override
            public void passes(Upstream upstream, String path) {
                UpstreamPool pool = pool(upstream);
                if (pool != null) {
                    pool.health().news().passes(path);
                }
            }

            @Override
            public Leniency leniency(Upstream upstream) {
                UpstreamPool pool = pool(upstream);
                return pool == null ? Leniency.NONE : pool.health().leniency();
            }
        });
    }

    /**
     * Reads the trust stores and client certificates for upstreams; changes nothing yet. Not for an IO thread.
     *
     * @throws io.webproxy.ProxyStartException with one sentence, if a file can't be used
     */
    public Prepared prepare(Set<Upstream> wanted) {
        Prepared prepared = new Prepared(wanted);
        for (Upstream upstream : wanted) {
            if (upstream.tls()) {
                UpstreamKeys keys = UpstreamKeys.load(upstream);
                Secured known = tls.get(upstream);
                prepared.tls.put(upstream, known != null && known.keys().equals(keys) ? known : secured(keys));
            }
        }
        return prepared;
    }

    /**
     * Sets the upstreams and limits: pools of removed upstreams, and of those whose keys have changed, keep what is in
     * flight and close the rest.
     *
     * @param server for pools in no group
     * @param groups for the other pools
     */
    public void update(Prepared prepared, HttpLimits limits, PoolSettings server, Map<Upstream, PoolSettings> groups) {
        Set<Upstream> wanted = prepared.wanted;
        Set<Upstream> changed = new HashSet<>();
        prepared.tls.forEach((upstream, secured) -> {
            Secured before = tls.put(upstream, secured);
            if (before != null && !before.keys().equals(secured.keys())) {
                changed.add(upstream);
            }
        });
        httpLimits = limits;
        ofServer = server;
        ofGroups = Map.copyOf(groups);
        Set<Upstream> before = listed;
        listed = wanted;
        pools.forEach((upstream, known) -> {
            // a filter may choose it again; its trust store is then read again
            boolean unlistedStill = !before.contains(upstream) && !upstream.tls();
            if (wanted.contains(upstream) ? !changed.contains(upstream) : unlistedStill) {
                known.settings(settings(upstream));
            } else if (wanted.contains(upstream)) {
                pools.put(upstream, newPool(upstream, known.inFlight()));
                known.close();
            } else {
                pools.remove(upstream);
                known.close();
            }
        });
        tls.keySet().removeIf(upstream -> !wanted.contains(upstream));
    }

    /** Sets the routes in force: their health checks run, unchanged ones continue, and logins by other routes end. */
    public void check(List<Route> routes) {
        inForce = Set.copyOf(routes);
        pools.values().forEach(UpstreamPool::routesChanged);
        List<UpstreamGroup> groups =
                routes.stream().flatMap(route -> route.upstreamGroup().stream()).toList();
        monitor.update(groups);
        groups.stream()
                .filter(group -> group.healthCheck().isPresent())
                .flatMap(group -> group.upstreams().stream())
                .forEach(this::pool);
    }

    private PoolSettings settings(Upstream upstream) {
        return ofGroups.getOrDefault(upstream, ofServer);
    }

    private UpstreamPool newPool(Upstream upstream, InFlight inFlight) {
        return new UpstreamPool(
                upstream,
                connector,
                threads,
                exchanges,
                settings(upstream),
                inFlight,
                route -> inForce.contains(route),
                this::closeOneIdle,
                new UpstreamNews(
                        upstream,
                        exchanges.nanoClock(),
                        (nanos, task) -> IoTasks.executeAfter(threads.get(0), task, nanos / 1_000_000 + 1),
                        exchanges.recorder()::tell,
                        () -> monitor.isHealthy(upstream)));
    }

    /** Closes an idle connection of an IO thread, of any upstream; called there. */
    private boolean closeOneIdle(XnioIoThread thread) {
        for (UpstreamPool pool : pools.values()) {
            if (pool.closeOneIdle(thread)) {
                return true;
            }
        }
        return false;
    }

    /** The pool of an upstream; null if there are too many upstreams that aren't on a route. */
    public @Nullable UpstreamPool pool(Upstream upstream) {
        UpstreamPool pool = pools.get(upstream);
        if (pool != null) {
            return pool;
        }
        if (listed.contains(upstream)) {
            return pools.computeIfAbsent(upstream, key -> newPool(key, new InFlight()));
        }
        return unlisted(upstream);
    }

    /** It may seem enough to keep the pools in use, but then a request would find no kept connection. */
    private synchronized @Nullable UpstreamPool unlisted(Upstream upstream) {
        List<UpstreamPool> others = new ArrayList<>();
        pools.forEach((key, pool) -> {
            if (!listed.contains(key)) {
                others.add(pool);
            }
        });
        if (others.size() >= MOST_UNLISTED) {
            UpstreamPool unused =
                    others.stream().filter(UpstreamPool::isUnused).findAny().orElse(null);
            if (unused == null) {
                return null;
            }
            pools.remove(unused.upstream());
            tls.remove(unused.upstream());
            unused.close();
        }
        return pools.computeIfAbsent(upstream, key -> newPool(key, new InFlight()));
    }

    /**
     * Connections to a host and port that isn't an upstream; {@code host} is a name or an IP address without brackets.
     */
    public PlainConnects plain(String host, int port) {
        return new PlainConnects(connector, host, port);
    }

    /** The current rule for upstreams in no group, and for other targets. */
    public OutlierEjection outlierEjection() {
        return ofServer.ejection();
    }

    /** The health of an upstream by its group's check. */
    public Health health(UpstreamGroup group, Upstream upstream) {
        return monitor.health(group, upstream);
    }

    /** The monotonic clock in nanoseconds. */
    public long now() {
        return exchanges.nanoClock().getAsLong();
    }

    /** A snapshot of all pools; those that differ only in trust or client certificates count as one. */
    public Map<String, ProxyStatus.Pool> status() {
        Map<String, ProxyStatus.Pool> status = new TreeMap<>();
        pools.forEach((upstream, pool) -> status.merge(
                upstream.toString(),
                new PoolData(
                        pool.open(),
                        pool.idle(),
                        pool.waiting(),
                        pool.health().isEjected(),
                        monitor.isHealthy(upstream)),
                (one, other) -> new PoolData(
                        one.open() + other.open(),
                        one.idle() + other.idle(),
                        one.waiting() + other.waiting(),
                        one.ejected() || other.ejected(),
                        one.healthy() && other.healthy())));
        return status;
    }

    private Secured secured(UpstreamKeys keys) {
        ClientTls client = ClientTls.create(keys, tlsProvider);
        return new Secured(
                keys,
                new UndertowXnioSsl(xnio, OptionMap.EMPTY, records, client.sslContext()),
                new UndertowXnioSsl(xnio, OptionMap.EMPTY, records, client.http2Context()));
    }

    /** Closes idle connections and stops look-ups; connections in use end with their exchanges. */
    @Override
    public void close() {
        new CloseSteps()
                .step("health checks", monitor::close)
                .each("pools", pools.values(), UpstreamPool::close)
                .step("look-ups", lookups::shutdownNow)
                .report();
    }
}
