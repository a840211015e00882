package io.webproxy;

import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Endpoint;
import io.webproxy.spi.PoolData;
import io.webproxy.spi.PortData;
import io.webproxy.spi.RuleData;
import io.webproxy.spi.StatusData;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tunnel.TunnelStatus;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A snapshot of a running server; that of a closed one has no endpoint, connection, exchange, upstream, port or
 * certificate. Made by the engine; immutable.
 */
public sealed interface ProxyStatus permits StatusData {
    /** Where it listens. */
    List<Endpoint> endpoints();

    /** {@code Conscrypt} or {@code JDK}, whichever serves TLS; empty without an HTTPS endpoint. */
    String tlsProvider();

    /** Open client connections. */
    int connections();

    /** Client connections closed since the start because a limit was reached. */
    long refused();

    /**
     * Client connections closed since the start by something unexpected before they had a request, such as a shortage.
     */
    long failed();

    /** Requests in flight. */
    int exchanges();

    /** Open WebSockets. */
    int tunnels();

    /** Pools by upstream. */
    Map<String, Pool> upstreams();

    /** What became of the connections of ports with rules, in the order of configuration. */
    List<Port> ports();

    /** The tunnels, of both sides. */
    TunnelStatus tunnelStatus();

    /** What is served and wanted, in the order of configuration. */
    List<CertificateStatus> certificates();

    /**
     * The sentence that says why the server can't serve any more, although it isn't closed; empty as long as it can.
     */
    Optional<String> failure();

    /**
     * Whether the server can serve: false when a thread that it can't be without has ended, for which a restart is the
     * only remedy.
     */
    default boolean isHealthy() {
        return failure().isEmpty();
    }

    /** The connections to one upstream. */
    sealed interface Pool permits PoolData {
        /** All of them, those that are being opened included. */
        int open();

        /** Those that wait for a request. */
        int idle();

        /** Requests that wait for a connection. */
        int waiting();

        /**
         * Whether others are preferred because it could not be connected to; one that is alone is tried nevertheless.
         * What a share of failures makes a group skip isn't shown here, but told by
         * {@code ProxyObserver.upstreamChanged}.
         */
        boolean ejected();

        /** Whether no health check says that it is down. */
        boolean healthy();
    }

    /** The connections of one port with rules, since the start. */
    sealed interface Port permits PortData {
        /** Its name. */
        String endpoint();

        /** Its rules, those of a removed rule as long as it has open connections. */
        List<Rule> rules();

        /** How many connections no rule has taken, by the reason; without those that are 0. */
        Map<RelayEnd, Long> undetected();
    }

    /**
     * The connections of one port rule. A rule that looks inside TLS counts what goes to the routes; the rules inside
     * count for themselves, under names such as {@code tls:host1.example.com/ssh}.
     */
    sealed interface Rule permits RuleData {
        /** Its name; {@code silent} and {@code otherwise} are the targets of that name. */
        String name();

        /** Those that are open, being connected included. */
        int open();

        /** All that it has taken since the start, those refused included. */
        long total();

        /** Those closed because a limit or the rate was reached, or there was a shortage. */
        long refused();

        /** Those that no target could be connected to for. */
        long failed();

        /** The targets that are skipped because they could not be connected to, {@code host:port} each. */
        List<String> ejected();
    }
}
