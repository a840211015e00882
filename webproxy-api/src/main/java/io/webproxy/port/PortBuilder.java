package io.webproxy.port;

import io.webproxy.http.ProxyProtocol;
import io.webproxy.spi.EndpointSettings;
import io.webproxy.spi.PortRule;
import io.webproxy.spi.PortRules;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tunnel.TunnelServer;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Collects the rules of a port that several protocols share, and the settings of its endpoint. Rules are tried in the
 * order in which they were added; while one needs more bytes to decide, no later one wins. Not thread-safe.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class PortBuilder extends RuleBuilder<PortBuilder> {
    private final EndpointBuilder endpoint = new EndpointBuilder();

    /** No rules yet. */
    public PortBuilder() {}

    /** Relays all TLS connections that no earlier rule takes, without terminating TLS. */
    public PortBuilder tls(String... targets) {
        return tls(Sni.any(), Relay.to(targets));
    }

    /** The same with options. */
    public PortBuilder tls(Relay relay) {
        return tls(Sni.any(), relay);
    }

    /** Relays TLS connections that match by their ClientHello, without terminating TLS. */
    public PortBuilder tls(Sni sni, String... targets) {
        return tls(sni, Relay.to(targets));
    }

    /** The same with options. */
    public PortBuilder tls(Sni sni, Relay relay) {
        return tls(sni, PortRule.Action.RELAY, Objects.requireNonNull(relay, "relay"), null);
    }

    /**
     * Terminates TLS and applies rules to what is inside: so SSH works from networks that allow only TLS. A client that
     * offers an application protocol (ALPN) goes to the routes, and so does HTTP inside. Client certificates are
     * checked first, if the endpoint asks for them.
     */
    public PortBuilder tls(Sni sni, Consumer<InsideBuilder> inside) {
        return tls(sni, PortRule.Action.INSIDE, null, InsideBuilder.collect(Objects.requireNonNull(inside, "inside")));
    }

    private PortBuilder tls(Sni sni, PortRule.Action action, @Nullable Relay relay, @Nullable PortRules inside) {
        String name = Objects.requireNonNull(sni, "sni").equals(Sni.any()) ? "tls" : "tls:" + sni;
        return add(new PortRule(name, PortRule.Protocol.TLS, action, sni, null, clients(), relay, inside));
    }

    /** Terminates TLS; HTTP/2 and HTTP/1.1 inside go to the server's routes. */
    public PortBuilder https() {
        return https(Sni.any());
    }

    /** The same for some server names. */
    public PortBuilder https(Sni sni) {
        String name = Objects.requireNonNull(sni, "sni").equals(Sni.any()) ? "https" : "https:" + sni;
        return add(new PortRule(name, PortRule.Protocol.TLS, PortRule.Action.SERVE, sni, null, clients(), null, null));
    }

    /** Cleartext HTTP/1.1, and HTTP/2 by prior knowledge (RFC 9113 section 3.3), go to the server's routes. */
    public PortBuilder http() {
        return add(new PortRule(
                "http", PortRule.Protocol.HTTP, PortRule.Action.SERVE, Sni.any(), null, clients(), null, null));
    }

    /**
     * Redirects cleartext HTTP, as for {@link #http()}, to the server's first HTTPS endpoint, which may be this one.
     */
    public PortBuilder redirectHttp() {
        return add(new PortRule(
                "redirect", PortRule.Protocol.HTTP, PortRule.Action.REDIRECT, Sni.any(), null, clients(), null, null));
    }

    /**
     * Relays connections that start with a PROXY header, unchanged. To read the header here, see
     * {@link #proxyProtocol}.
     */
    public PortBuilder proxyHeader(String... targets) {
        return proxyHeader(Relay.to(targets));
    }

    /** The same with options. */
    public PortBuilder proxyHeader(Relay relay) {
        return add("proxy-header", PortRule.Protocol.PROXY_HEADER, relay);
    }

    /**
     * Accepts tunnel agents, and hands clients over to them, without terminating TLS, if they ask for a server name
     * that an agent has announced. An earlier rule can reserve names for this server.
     */
    public PortBuilder tunnels(TunnelServer server) {
        return tunnelAgents(server).tunnelClients(server);
    }

    /** The same for agents only; their clients use another port. */
    public PortBuilder tunnelAgents(TunnelServer server) {
        return add(new PortRule(
                "tunnel-agents", PortRule.Protocol.TUNNEL_AGENT, clients(), Objects.requireNonNull(server, "tunnels")));
    }

    /** The same for clients only; agents use another port. */
    public PortBuilder tunnelClients(TunnelServer server) {
        return add(new PortRule(
                "tunnels", PortRule.Protocol.TUNNEL_CLIENT, clients(), Objects.requireNonNull(server, "tunnels")));
    }

    /** See {@link EndpointBuilder#name}. */
    public PortBuilder name(String name) {
        outsideFrom("name");
        endpoint.name(name);
        return this;
    }

    /** See {@link EndpointBuilder#bind}. */
    public PortBuilder bind(String address) {
        outsideFrom("bind");
        endpoint.bind(address);
        return this;
    }

    /** See {@link EndpointBuilder#proxyProtocol}. */
    public PortBuilder proxyProtocol(ProxyProtocol mode) {
        outsideFrom("proxyProtocol");
        endpoint.proxyProtocol(mode);
        return this;
    }

    /** See {@link EndpointBuilder#clientCertificates}. */
    public PortBuilder clientCertificates(ClientCertificates asked) {
        outsideFrom("clientCertificates");
        endpoint.clientCertificates(asked);
        return this;
    }

    @Override
    PortBuilder self() {
        return this;
    }

    /** The collected rules. */
    public PortRules build() {
        return rules();
    }

    /** The settings of the endpoint. */
    public EndpointSettings endpoint() {
        return endpoint.build();
    }
}
