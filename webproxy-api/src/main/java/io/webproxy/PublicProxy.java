package io.webproxy;

import io.webproxy.tunnel.TunnelServer;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * A server with only the public side of tunnels: agents dial it, and it passes the TLS of its clients through to them.
 * A thin form of {@link ProxyServer}; {@link io.webproxy.port.PortBuilder#tunnels} adds the same to a port with other
 * rules. Thread-safe.
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
        // all clients speak first: none of them waits for the server
        ProxyConfig.Builder builder = ProxyServer.builder()
                .listen(port, rules -> rules.tunnels(tunnels).detectTime(TunnelServer.HELLO_TIME));
        Objects.requireNonNull(more, "more").accept(builder);
        return new PublicProxy(builder.start());
    }

    /** The port for agents and clients. */
    public int port() {
        return server.endpoints().get(0).address().getPort();
    }

    /** The fingerprint that agents pin, {@code sha256:…}. */
    public String fingerprint() {
        return server.status().tunnelStatus().fingerprint();
    }

    /** The underlying server. */
    public ProxyServer server() {
        return server;
    }

    /** See {@link ProxyServer#close}. */
    @Override
    public void close() {
        server.close();
    }
}
