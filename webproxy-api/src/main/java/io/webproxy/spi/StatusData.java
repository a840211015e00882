package io.webproxy.spi;

import io.webproxy.ProxyStatus;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Endpoint;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tunnel.TunnelStatus;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/** The status of a server. The parameters are those of {@link ProxyStatus}. */
public record StatusData(
        List<Endpoint> endpoints,
        String tlsProvider,
        int connections,
        long refused,
        long failed,
        int exchanges,
        int tunnels,
        Map<String, ProxyStatus.Pool> upstreams,
        List<ProxyStatus.Rule> rules,
        Map<String, Map<RelayEnd, Long>> undetected,
        TunnelStatus tunnelStatus,
        List<CertificateStatus> certificates,
        Optional<String> failure,
        boolean isDraining,
        CounterData counters)
        implements ProxyStatus {
    /** The status of a closed server. */
    public static final StatusData CLOSED = new StatusData(
            List.of(),
            "",
            0,
            0,
            0,
            0,
            0,
            Map.of(),
            List.of(),
            Map.of(),
            TunnelStatusData.NONE,
            List.of(),
            Optional.empty(),
            false,
            CounterData.NONE);

    /** Copies the collections; nothing is null. */
    public StatusData {
        endpoints = List.copyOf(endpoints);
        Objects.requireNonNull(tlsProvider, "tlsProvider");
        upstreams = Map.copyOf(upstreams);
        rules = List.copyOf(rules);
        undetected = undetected.entrySet().stream()
                .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, entry -> Map.copyOf(entry.getValue())));
        Objects.requireNonNull(tunnelStatus, "tunnelStatus");
        certificates = List.copyOf(certificates);
        Objects.requireNonNull(failure, "failure");
        Objects.requireNonNull(counters, "counters");
    }

    @Override
    public int lingering() {
        return counters.lingering();
    }

    @Override
    public Map<String, Long> refusals() {
        return counters.refusals();
    }

    @Override
    public Map<String, Long> handshakes() {
        return counters.handshakes();
    }

    @Override
    public Map<String, Long> resumedHandshakes() {
        return counters.resumedHandshakes();
    }

    @Override
    public long failedHandshakes() {
        return counters.failedHandshakes();
    }

    @Override
    public long descriptors() {
        return counters.descriptors();
    }

    @Override
    public long descriptorLimit() {
        return counters.descriptorLimit();
    }

    @Override
    public long descriptorReserve() {
        return counters.descriptorReserve();
    }

    @Override
    public String toString() {
        return Text.of(
                "ProxyStatus",
                "endpoints",
                endpoints,
                "tlsProvider",
                tlsProvider,
                "connections",
                connections,
                "refused",
                refused,
                "failed",
                failed,
                "exchanges",
                exchanges,
                "tunnels",
                tunnels,
                "upstreams",
                upstreams,
                "rules",
                rules,
                "undetected",
                undetected,
                "tunnelStatus",
                tunnelStatus,
                "certificates",
                certificates,
                "failure",
                failure,
                "draining",
                isDraining,
                "counters",
                counters);
    }
}
