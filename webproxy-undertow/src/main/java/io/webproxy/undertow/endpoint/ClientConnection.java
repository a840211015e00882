package io.webproxy.undertow.endpoint;

import io.webproxy.spi.AddressRange;
import io.webproxy.undertow.deadline.Lease;
import io.webproxy.undertow.deadline.Reset;
import io.webproxy.undertow.relay.RuleCounters;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * A client's connection from accept to close: its client's address, what it counts towards, and its handler when the
 * endpoint closes. Not thread-safe: it belongs to the connection's IO thread.
 */
public final class ClientConnection {
    private final StreamConnection connection;
    private final OpenConnections open;
    private final Acceptor endpoint;
    /** The address range that the connection counts towards; changed on its IO thread, read when it closes. */
    private volatile AddressRange counted;

    /** TLS over the socket; it isn't told when another class closes the socket. */
    private @Nullable StreamConnection secure;

    private InetSocketAddress client;
    /** In the sweepers' nanoseconds. */
    private long since;

    private @Nullable Runnable onLeave;
    private boolean leaving;
    private @Nullable RuleCounters rule;
    private boolean ended;
    /** Whether the descriptors of a TLS engine are counted. */
    private volatile boolean engine = true;

    private final AtomicBoolean settled = new AtomicBoolean();

    ClientConnection(StreamConnection connection, OpenConnections open, Acceptor endpoint, AddressRange counted) {
        this.connection = connection;
        this.client = connection.getPeerAddress(InetSocketAddress.class);
        this.open = open;
        this.endpoint = endpoint;
        this.counted = counted;
        this.since = open.now();
    }

    /** The socket. */
    public StreamConnection connection() {
        return connection;
    }

    /** From now on, this is TLS terminated over the socket. */
    void securedBy(StreamConnection tls) {
        secure = tls;
    }

    /** The client's address: the peer's, or the one that a trusted proxy named by a PROXY header. */
    public InetSocketAddress client() {
        return client;
    }

    /**
     * When it was accepted, or its client was named, in the sweepers' nanoseconds: time limits of the client start
     * here.
     */
    long since() {
        return since;
    }

    /** Sets the client that a trusted proxy named; false if that client has too many connections. */
    boolean cameFrom(InetSocketAddress named) {
        client = named;
        since = open.now();
        return open.recount(this, named.getAddress());
    }

    void counted(AddressRange other) {
        counted = other;
    }

    /** The lease of its endpoint. */
    public Lease lease() {
        return endpoint.lease();
    }

    Acceptor endpoint() {
        return endpoint;
    }

    AddressRange counted() {
        return counted;
    }

    /** Sets what runs when the endpoint closes; it runs at once if the endpoint is closing already. */
    public void onLeave(Runnable listener) {
        onLeave = listener;
        if (leaving || endpoint.isClosed()) {
            leaving = true;
            listener.run();
        }
    }

    /** It has its TLS engine, or needs none: descriptors are no longer reserved for one. Later calls have no effect. */
    public void settled() {
        if (settled.compareAndSet(false, true)) {
            open.settled();
        }
    }

    /** Counts the connection for a rule until it closes. */
    synchronized void countFor(RuleCounters counters) {
        counters.opened();
        if (ended) {
            counters.closed();
        } else {
            rule = counters;
        }
    }

    /** It is closed. */
    synchronized void ended() {
        ended = true;
        if (rule != null) {
            rule.closed();
            rule = null;
        }
    }

    /** It may never need a TLS engine: reserves no descriptors until it {@linkplain #takeEngine does}. */
    void withdrawEngine() {
        if (settled.compareAndSet(false, true)) {
            engine = false;
            open.withdrawEngine();
        }
    }

    /** It needs a TLS engine now; false if descriptors are short, or it is closed already. */
    synchronized boolean takeEngine() {
        if (ended || (!engine && !open.takeEngine())) {
            return false;
        }
        if (!engine) {
            engine = true;
            settled.set(false);
        }
        return true;
    }

    boolean hasEngine() {
        return engine;
    }

    /** It is closed because memory is short. */
    void refused() {
        open.refuse(ConnectionCounts.Refusal.MEMORY);
    }

    /** TLS of this version is open; {@code resumed}: by a session of an earlier connection. */
    void handshaken(String version, boolean resumed) {
        open.counts().handshaken(version, resumed);
    }

    /** The TLS handshake failed, or was broken off. */
    void handshakeFailed() {
        open.counts().handshakeFailed();
    }

    /** A step that concerned only this connection failed unexpectedly. */
    void fail() {
        open.counts().failed();
        cut();
    }

    /** Everything is written that its client gets: it stays open only so that the client can read it. */
    public void answered() {
        open.answered(this);
    }

    /** Its client is still sending after the last response. */
    public void linger() {
        open.linger(this);
    }

    /** Ends with a reset, so that the client can't take it for the end of a response. */
    void cut() {
        Reset.atClose(connection);
        close();
    }

    /** Closes it, on its IO thread: readers and writers notice, and a TLS engine frees its resources. */
    void close() {
        IoUtils.safeClose(secure);
        IoUtils.safeClose(connection);
    }

    /** The endpoint is closing; later calls have no effect. */
    void leave() {
        if (!leaving) {
            leaving = true;
            if (onLeave != null) {
                onLeave.run();
            }
        }
    }
}
