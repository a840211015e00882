package io.webproxy.metrics;

import io.micrometer.core.instrument.Meter;
import io.webproxy.ProxyStatus;
import io.webproxy.spi.StatusData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The meters that show a server's status, which is read at most ten times a second. Those of single upstreams, rules
 * and certificates come and go with them. Thread-safe.
 */
final class StatusMeters {
    /** An upstream in its group. */
    private record GroupMember(String upstream, String group) {}

    private static final String UPSTREAM = "upstream ";
    /** How many upstreams, rules and certificates are shown at most. */
    private static final int MOST_SHOWN = 3 * ExchangeMeters.MOST_NAMES;

    private static final long FRESH_NANOS = 100_000_000L;
    private static final List<String> REASONS = List.of("total", "address", "memory", "descriptors");
    private static final List<String> VERSIONS = List.of("TLSv1.2", "TLSv1.3");

    private final MeterSet meters;
    private final Consumer<StatusView> onRead;
    private final LongSupplier nanoClock;
    private final ReentrantLock lock = new ReentrantLock();
    /** By what they are of; guarded by the lock. */
    private final Map<String, List<Meter>> keyed = new HashMap<>();

    /** Written under the lock; null before a server has started, and once it is seen closed. */
    private volatile @Nullable Supplier<ProxyStatus> source;

    private volatile StatusView last = StatusView.EMPTY;
    private volatile Groups groups = Groups.NONE;
    private long readAt;

    /**
     * Registers the meters.
     *
     * @param onRead receives each status of a server that isn't closed, under a lock
     */
    StatusMeters(MeterSet meters, LongSupplier nanoClock, Consumer<StatusView> onRead) {
        this.meters = meters;
        this.onRead = onRead;
        this.nanoClock = nanoClock;
        gauge("webproxy.connections", "Open client connections.", ProxyStatus::connections);
        gauge(
                "webproxy.connections.lingering",
                "Client connections that have had their last response while their clients are still sending.",
                ProxyStatus::lingering);
        for (String reason : REASONS) {
            counter(
                    "webproxy.connections.refused",
                    "Client connections refused by a limit or a shortage.",
                    status -> status.refusals().getOrDefault(reason, 0L),
                    "reason",
                    reason);
        }
        for (String version : VERSIONS) {
            handshakes(
                    version,
                    "no",
                    status -> status.handshakes().getOrDefault(version, 0L)
                            - status.resumedHandshakes().getOrDefault(version, 0L));
            handshakes(version, "yes", status -> status.resumedHandshakes().getOrDefault(version, 0L));
        }
        counter(
                "webproxy.handshakes.failed",
                "TLS handshakes of clients that failed or were broken off.",
                ProxyStatus::failedHandshakes);
        gauge(
                "webproxy.descriptors.open",
                "File descriptors of the process that are open or promised to connections.",
                ProxyStatus::descriptors);
        gauge(
                "webproxy.descriptors.limit",
                "How many file descriptors the process may have.",
                ProxyStatus::descriptorLimit);
        gauge(
                "webproxy.descriptors.reserve",
                "How many of the file descriptors clients can't use.",
                ProxyStatus::descriptorReserve);
        gauge("webproxy.draining", "1 while the server stops, else 0.", status -> status.isDraining() ? 1 : 0);
        counter(
                "webproxy.connections.failed",
                "Client connections closed by an unexpected failure before a request.",
                ProxyStatus::failed);
        gauge("webproxy.requests.active", "Requests in flight.", ProxyStatus::exchanges);
        gauge("webproxy.websockets", "Open WebSockets and other upgraded connections.", ProxyStatus::tunnels);
        gauge("webproxy.healthy", "1 while the server can serve, else 0.", status -> status.isHealthy() ? 1 : 0);
        gauge(
                "webproxy.tunnel.agents",
                "Connected agents of tunnels.",
                status -> status.tunnelStatus().agents().stream()
                        .filter(agent -> agent.left().isEmpty())
                        .count());
        gauge(
                "webproxy.tunnel.clients",
                "Clients connected to agents, or waiting.",
                status -> status.tunnelStatus().clients());
        gauge(
                "webproxy.tunnel.servers",
                "Public servers that this one is connected to.",
                status -> status.tunnelStatus().servers().stream()
                        .filter(server -> server.connected())
                        .count());
        counter(
                "webproxy.tunnel.refused",
                "Clients of tunnels that were refused.",
                status -> status.tunnelStatus().refused());
        counter(
                "webproxy.tunnel.agents.refused",
                "Connections of agents that were refused.",
                status -> status.tunnelStatus().refusedAgents());
    }

    /** Shows this status from now on. */
    void read(Supplier<ProxyStatus> status) {
        lock.lock();
        try {
            source = status;
            refresh(status);
        } finally {
            lock.unlock();
        }
    }

    /** Sets the upstreams, which are shown from the next start or update on. */
    void configured(Groups next) {
        groups = next;
    }

