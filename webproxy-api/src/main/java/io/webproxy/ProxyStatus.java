package io.webproxy;

import io.webproxy.port.Endpoint;
import io.webproxy.tls.CertificateStatus;
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
 * @param failed client connections closed since the start by something unexpected before they had a request, such as a shortage
 * @param exchanges requests in flight
 * @param tunnels open WebSockets
 * @param upstreams pools by upstream
 * @param certificates what is served and wanted, in the order of configuration
 * @param failure the sentence that says why the server can't serve any more, although it isn't closed; empty as long as it can
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
        List<CertificateStatus> certificates,
        Optional<String> failure) {
    /** That of a closed server: no endpoint, connection, exchange, upstream or certificate. */
    public static ProxyStatus empty() {
        return new ProxyStatus(List.of(), "", 0, 0, 0, 0, 0, Map.of(), List.of(), Optional.empty());
    }

    /** Copies the collections. */
    public ProxyStatus {
        endpoints = List.copyOf(endpoints);
        Objects.requireNonNull(tlsProvider, "tlsProvider");
        upstreams = Map.copyOf(upstreams);
        certificates = List.copyOf(certificates);
        Objects.requireNonNull(failure, "failure");
    }

    /** Whether the server can serve: false when a thread that it can't be without has ended, for which a restart is the only remedy. */
    public boolean isHealthy() {
        return failure.isEmpty();
    }

    /**
     * The connections to one upstream.
     *
     * @param open all of them, those that are being opened included
     * @param idle those that wait for a request
     * @param waiting requests that wait for a connection
     * @param ejected whether it is passed over because it could not be connected to
     * @param healthy whether no health check says that it is down
     */
    public record Pool(int open, int idle, int waiting, boolean ejected, boolean healthy) {}
}
