package io.webproxy.metrics;

import io.webproxy.ProxyStatus;
import io.webproxy.spi.StatusData;
import io.webproxy.tls.CertificateStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A server's status by the names of tags. Immutable.
 *
 * @param pools by {@code host:port}: an upstream may have one for each protocol, and none before its first request
 * @param rules by endpoint and name
 * @param expiries when the served certificates expire, by their first name; the earliest of those that share one
 */
record StatusView(
        ProxyStatus status,
        Map<String, List<ProxyStatus.Pool>> pools,
        Map<RuleName, ProxyStatus.Rule> rules,
        Map<String, Instant> expiries) {
    /** Before a server has started. */
    static final StatusView EMPTY = of(StatusData.CLOSED, Set.of());

    /** A rule of a port. */
    record RuleName(String endpoint, String rule) {}

    /** With these upstreams of its configuration. */
    static StatusView of(ProxyStatus status, Set<String> configured) {
        Map<String, List<ProxyStatus.Pool>> pools = new TreeMap<>();
        if (status != StatusData.CLOSED) {
            configured.forEach(upstream -> pools.put(upstream, new ArrayList<>()));
        }
        status.upstreams()
                .forEach((upstream, pool) -> pools.computeIfAbsent(authority(upstream), a -> new ArrayList<>())
                        .add(pool));
        Map<RuleName, ProxyStatus.Rule> rules = new HashMap<>();
        status.rules().forEach(rule -> rules.put(new RuleName(rule.endpoint(), rule.name()), rule));
        Map<String, Instant> expiries = new TreeMap<>();
        for (CertificateStatus certificate : status.certificates()) {
            String name = certificate.names().isEmpty()
                    ? MeterSet.NONE
                    : certificate.names().get(0);
            certificate.notAfter().ifPresent(end -> expiries.merge(name, end, (a, b) -> a.isBefore(b) ? a : b));
        }
        return new StatusView(status, pools, rules, expiries);
    }

    /** The part of {@code http://host:port} that records have too. */
    private static String authority(String upstream) {
        return upstream.substring(upstream.indexOf("://") + (upstream.contains("://") ? 3 : 1));
    }

    /** The pools of an upstream; none before its first request. */
    List<ProxyStatus.Pool> poolsOf(String upstream) {
        return pools.getOrDefault(upstream, List.of());
    }

    /** The names of the endpoints with rules. */
    Set<String> ports() {
        return status.undetected().keySet();
    }

    /** How long a certificate is valid, in seconds. */
    double secondsLeft(String name) {
        Instant end = expiries.get(name);
        return end == null ? Double.NaN : Duration.between(Instant.now(), end).toMillis() / 1e3;
    }
}
