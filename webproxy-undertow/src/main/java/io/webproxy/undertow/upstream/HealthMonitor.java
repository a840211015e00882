package io.webproxy.undertow.upstream;

import io.webproxy.route.HealthCheck;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.undertow.exchange.Exchanges;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/**
 * The active health checks of one server: a probe for each check of each upstream, spread over the IO threads.
 * Thread-safe.
 */
final class HealthMonitor implements AutoCloseable {
    private final Connector connector;
    private final List<XnioIoThread> threads;
    private final Exchanges exchanges;
    private final HealthProbe.Verdicts verdicts;
    private final Map<Target, HealthProbe> probes = new HashMap<>();
    private int turn;
    private boolean closed;

    /** An upstream and how it is checked. */
    private record Target(Upstream upstream, HealthCheck check) {
        static @Nullable Target of(UpstreamGroup group, Upstream upstream) {
            return group.healthCheck().map(check -> new Target(upstream, check)).orElse(null);
        }
    }

    HealthMonitor(Connector connector, List<XnioIoThread> threads, Exchanges exchanges, HealthProbe.Verdicts verdicts) {
        this.verdicts = verdicts;
        this.connector = connector;
        this.threads = threads;
        this.exchanges = exchanges;
    }

    /** Sets the checks to those of these groups; unchanged ones continue. */
    synchronized void update(List<UpstreamGroup> groups) {
        if (closed) {
            return;
        }
        Map<Target, HealthProbe> before = new HashMap<>(probes);
        probes.clear();
        for (UpstreamGroup group : groups) {
            for (Upstream upstream : group.upstreams()) {
                Target target = Target.of(group, upstream);
                if (target != null && !probes.containsKey(target)) {
                    HealthProbe known = before.remove(target);
                    probes.put(target, known != null ? known : started(target));
                }
            }
        }
        before.values().forEach(HealthProbe::stop);
    }

    private HealthProbe started(Target target) {
        XnioIoThread thread = threads.get(turn++ % threads.size());
        HealthProbe probe = new HealthProbe(
                target.upstream(), target.check(), connector, exchanges, exchanges.sweeper(thread), verdicts);
        probe.start();
        return probe;
    }

    /** The health of an upstream by a group's check. */
    synchronized Health health(UpstreamGroup group, Upstream upstream) {
        HealthProbe probe = probes.get(Target.of(group, upstream));
        return probe == null ? Health.UNCHECKED : probe.tally();
    }

    /** Whether no check finds the upstream down. */
    synchronized boolean isHealthy(Upstream upstream) {
        return probes.entrySet().stream()
                .noneMatch(probe -> probe.getKey().upstream().equals(upstream)
                        && !probe.getValue().tally().isHealthy());
    }

    @Override
    public synchronized void close() {
        closed = true;
        probes.values().forEach(HealthProbe::stop);
        probes.clear();
    }
}
