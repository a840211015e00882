package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.ProxyStatus;
import io.webproxy.http.HttpLimits;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.tls.TlsProvider;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.InFlight;
import io.webproxy.undertow.tls.ClientTls;
import io.webproxy.undertow.tls.UpstreamKeys;
import java.net.InetAddress;
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

/** The pools of one server, by upstream. Thread-safe. */
public final class Upstreams implements AutoCloseable {
    private static final int LOOKUP_THREADS = 2;
    private static final int LOOKUP_QUEUE = 1024;

    private final List<XnioIoThread> threads;
    private final Exchanges exchanges;
    private final ByteBufferPool records;
    private final Xnio xnio;
    private final TlsProvider tlsProvider;
    private final ThreadPoolExecutor lookups;
    private final Connector connector;
    private final Map<Upstream, UpstreamPool> pools = new ConcurrentHashMap<>();
    private final Map<Upstream, Secured> tls = new ConcurrentHashMap<>();
    private volatile HttpLimits httpLimits = HttpLimits.defaults();
    private volatile PoolLimits poolLimits = PoolLimits.defaults();

    /** TLS to one upstream, and the keys that it was made of. */
    private record Secured(UpstreamKeys keys, UndertowXnioSsl ssl) {}

    /** Upstreams whose files are read, see {@link #prepare}. */
    public static final class Prepared {
        private final Set<Upstream> wanted;
        private final Map<Upstream, Secured> tls = new HashMap<>();

        private Prepared(Set<Upstream> wanted) {
            this.wanted = wanted;
        }
    }

    /** No pools yet; for the IO threads of one worker. A buffer of {@code records} holds a whole TLS record. */
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
                LOOKUP_THREADS, LOOKUP_THREADS, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(LOOKUP_QUEUE), task -> {
                    Thread thread = new Thread(task, "webproxy-dns");
                    thread.setDaemon(true);
                    return thread;
                });
        lookups.allowCoreThreadTimeOut(true);
        this.connector = new Connector(
                new Addresses(lookups, exchanges.nanoClock(), InetAddress::getAllByName),
                buffers,
                () -> httpLimits,
                this::tlsOf);
    }

    /**
     * Reads what upstreams trust and are shown; changes nothing yet. Not for an IO thread.
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
     * These upstreams and limits from now on: pools of others, and of those whose keys are others now, keep what is in flight and close the
     * rest.
     */
    public void update(Prepared prepared, HttpLimits limits, PoolLimits pool) {
        Set<Upstream> wanted = prepared.wanted;
        Set<Upstream> changed = new HashSet<>();
        prepared.tls.forEach((upstream, secured) -> {
            Secured before = tls.put(upstream, secured);
            if (before != null && !before.keys().equals(secured.keys())) {
                changed.add(upstream);
            }
        });
        httpLimits = limits;
        poolLimits = pool;
        pools.entrySet().removeIf(entry -> {
            if (wanted.contains(entry.getKey()) && !changed.contains(entry.getKey())) {
                entry.getValue().limits(pool);
                return false;
            }
            entry.getValue().close();
            return true;
        });
        tls.keySet().removeIf(upstream -> !wanted.contains(upstream));
    }

    /** The pool of an upstream. */
    public @Nullable UpstreamPool pool(Upstream upstream) {
        UpstreamPool pool = pools.get(upstream);
        return pool != null
                ? pool
                : pools.computeIfAbsent(
                        upstream,
                        key -> new UpstreamPool(key, connector, threads, exchanges, poolLimits, new InFlight()));
    }

    /** What the route's health check says of an upstream. */
    public Health health(Route route, Upstream upstream) {
        return Health.UNCHECKED;
    }

    /** The monotonic clock in nanoseconds. */
    public long now() {
        return exchanges.nanoClock().getAsLong();
    }

    /** A snapshot of all pools; those that differ in what they trust or show only count as one. */
    public Map<String, ProxyStatus.Pool> status() {
        Map<String, ProxyStatus.Pool> status = new TreeMap<>();
        pools.forEach((upstream, pool) -> status.merge(
                upstream.toString(),
                new ProxyStatus.Pool(pool.open(), pool.idle(), pool.waiting(), pool.isEjected()),
                (one, other) -> new ProxyStatus.Pool(
                        one.open() + other.open(),
                        one.idle() + other.idle(),
                        one.waiting() + other.waiting(),
                        one.ejected() || other.ejected())));
        return status;
    }

    private @Nullable UndertowXnioSsl tlsOf(Upstream upstream) {
        return upstream.tls()
                ? tls.computeIfAbsent(upstream, removed -> secured(UpstreamKeys.load(removed)))
                        .ssl()
                : null;
    }

    private Secured secured(UpstreamKeys keys) {
        ClientTls client = ClientTls.create(keys, tlsProvider);
        return new Secured(keys, new UndertowXnioSsl(xnio, OptionMap.EMPTY, records, client.sslContext()));
    }

    /** Closes idle connections and stops look-ups; those in use end with their exchanges. */
    @Override
    public void close() {
        pools.values().forEach(UpstreamPool::close);
        lookups.shutdownNow();
    }
}
