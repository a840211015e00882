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
 * A connection from its acceptance to its close: who the client is, and how it hears that its endpoint goes away. Not
 * thread-safe: it belongs to the connection's IO thread.
 */
public final class Arrival {
    private final StreamConnection connection;
    private final OpenConnections open;
    private final Acceptor endpoint;
    /** What the connection is counted under; changed on its IO thread, read when it closes. */
    private volatile AddressRange counted;

    /** TLS over it, which doesn't hear when somebody else closes the socket. */
    private @Nullable StreamConnection secure;

    private InetSocketAddress client;
    /** In nanoseconds of the monotonic clock. */
    private long since = System.nanoTime();

    private @Nullable Runnable onLeave;
    private boolean leaving;
    private @Nullable RuleCounters rule;
    private boolean ended;
    /** Whether descriptors for a TLS engine are counted. */
    private volatile boolean engine = true;

    private final AtomicBoolean settled = new AtomicBoolean();

    Arrival(StreamConnection connection, OpenConnections open, Acceptor endpoint, AddressRange counted) {
        this.connection = connection;
        this.client = connection.getPeerAddress(InetSocketAddress.class);
        this.open = open;
        this.endpoint = endpoint;
        this.counted = counted;
    }

    /** The socket. */
    public StreamConnection connection() {
        return connection;
    }

    /** TLS over the socket ends here from now on. */
    void securedBy(StreamConnection tls) {
        secure = tls;
    }

    /** The address of the client: the peer's, or the one that a trusted proxy has named before all else. */
    public InetSocketAddress client() {
        return client;
    }

    /**
     * When it was accepted, or its client was named, in the sweepers' nanoseconds: what a client is waited for begins
     * there.
     */
    long since() {
        return since;
    }

    /** The peer is a trusted proxy, which has named its client; false if that has too many connections. */
    boolean cameFrom(InetSocketAddress named) {
        client = named;
        since = System.nanoTime();
        return open.recount(this, named.getAddress());
    }

    void counted(AddressRange other) {
        counted = other;
    }

    /** How long its endpoint lasts. */
    public Lease lease() {
        return endpoint.lease();
    }

    Acceptor endpoint() {
        return endpoint;
    }

    AddressRange counted() {
        return counted;
    }

    /** Whoever speaks with the client now: is run when the endpoint goes away, at once if it does already. */
    public void onLeave(Runnable listener) {
        onLeave = listener;
        if (leaving || endpoint.isClosed()) {
            leaving = true;
            listener.run();
        }
    }

    /** It has the TLS engine that descriptors are kept for, or needs none; later calls have no effect. */
    public void settled() {
        if (settled.compareAndSet(false, true)) {
            open.settled();
        }
    }

    /** The connection counts among those of a rule until it closes. */
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

    /** It may never need a TLS engine: no descriptors are kept for one until it {@linkplain #takeEngine does}. */
    void withdrawEngine() {
        if (settled.compareAndSet(false, true)) {
            engine = false;
            open.withdrawEngine();
        }
    }

    /** It needs a TLS engine now; false if there are no descriptors for it, or it is closed already. */
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

    /** It is closed for want of memory. */
    void refused() {
        open.refuse();
    }

    /** Something that only this connection was for has failed unexpectedly. */
    void fail() {
        open.failed();
        cut();
    }

    /** All that its client gets is written: it stays open only for the client to read it. */
    public void answered() {
        open.answered(this);
    }

    /** Its client is still sending, and has been answered for the last time. */
    public void linger() {
        open.linger(this);
    }

    /** Ends in a way that can't be taken for the end of an answer. */
    void cut() {
        Reset.atClose(connection);
        close();
    }

    /** Ends, on its IO thread: whoever reads and writes it hears of that, and a TLS engine gives back what it has. */
    void close() {
        IoUtils.safeClose(secure);
        IoUtils.safeClose(connection);
    }

    /** The endpoint goes away; later calls have no effect. */
    void leave() {
        if (!leaving) {
            leaving = true;
            if (onLeave != null) {
                onLeave.run();
            }
        }
    }
}
