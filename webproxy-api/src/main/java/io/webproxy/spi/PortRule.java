package io.webproxy.spi;

import io.webproxy.port.BytePattern;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Relay;
import io.webproxy.port.Sni;
import io.webproxy.tunnel.TunnelServer;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One rule of a port: which connections it takes, by their first bytes and their client, and what becomes of them.
 * Immutable; made by {@link PortBuilder}.
 */
public final class PortRule {
    /** What a connection's first bytes are. */
    public enum Protocol {
        /** The banner of an SSH client: {@code SSH-2.0-} or {@code SSH-1.99-} (RFC 4253 section 4.2). */
        SSH,
        /** A ClientHello (RFC 8446 section 4.1.2) that {@link PortRule#sni} matches. */
        TLS,
        /**
         * A request line of HTTP/1.x (RFC 9112 section 3), or the preface of HTTP/2 (RFC 9113 section 3.4): a method in
         * upper case, and a path or another target with {@code HTTP/} after it.
         */
        HTTP,
        /** A whole greeting of SOCKS5 (RFC 1928 section 3). */
        SOCKS5,
        /**
         * The first packet of an OpenVPN client over TCP that uses TLS, also with {@code tls-auth}, {@code tls-crypt}
         * or {@code tls-crypt-v2}.
         */
        OPENVPN,
        /** A start-up message, {@code SSLRequest}, {@code GSSENCRequest} or {@code CancelRequest} of PostgreSQL. */
        POSTGRESQL,
        /** A header of the PROXY protocol, version 1 or 2, which is relayed as it is. */
        PROXY_HEADER,
        /** The rule's own {@link PortRule#pattern}. */
        BYTES,
        /**
         * An agent of the rule's {@link PortRule#tunnels}: its control channel, told by the application protocol
         * (ALPN), or a data connection.
         */
        TUNNEL_AGENT,
        /**
         * A ClientHello with a server name that an agent has announced to the rule's {@link PortRule#tunnels}, or may
         * be about to announce.
         */
        TUNNEL_CLIENT
    }

    /** What becomes of a connection that a rule takes. */
    public enum Action {
        /** It is relayed to a target, byte for byte. */
        RELAY,
        /** It is HTTP, and goes to the server's routes; TLS ends here. */
        SERVE,
        /** It is cleartext HTTP, and is redirected to the server's first HTTPS endpoint. */
        REDIRECT,
        /** It is TLS that ends here; what is inside goes by rules of its own. */
        INSIDE,
        /** It is an agent's, or is handed over to one. */
        TUNNEL
    }

    private final String name;
    private final Protocol protocol;
    private final Action action;
    private final Sni sni;
    private final @Nullable BytePattern pattern;
    private final List<AddressRange> clients;
    private final @Nullable Relay relay;
    private final @Nullable PortRules inside;
    private final @Nullable TunnelServer tunnels;

    /** A rule for tunnels. */
    public PortRule(String name, Protocol protocol, List<AddressRange> clients, TunnelServer tunnels) {
        this(name, protocol, Action.TUNNEL, Sni.any(), null, clients, null, null, tunnels);
    }

    /** A rule for everything else; what it doesn't have is null. */
    public PortRule(
            String name,
            Protocol protocol,
            Action action,
            Sni sni,
            @Nullable BytePattern pattern,
            List<AddressRange> clients,
            @Nullable Relay relay,
            @Nullable PortRules inside) {
        this(name, protocol, action, sni, pattern, clients, relay, inside, null);
    }

    private PortRule(
            String name,
            Protocol protocol,
            Action action,
            Sni sni,
            @Nullable BytePattern pattern,
            List<AddressRange> clients,
            @Nullable Relay relay,
            @Nullable PortRules inside,
            @Nullable TunnelServer tunnels) {
        this.name = name;
        this.protocol = protocol;
        this.action = action;
        this.sni = sni;
        this.pattern = pattern;
        this.clients = List.copyOf(clients);
        this.relay = relay;
        this.inside = inside;
        this.tunnels = tunnels;
    }

    /**
     * What was given, else made of protocol and server name, with a number after it where the name is taken: unique
     * among the rules beside it.
     */
    public String name() {
        return name;
    }

    /** Which connections it takes. */
    public Protocol protocol() {
        return protocol;
    }

    /** What becomes of them. */
    public Action action() {
        return action;
    }

    /** Of a TLS rule, which server names and application protocols; any otherwise. */
    public Sni sni() {
        return sni;
    }

    /** Of a {@link Protocol#BYTES} rule, the bytes. */
    public Optional<BytePattern> pattern() {
        return Optional.ofNullable(pattern);
    }

    /** Which clients it is for; empty for all. */
    public List<AddressRange> clients() {
        return clients;
    }

    /** Where a {@link Action#RELAY} rule relays to. */
    public Optional<Relay> relay() {
        return Optional.ofNullable(relay);
    }

    /** Of an {@link Action#INSIDE} rule, what becomes of the bytes within TLS. */
    public Optional<PortRules> inside() {
        return Optional.ofNullable(inside);
    }

    /** Of an {@link Action#TUNNEL} rule, whose agents. */
    public Optional<TunnelServer> tunnels() {
        return Optional.ofNullable(tunnels);
    }

    /** Whether it is for a client; one with an IPv4-mapped IPv6 address is an IPv4 client. */
    public boolean isFor(InetAddress client) {
        return clients.isEmpty() || AddressRange.anyContains(clients, client);
    }

    /** The same rule under another name. */
    public PortRule named(String other) {
        return new PortRule(other, protocol, action, sni, pattern, clients, relay, inside, tunnels);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PortRule that
                && name.equals(that.name)
                && protocol == that.protocol
                && action == that.action
                && sni.equals(that.sni)
                && Objects.equals(pattern, that.pattern)
                && clients.equals(that.clients)
                && Objects.equals(relay, that.relay)
                && Objects.equals(inside, that.inside)
                && Objects.equals(tunnels, that.tunnels);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, protocol, action, sni, relay);
    }

    /** The name, and where its connections go, such as {@code ssh->127.0.0.1:22}. */
    @Override
    public String toString() {
        return name + "->"
                + switch (action) {
                    case RELAY -> String.valueOf(relay);
                    case SERVE -> "routes";
                    case REDIRECT -> "https";
                    case INSIDE -> "(" + inside + ")";
                    case TUNNEL -> "tunnel";
                };
    }
}
