package io.webproxy.undertow.upstream;

import io.webproxy.undertow.http2.OutboundConnection;
import io.webproxy.undertow.http2.OutboundStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/** One HTTP/2 connection of a pool. Not thread-safe: it belongs to its lane's IO thread. */
final class SharedConnection implements OutboundConnection.Owner {
    /** Makes the codec of a connection. */
    interface Outbound {
        OutboundConnection over(StreamConnection socket, OutboundConnection.Owner owner);
    }

    private final SharedConnections home;
    private final OutboundConnection outbound;
    private final @Nullable Wish only;
    private final long settleBy;
    private final long number;
    private boolean settled;
    private boolean leaving;
    private boolean late;
    private boolean used;
    private long idleSince;

    /**
     * A new connection.
     *
     * @param codec makes the HTTP/2 codec over the socket
     * @param only the only taker that it serves; null for any
     * @param patience how long the upstream's first settings may take; zero for no limit
     */
    SharedConnection(
            SharedConnections home, StreamConnection socket, Outbound codec, @Nullable Wish only, Duration patience) {
        this.home = home;
        this.only = only;
        this.number = home.nextNumber();
        this.settleBy = patience.isZero() ? Long.MAX_VALUE : home.now() + patience.toNanos();
        this.outbound = codec.over(socket, this);
    }

    void start() {
        outbound.start();
    }

    /** The only taker that it serves, or null. */
    @Nullable Wish only() {
        return only;
    }

    /** Whether the upstream has sent its settings. */
    boolean isSettled() {
        return settled;
    }

    /** Whether the upstream currently allows no streams at all. */
    boolean isShut() {
        return settled && !leaving && outbound.streams() == 0 && outbound.room() == 0;
    }

    /**
     * Whether it may be closed to make room: a shut one prevents the waiting requests from opening another just like
     * it, until it has been idle for long.
     */
    boolean isSpare() {
        return isIdle() && outbound.room() > 0;
    }

    boolean isExtendedConnect() {
        return outbound.isExtendedConnect();
    }

    /** Whether a stream for this request may be opened. */
    boolean takes(Wish wish) {
        return settled
                && !leaving
                && only == null
                && (!wish.fresh() || number > wish.newest())
                && outbound.room() > 0
                && (!wish.isWebSocket() || outbound.isExtendedConnect());
    }

    /** How many streams may be opened. */
    int room() {
        return outbound.room();
    }

    boolean isLeaving() {
        return leaving;
    }

    /** Its first settings didn't arrive in time: closes it. */
    void late() {
        late = true;
        close();
    }

    boolean isLate() {
        return late;
    }

    /** Whether the upstream speaks HTTP/1.1 instead. */
    boolean isHttp11() {
        return outbound.isHttp11();
    }

    /** Whether it has sent something other than HTTP/2. */
    boolean isInvalid() {
        return outbound.isInvalid();
    }

    boolean isIdle() {
        return settled && !leaving && outbound.streams() == 0;
    }

    /** Checks whether the upstream has closed it; a connection in use is being read anyway. */
    boolean probe() {
        return outbound.streams() > 0 || outbound.probe();
    }

    long idleSince() {
        return idleSince;
    }

    /** When it is given up for want of its first settings; {@link Long#MAX_VALUE} once they have arrived. */
    long settleBy() {
        return settled ? Long.MAX_VALUE : settleBy;
    }

    /** Opens a stream for an exchange that starts now. */
    Http2UpstreamStream stream(Wish wish) {
        boolean reused = used;
        used = true;
        return new Http2UpstreamStream(this, wish.isWebSocket(), reused);
    }

    XnioIoThread thread() {
        return home.thread();
    }

    OutboundStream open(OutboundStream.Listener listener) {
        return outbound.open(listener);
    }

    /** Takes no new streams, and closes with its last one. */
    void leave() {
        leaving = true;
        outbound.leave();
        // also if GOAWAY can't be sent yet: it isn't one that could make room
        home.left();
    }

    void close() {
        leaving = true;
        outbound.close();
    }

    @Override
    public void settled() {
        if (!settled) {
            settled = true;
            idleSince = home.now();
            home.settled(this);
        }
    }

    @Override
    public void roomChanged() {
        if (outbound.streams() == 0) {
            idleSince = home.now();
        }
        home.roomChanged(this);
    }

    @Override
    public void leaving() {
        leaving = true;
        home.left();
    }

    @Override
    public void closed() {
        leaving = true;
        home.closed(this);
    }
}
