package io.webproxy.metrics;

import io.webproxy.ProxyStatus;
import io.webproxy.spi.StatusData;
import io.webproxy.tls.CertificateStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A server's status by the names of tags. Immutable.
 *
 * @param upstreams the configured ones, and those that have a pool: a configured one has none before its first request
 * @param rules by endpoint and name
 * @param expiries when the served certificates expire, by their first name; the earliest of those that share one
 */
record StatusView(
        ProxyStatus status,
        Set<String> upstreams,
        Map<RuleName, ProxyStatus.Rule> rules,
        Map<String, Instant> expiries) {
    /** Before a server has started. */
    static final StatusView EMPTY = of(StatusData.CLOSED, Set.of());

    /** A rule of a port. */
    record RuleName(String endpoint, String rule) {}

    /** With these upstreams of its configuration. */
    static StatusView of(ProxyStatus status, Set<String> configured) {
        Set<String> upstreams = new TreeSet<>(status.upstreams().keySet());
        if (status != StatusData.CLOSED) {
            upstreams.addAll(configured);
        }
        Map<RuleName, ProxyStatus.Rule> rules = new HashMap<>();
        status.rules().forEach(rule -> rules.put(new RuleName(rule.endpoint(), rule.name()), rule));
        Map<String, Instant> expiries = new TreeMap<>();
        for (CertificateStatus certificate : status.certificates()) {
            String name = certificate.names().isEmpty()
                    ? MeterSet.NONE
                    : certificate.names().get(0);
            certificate.notAfter().ifPresent(end -> expiries.merge(name, end, (a, b) -> a.isBefore(b) ? a : b));
        }
        return new StatusView(status, upstreams, rules, expiries);
    }

    /** The pool of an upstream; null before its first request. */
    ProxyStatus.@Nullable Pool pool(String upstream) {
        return status.upstreams().get(upstream);
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
