package io.webproxy;

import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Endpoint;
import io.webproxy.spi.PoolData;
import io.webproxy.spi.RuleData;
import io.webproxy.spi.StatusData;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tunnel.TunnelStatus;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A snapshot of a running server; for a closed server it has no endpoints, connections, exchanges, upstreams, ports or
 * certificates. Made by the engine; immutable.
 */
public sealed interface ProxyStatus permits StatusData {
    /** The endpoints. */
    List<Endpoint> endpoints();

    /** {@code Conscrypt} or {@code JDK}, whichever serves TLS; empty without an HTTPS endpoint. */
    String tlsProvider();

    /** Open client connections. */
    int connections();

    /** Client connections closed since the start because a limit was reached. */
    long refused();

    /**
     * The same by reason; without zeros: {@code total} and {@code address}, the limits of connections, in all and of
     * one client address, {@code memory} and {@code descriptors}, shortages of the process.
     */
    Map<String, Long> refusals();

    /** Client connections that have had their last response while their clients are still sending. */
    int lingering();

    /** Completed TLS handshakes of clients since the start by version, such as {@code TLSv1.3}. */
    Map<String, Long> handshakes();

    /**
     * How many of them resumed a session of an earlier connection, in TLS 1.2 by a session id or a ticket, in TLS 1.3
     * by a ticket; by version too, without zeros.
     */
    Map<String, Long> resumedHandshakes();

    /** TLS handshakes of clients since the start that failed, were too slow, or were broken off. */
    long failedHandshakes();

    /** File descriptors of the process that are open or promised to connections; 0 where the system can't tell. */
    long descriptors();

    /** How many file descriptors the process may have; 0 where the system can't tell. */
    long descriptorLimit();

    /** How many of them clients can't use. */
    long descriptorReserve();

    /**
     * Client connections closed since the start because of an unexpected failure before a request, such as a shortage.
     */
    long failed();

    /** Requests in flight. */
    int exchanges();

    /** Open WebSockets and other upgraded connections. */
    int tunnels();

    /** Pools by upstream. */
    Map<String, Pool> upstreams();

    /**
     * The rules of all endpoints that have some, in the order of configuration; removed ones with open connections come
     * last of their endpoint.
     */
    List<Rule> rules();

    /**
     * Connections since the start that no rule took: by the name of the endpoint, with an entry for each that has
     * rules, and by reason, without zeros.
     */
    Map<String, Map<RelayEnd, Long>> undetected();

    /** The tunnels, of both sides. */
    TunnelStatus tunnelStatus();

    /** The certificates that are served or wanted, in the order of configuration. */
    List<CertificateStatus> certificates();

    /** A sentence that says why the server can't serve any more, although it isn't closed; empty while it can. */
    Optional<String> failure();

    /** Whether the server stops: it accepts no connections any more, and waits for what is in flight. */
    boolean isDraining();

    /** Whether the server can serve: false if a thread that it depends on has ended; then only a restart helps. */
    default boolean isHealthy() {
        return failure().isEmpty();
    }

    /** The connections to one upstream. */
    sealed interface Pool permits PoolData {
        /** All connections, including those being opened. */
        int open();

        /** Idle connections. */
        int idle();

        /** Requests that wait for a connection. */
        int waiting();

        /**
         * Whether it is ejected because connections to it failed; an upstream without alternatives is tried
         * nevertheless. Ejections by a share of failures aren't shown here, but reported to
         * {@code ProxyObserver.upstreamChanged}.
         */
        boolean ejected();

        /** Whether no health check finds it down. */
        boolean healthy();
    }

    /**
     * The connections of one port rule. A rule that looks inside TLS counts what goes to the routes; the rules inside
     * count for themselves, under names such as {@code tls:host1.example.com/ssh}.
     */
    sealed interface Rule permits RuleData {
        /** The name of its endpoint. */
        String endpoint();

        /** Its name; {@code silent} and {@code otherwise} are the targets of that name. */
        String name();

        /** Open connections, including those whose target is being connected. */
        int open();

        /** All connections since the start, including refused ones. */
        long total();

        /** Connections that were closed because of a limit, the rate, or a shortage. */
        long refused();

        /** Connections for which no target could be connected. */
        long failed();

        /** The ejected targets, {@code host:port} each. */
        List<String> ejected();
    }
}