    /**
     * Shows an upstream that a request has used, though no route has it: whoever reads all meters doesn't get those
     * that reading adds. Never waits.
     */
    void show(String upstream) {
        if (lock.tryLock()) {
            try {
                if (source != null && keyed.size() < MOST_SHOWN) {
                    keyed.computeIfAbsent(
                            UPSTREAM + new GroupMember(upstream, groups.of(upstream)),
                            key -> pool(new GroupMember(upstream, groups.of(upstream))));
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private void handshakes(String version, String resumed, ToDoubleFunction<ProxyStatus> value) {
        counter(
                "webproxy.handshakes",
                "Completed TLS handshakes of clients.",
                value,
                "version",
                version,
                "resumed",
                resumed);
    }

    private void gauge(String name, String description, ToDoubleFunction<ProxyStatus> value) {
        meters.gauge(name, description, null, () -> value.applyAsDouble(view().status()));
    }

    private void counter(String name, String description, ToDoubleFunction<ProxyStatus> value, String... tags) {
        meters.counterOf(name, description, () -> value.applyAsDouble(view().status()), tags);
    }

    /** The status, at most a tenth of a second old; older only while another thread reads it. */
    private StatusView view() {
        if (source != null && lock.tryLock()) {
            try {
                Supplier<ProxyStatus> now = source;
                if (now != null && nanoClock.getAsLong() - readAt >= FRESH_NANOS) {
                    refresh(now);
                }
            } finally {
                lock.unlock();
            }
        }
        return last;
    }

    private void refresh(Supplier<ProxyStatus> status) {
        readAt = nanoClock.getAsLong();
        Groups configured = groups;
        StatusView view = StatusView.of(status.get(), configured.upstreams());
        last = view;
        if (view.status() == StatusData.CLOSED) {
            // otherwise these would keep the closed server in memory
            source = null;
        } else {
            onRead.accept(view);
        }
        Set<String> gone = new HashSet<>(keyed.keySet());
        Set<GroupMember> upstreams = new LinkedHashSet<>();
        view.upstreams().forEach(upstream -> upstreams.add(new GroupMember(upstream, configured.of(upstream))));
        keep(gone, UPSTREAM, upstreams, this::pool);
        keep(gone, "rule ", view.rules().keySet(), this::rule);
        keep(gone, "certificate ", view.expiries().keySet(), this::certificate);
        for (String key : gone) {
            List<Meter> removed = keyed.remove(key);
            if (removed != null) {
                removed.forEach(meters::remove);
            }
        }
    }

    /** Adds the meters of what is new. */
    private <K> void keep(Set<String> gone, String kind, Set<K> names, Function<K, List<Meter>> make) {
        int count = 0;
        for (K name : names) {
            if (count++ >= ExchangeMeters.MOST_NAMES) {
                return;
            }
            String key = kind + name;
            gone.remove(key);
            if (!keyed.containsKey(key)) {
                keyed.put(key, make.apply(name));
            }
        }
    }

    private List<Meter> pool(GroupMember member) {
        List<Meter> made = new ArrayList<>();
        String upstream = member.upstream();
        String[] tags = {"upstream", upstream, "group", member.group()};
        String connections = "webproxy.upstream.connections";
        String open = "Connections to the upstream, including those being opened.";
        add(made, connections, open, count(upstream, ProxyStatus.Pool::idle), and(tags, "state", "idle"));
        add(made, connections, open, count(upstream, pool -> pool.open() - pool.idle()), and(tags, "state", "used"));
        add(
                made,
                "webproxy.upstream.waiting",
                "Requests that wait for a connection to the upstream.",
                count(upstream, ProxyStatus.Pool::waiting),
                tags);
        add(
                made,
                "webproxy.upstream.ejected",
                "1 while the upstream is ejected because connections to it failed, else 0.",
                is(upstream, ProxyStatus.Pool::ejected),
                tags);
        ToDoubleFunction<StatusView> down = is(upstream, pool -> !pool.healthy());
        add(
                made,
                "webproxy.upstream.healthy",
                "0 while a health check finds the upstream down, else 1.",
                view -> 1 - down.applyAsDouble(view),
                tags);
        return made;
    }

    private static String[] and(String[] tags, String name, String value) {
        String[] more = Arrays.copyOf(tags, tags.length + 2);
        more[tags.length] = name;
        more[tags.length + 1] = value;
        return more;
    }

    /** Zero before the first request. */
    private static ToDoubleFunction<StatusView> count(String upstream, ToDoubleFunction<ProxyStatus.Pool> value) {
        return view -> {
            ProxyStatus.Pool pool = view.pool(upstream);
            return pool == null ? 0 : value.applyAsDouble(pool);
        };
    }

    private static ToDoubleFunction<StatusView> is(String upstream, Predicate<ProxyStatus.Pool> state) {
        return count(upstream, pool -> state.test(pool) ? 1 : 0);
    }

    private List<Meter> rule(StatusView.RuleName name) {
        List<Meter> made = new ArrayList<>();
        add(
                made,
                "webproxy.relays.open",
                "Open connections of the rule, including those whose target is being connected.",
                view -> {
                    ProxyStatus.Rule rule = view.rules().get(name);
                    return rule == null ? 0 : rule.open();
                },
                "endpoint",
                name.endpoint(),
                "rule",
                name.rule());
        return made;
    }

    private List<Meter> certificate(String name) {
        List<Meter> made = new ArrayList<>();
        Meter expiry = meters.gauge(
                "webproxy.certificates.expiry",
                "How long the certificate is still valid; negative once it has expired.",
                "seconds",
                () -> view().secondsLeft(name),
                "certificate",
                name);
        if (expiry != null) {
            made.add(expiry);
        }
        return made;
    }

    private void add(
            List<Meter> made, String name, String description, ToDoubleFunction<StatusView> value, String... tags) {
        Meter gauge = meters.gauge(name, description, null, () -> value.applyAsDouble(view()), tags);
        if (gauge != null) {
            made.add(gauge);
        }
    }
}
