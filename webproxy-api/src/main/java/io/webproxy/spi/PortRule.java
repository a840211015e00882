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
 * One rule of a port: the connections it takes, by their first bytes and their client, and what it does with them.
 * Immutable; made by {@link PortBuilder}.
 */
public final class PortRule {
    /** The protocol of a connection, by its first bytes. */
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
        /** A complete SOCKS5 greeting (RFC 1928 section 3). */
        SOCKS5,
        /**
         * The first packet of an OpenVPN client over TCP that uses TLS, also with {@code tls-auth}, {@code tls-crypt}
         * or {@code tls-crypt-v2}.
         */
        OPENVPN,
        /** A start-up message, {@code SSLRequest}, {@code GSSENCRequest} or {@code CancelRequest} of PostgreSQL. */
        POSTGRESQL,
        /** A PROXY header, version 1 or 2, which is relayed unchanged. */
        PROXY_HEADER,
        /** The rule's own {@link PortRule#pattern}. */
        BYTES,
        /**
         * An agent of the rule's {@link PortRule#tunnels}: its control channel, recognised by its ALPN protocol, or a
         * data connection.
         */
        TUNNEL_AGENT,
        /**
         * A ClientHello with a server name that an agent has announced to the rule's {@link PortRule#tunnels}, or may
         * be about to announce.
         */
        TUNNEL_CLIENT
    }

    /** What a rule does with its connections. */
    public enum Action {
        /** Relays them to a target, byte for byte. */
        RELAY,
        /** Sends their HTTP to the server's routes; TLS is terminated here. */
        SERVE,
        /** Redirects their cleartext HTTP to the server's first HTTPS endpoint. */
        REDIRECT,
        /** Terminates their TLS, and applies rules to what is inside. */
        INSIDE,
        /** Accepts agents, or hands clients over to them. */
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

    /** A rule for everything else; unused parameters are null. */
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
     * The given name, else one of protocol and server name, with a number if that is taken: unique among its sibling
     * rules.
     */
    public String name() {
        return name;
    }

    /** The protocol of its connections. */
    public Protocol protocol() {
        return protocol;
    }

    /** What it does with them. */
    public Action action() {
        return action;
    }

    /** The server names and application protocols of a TLS rule; otherwise any. */
    public Sni sni() {
        return sni;
    }

    /** The bytes of a {@link Protocol#BYTES} rule. */
    public Optional<BytePattern> pattern() {
        return Optional.ofNullable(pattern);
    }

    /** The clients that it applies to; empty for all. */
    public List<AddressRange> clients() {
        return clients;
    }

    /** The relay of a {@link Action#RELAY} rule. */
    public Optional<Relay> relay() {
        return Optional.ofNullable(relay);
    }

    /** The rules within TLS of an {@link Action#INSIDE} rule. */
    public Optional<PortRules> inside() {
        return Optional.ofNullable(inside);
    }

    /** The tunnels of an {@link Action#TUNNEL} rule. */
    public Optional<TunnelServer> tunnels() {
        return Optional.ofNullable(tunnels);
    }

    /** Whether it applies to a client; a client with an IPv4-mapped IPv6 address is an IPv4 client. */
    public boolean isFor(InetAddress client) {
        return clients.isEmpty() || AddressRange.anyContains(clients, client);
    }

    /** The same rule with another name. */
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

    /** The name and the target, such as {@code ssh->127.0.0.1:22}. */
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
