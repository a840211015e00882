package io.webproxy.undertow.endpoint;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.undertow.deadline.OncePerMinute;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.relay.Relays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.xnio.XnioIoThread;

/** What the endpoints of one server have in common. Thread-safe. */
public final class PortTools {
    private final ByteBufferPool buffers;
    private final Function<XnioIoThread, Sweeper> sweepers;
    private final Relays relays;
    private final Supplier<Tunnels> tunnels;
    private final HeldRoom held = HeldRoom.ofJvm();
    private final OncePerMinute distrusted = new OncePerMinute();
    private final OncePerMinute headless = new OncePerMinute();
    private final Map<XnioIoThread, HandshakeTurns> turns = new ConcurrentHashMap<>();

    /**
     * The tools of a server.
     *
     * @param buffers to read into
     * @param sweepers the sweeper of each IO thread
     * @param relays for connections that are relayed to a target
     * @param tunnels for connections of agents and of their clients
     */
    public PortTools(
            ByteBufferPool buffers,
            Function<XnioIoThread, Sweeper> sweepers,
            Relays relays,
            Supplier<Tunnels> tunnels) {
        this.buffers = buffers;
        this.sweepers = sweepers;
        this.relays = relays;
        this.tunnels = tunnels;
    }

    ByteBufferPool buffers() {
        return buffers;
    }

    Sweeper sweeper(ClientConnection client) {
        return sweepers.apply(client.connection().getIoThread());
    }

    HandshakeTurns turns(ClientConnection client) {
        return turns.computeIfAbsent(client.connection().getIoThread(), HandshakeTurns::of);
    }

    HeldRoom held() {
        return held;
    }

    /** Limits the log line about untrusted peers that were refused because a PROXY header is required. */
    OncePerMinute distrusted() {
        return distrusted;
    }

    /**
     * Limits the log line about trusted peers that were refused because they sent something else than a PROXY header.
     */
    OncePerMinute headless() {
        return headless;
    }

    Relays relays() {
        return relays;
    }

    Tunnels tunnels() {
        return tunnels.get();
    }
}
