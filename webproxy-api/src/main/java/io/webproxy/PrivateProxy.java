package io.webproxy;

import io.webproxy.tunnel.Tunnel;
import io.webproxy.tunnel.TunnelStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A server that doesn't listen, but dials public servers, which hand over to it the clients of the names and ports that
 * it announces there. A thin form of {@link ProxyServer}. Thread-safe.
 */
public final class PrivateProxy implements AutoCloseable {
    private static final Duration LOOK = Duration.ofMillis(10);

    private final ProxyServer server;

    private PrivateProxy(ProxyServer server) {
        this.server = server;
    }

    /**
     * Starts one that dials a public server; returns at once, see {@link #awaitAnnounced}.
     *
     * @param address {@code host:port} of the public server
     * @param tunnel sets this side's identity and what it announces
     */
    public static PrivateProxy start(String address, UnaryOperator<Tunnel> tunnel) {
        return start(address, tunnel, builder -> {});
    }

    /**
     * The same with more settings.
     *
     * @throws ProxyConfigException if the configuration is wrong
     * @throws ProxyStartException if the key can't be used
     */
    public static PrivateProxy start(String address, UnaryOperator<Tunnel> tunnel, Consumer<ProxyConfig.Builder> more) {
        ProxyConfig.Builder builder = ProxyServer.builder().tunnel(address, tunnel);
        Objects.requireNonNull(more, "more").accept(builder);
        return new PrivateProxy(builder.start());
    }

    /** A running server that has tunnels, in this form. */
    public static PrivateProxy of(ProxyServer server) {
        return new PrivateProxy(Objects.requireNonNull(server, "server"));
    }

    /**
     * Waits until every public server that can be reached, and at least one, has accepted everything that is announced.
     *
     * @return whether that happened within the time
     * @throws ProxyStartException with one sentence, if something isn't accepted
     */
    public boolean awaitAnnounced(Duration limit) throws InterruptedException {
        long until = System.nanoTime() + limit.toNanos();
        while (true) {
            List<TunnelStatus.Server> all = server.status().tunnelStatus().servers();
            List<String> refused = new ArrayList<>();
            boolean any = false;
            boolean open = false;
            for (TunnelStatus.Server each : all) {
                each.refused()
                        .forEach(
                                (what, why) -> refused.add(what + " isn't accepted by " + each.address() + ": " + why));
                any |= each.connected();
                open |= !each.connected() && each.attempts() == 0;
            }
            if (!refused.isEmpty()) {
                throw new ProxyStartException(String.join("; ", refused) + ".");
            }
            if (any && !open) {
                return true;
            }
            if (!server.isRunning() || System.nanoTime() - until >= 0) {
                return false;
            }
            Thread.sleep(LOOK.toMillis());
        }
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
