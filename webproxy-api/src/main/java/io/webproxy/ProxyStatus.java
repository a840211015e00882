package io.webproxy;

import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Endpoint;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tunnel.TunnelStatus;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A snapshot of a running server.
 *
 * @param endpoints where it listens
 * @param tlsProvider {@code Conscrypt} or {@code JDK}, whichever serves TLS; empty without an HTTPS endpoint
 * @param connections open client connections
 * @param refused client connections closed since the start because a limit was reached
 * @param failed client connections closed since the start by something unexpected before they had a request, such as a
 *     shortage
 * @param exchanges requests in flight
 * @param tunnels open WebSockets
 * @param upstreams pools by upstream
 * @param ports what became of the connections of ports with rules, in the order of configuration
 * @param tunnelStatus the tunnels, of both sides
 * @param certificates what is served and wanted, in the order of configuration
 * @param failure the sentence that says why the server can't serve any more, although it isn't closed; empty as long as
 *     it can
 */
public record ProxyStatus(
        List<Endpoint> endpoints,
        String tlsProvider,
        int connections,
        long refused,
        long failed,
        int exchanges,
        int tunnels,
        Map<String, Pool> upstreams,
        List<Port> ports,
        TunnelStatus tunnelStatus,
        List<CertificateStatus> certificates,
        Optional<String> failure) {
    /** That of a closed server: no endpoint, connection, exchange, upstream, port or certificate. */
    public static ProxyStatus empty() {
        return new ProxyStatus(
                List.of(), "", 0, 0, 0, 0, 0, Map.of(), List.of(), TunnelStatus.none(), List.of(), Optional.empty());
    }

    /** Copies the collections. */
    public ProxyStatus {
        endpoints = List.copyOf(endpoints);
        Objects.requireNonNull(tlsProvider, "tlsProvider");
        upstreams = Map.copyOf(upstreams);
        ports = List.copyOf(ports);
        Objects.requireNonNull(tunnelStatus, "tunnelStatus");
        certificates = List.copyOf(certificates);
        Objects.requireNonNull(failure, "failure");
    }

    /**
     * Whether the server can serve: false when a thread that it can't be without has ended, for which a restart is the
     * only remedy.
     */
    public boolean isHealthy() {
        return failure.isEmpty();
    }

    /**
     * The connections to one upstream.
     *
     * @param open all of them, those that are being opened included
     * @param idle those that wait for a request
     * @param waiting requests that wait for a connection
     * @param ejected whether others are preferred because it could not be connected to; one that is alone is tried
     *     nevertheless. What a {@code FailureShare} makes one route skip isn't shown here, but told by
     *     {@code ProxyObserver.upstreamChanged}
     * @param healthy whether no health check says that it is down
     */
    public record Pool(int open, int idle, int waiting, boolean ejected, boolean healthy) {}

    /**
     * The connections of one port with rules, since the start.
     *
     * @param endpoint its name
     * @param rules its rules, those of a removed rule as long as it has open connections
     * @param undetected how many connections no rule has taken, by the reason; without those that are 0
     */
    public record Port(String endpoint, List<Rule> rules, Map<RelayEnd, Long> undetected) {
        /** Copies the collections. */
        public Port {
            Objects.requireNonNull(endpoint, "endpoint");
            rules = List.copyOf(rules);
            undetected = Map.copyOf(undetected);
        }
    }

    /**
     * The connections of one port rule. A rule that looks inside TLS counts what goes to the routes; the rules inside
     * count for themselves, under names such as {@code tls:host1.example.com/ssh}.
     *
     * @param name its name; {@code silent} and {@code otherwise} are the targets of that name
     * @param open those that are open, being connected included
     * @param total all that it has taken since the start, those refused included
     * @param refused those closed because a limit or the rate was reached, or there was a shortage
     * @param failed those that no target could be connected to for
     * @param ejected the targets that are skipped because they could not be connected to, {@code host:port} each
     */
    public record Rule(String name, int open, long total, long refused, long failed, List<String> ejected) {
        /** Copies the list. */
        public Rule {
            Objects.requireNonNull(name, "name");
            ejected = List.copyOf(ejected);
        }
    }
}
