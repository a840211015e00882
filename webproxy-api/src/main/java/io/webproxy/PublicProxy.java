package io.webproxy;

import io.webproxy.tunnel.TunnelServer;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * A server that is nothing but the public side of tunnels: agents dial it, and TLS of its clients passes through to
 * them without ending here. A thin form of {@link ProxyServer}; {@link io.webproxy.port.PortBuilder#tunnels} lets a
 * server's port be this among other things. Thread-safe.
 */
public final class PublicProxy implements AutoCloseable {
    private final ProxyServer server;

    private PublicProxy(ProxyServer server) {
        this.server = server;
    }

    /** Starts one on a port, 0 for any free one, for agents and clients. Returns when it listens. */
    public static PublicProxy start(int port, TunnelServer tunnels) {
        return start(port, tunnels, builder -> {});
    }

    /**
     * The same with more settings.
     *
     * @throws ProxyConfigException if the configuration is wrong
     * @throws ProxyStartException if the port can't be opened, or the agents file or the key can't be used
     */
    public static PublicProxy start(int port, TunnelServer tunnels, Consumer<ProxyConfig.Builder> more) {
        // all its clients speak first: none of them waits for the server
        ProxyConfig.Builder builder = ProxyServer.builder()
                .listen(port, rules -> rules.tunnels(tunnels).detectTime(TunnelServer.HELLO_TIME));
        Objects.requireNonNull(more, "more").accept(builder);
        return new PublicProxy(builder.start());
    }

    /** The port that agents and clients come to. */
    public int port() {
        return server.endpoints().get(0).address().getPort();
    }

    /** What agents pin, {@code sha256:…}. */
    public String fingerprint() {
        return server.status().tunnelStatus().fingerprint();
    }

    /** The server that this is. */
    public ProxyServer server() {
        return server;
    }

    /** See {@link ProxyServer#close}. */
    @Override
    public void close() {
        server.close();
    }
}
