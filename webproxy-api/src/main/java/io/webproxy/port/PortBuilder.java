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
 * order in which they were added; one that needs more bytes for its decision is waited for, and never overtaken by a
 * later one. Not thread-safe.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class PortBuilder extends RuleBuilder<PortBuilder> {
    private final EndpointBuilder endpoint = new EndpointBuilder();

    /** No rules yet. */
    public PortBuilder() {}

    /** Relays all TLS connections that no earlier rule takes, untouched: TLS doesn't end here. */
    public PortBuilder tls(String... targets) {
        return tls(Sni.any(), Relay.to(targets));
    }

    /** The same with options. */
    public PortBuilder tls(Relay relay) {
        return tls(Sni.any(), relay);
    }

    /** Relays TLS connections by what their ClientHello says, untouched: TLS doesn't end here. */
    public PortBuilder tls(Sni sni, String... targets) {
        return tls(sni, Relay.to(targets));
    }

    /** The same with options. */
    public PortBuilder tls(Sni sni, Relay relay) {
        return tls(sni, PortRule.Action.RELAY, Objects.requireNonNull(relay, "relay"), null);
    }

    /**
     * Ends TLS here and looks into it: so SSH passes networks that let only TLS out. A client that offers an
     * application protocol (ALPN) isn't looked into and goes to the routes, and so does HTTP inside. Client
     * certificates are checked first, where the endpoint wants them.
     */
    public PortBuilder tls(Sni sni, Consumer<InsideBuilder> inside) {
        return tls(sni, PortRule.Action.INSIDE, null, InsideBuilder.collect(Objects.requireNonNull(inside, "inside")));
    }

    private PortBuilder tls(Sni sni, PortRule.Action action, @Nullable Relay relay, @Nullable PortRules inside) {
        String name = Objects.requireNonNull(sni, "sni").equals(Sni.any()) ? "tls" : "tls:" + sni;
        return add(new PortRule(name, PortRule.Protocol.TLS, action, sni, null, clients(), relay, inside));
    }

    /** Ends TLS here; HTTP/2 and HTTP/1.1 inside go to the server's routes. */
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
     * Cleartext HTTP, as for {@link #http()}, is redirected to the server's first HTTPS endpoint, which may be this
     * one.
     */
    public PortBuilder redirectHttp() {
        return add(new PortRule(
                "redirect", PortRule.Protocol.HTTP, PortRule.Action.REDIRECT, Sni.any(), null, clients(), null, null));
    }

    /**
     * Relays connections that start with a header of the PROXY protocol, untouched. To have it read here, see
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
     * Lets agents of tunnels in, and hands clients over to them that ask for a server name which an agent has
     * announced: TLS doesn't end here. A rule before it can keep names for this server.
     */
    public PortBuilder tunnels(TunnelServer server) {
        return tunnelAgents(server).tunnelClients(server);
    }

    /** The same for agents only, where their clients come by another port. */
    public PortBuilder tunnelAgents(TunnelServer server) {
        return add(new PortRule(
                "tunnel-agents", PortRule.Protocol.TUNNEL_AGENT, clients(), Objects.requireNonNull(server, "tunnels")));
    }

    /** The same for clients only, where agents come by another port. */
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

    /** What was collected. */
    public PortRules build() {
        return rules();
    }

    /** The settings of the endpoint. */
    public EndpointSettings endpoint() {
        return endpoint.build();
    }
}
