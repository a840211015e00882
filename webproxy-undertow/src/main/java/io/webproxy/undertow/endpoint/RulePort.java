package io.webproxy.undertow.endpoint;

import io.webproxy.observe.RelayEnd;
import io.webproxy.port.Relay;
import io.webproxy.spi.PortRules;
import io.webproxy.undertow.tls.TlsAcceptor;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Applies the rules of one endpoint to its connections, by their first bytes. Immutable: an update makes another one,
 * for later connections.
 */
public final class RulePort implements Consumer<ClientConnection> {
    private final PortTools tools;
    private final RuleSet rules;
    private final Supplier<PortTimes> times;
    private final @Nullable TlsAcceptor tls;
    private final Protocols protocols;
    private final Undetected undetected;

    /** Told of connections that no rule took, on their IO threads. */
    @FunctionalInterface
    public interface Undetected {
        /** A connection is closed, this long after it was accepted. */
        void closed(InetSocketAddress client, Duration after, RelayEnd why);
    }

    /**
     * The rules of an endpoint.
     *
     * @param endpoint its name
     * @param times the limits for a connection that arrives now
     * @param tls terminates TLS; null if no rule does
     */
    public RulePort(
            PortTools tools,
            String endpoint,
            PortRules rules,
            Supplier<PortTimes> times,
            @Nullable TlsAcceptor tls,
            Protocols protocols,
            Undetected undetected) {
        this.tools = tools;
        this.rules = RuleSet.of(rules, tools.relays(), endpoint);
        this.times = times;
        this.tls = tls;
        this.protocols = protocols;
        this.undetected = undetected;
    }

    /** The rules' names in counters, status and logs, in order; each with its relay, if it has one. */
    public static Map<String, Optional<Relay>> named(PortRules rules) {
        return RuleSet.named(rules);
    }

    @Override
    public void accept(ClientConnection client) {
        new Visit(this, client).start();
    }

    PortTools tools() {
        return tools;
    }

    RuleSet rules() {
        return rules;
    }

    PortTimes times() {
        return times.get();
    }

    @Nullable TlsAcceptor tls() {
        return tls;
    }

    Protocols protocols() {
        return protocols;
    }

    Undetected undetected() {
        return undetected;
    }
}
