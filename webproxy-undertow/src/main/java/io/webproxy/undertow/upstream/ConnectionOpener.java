package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.OncePerMinute;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.exchange.Exchanges;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * Opens the connections of a pool, each in a place that is already taken: takes a file descriptor from the process's
 * budget, connects, and makes the HTTP codec. Thread-safe; each connection belongs to the thread of its lane.
 */
final class ConnectionOpener {
    /** Hears the outcome of opening a connection, on its lane's thread, exactly once. */
    interface Opened {
        /** Connected. */
        void connected(StreamConnection stream, SocketReads reads);

        /** Failed. */
        void failed(ForwardError error, String detail);
    }

    private static final Logger LOG = LoggerFactory.getLogger(ConnectionOpener.class);

    private final UpstreamPool pool;
    private final Upstream upstream;
    private final Connector connector;
    private final Exchanges exchanges;
    private final Predicate<XnioIoThread> idleElsewhere;
    private final OncePerMinute noRoom = new OncePerMinute();
    private final Spread spread = new Spread();

    /**
     * For a pool.
     *
     * @param idleElsewhere closes idle connections of a thread, to any upstream, to make room for another; false if
     *     that isn't enough
     */
    ConnectionOpener(
            UpstreamPool pool, Connector connector, Exchanges exchanges, Predicate<XnioIoThread> idleElsewhere) {
        this.pool = pool;
        this.upstream = pool.upstream();
        this.connector = connector;
        this.exchanges = exchanges;
        this.idleElsewhere = idleElsewhere;
    }

    /** Opens a connection; {@code http2}: whether it may speak HTTP/2. */
    void open(Lane lane, Wish wish, boolean http2, Opened then) {
        if (!exchanges.room().takeUpstream(upstream.tls()) && !madeRoom(lane)) {
            pool.unfilled();
            then.failed(ForwardError.POOL_EXHAUSTED, "the process has no file descriptors to spare");
            return;
        }
        Callback callback = new Callback(lane, http2, then);
        Guard.run(
                "the choice of an upstream connection",
                () -> connector.connect(
                        lane.sweeper(),
                        upstream,
                        http2,
                        wish.connectLimit(),
                        spread,
                        wish.taker().greeting(upstream),
                        callback),
                () -> callback.failed(ForwardError.POOL_EXHAUSTED, "an internal error"));
    }

    private boolean madeRoom(Lane lane) {
        if (noRoom.isDue()) {
            LOG.warn(
                    "No file descriptors to spare for a connection to {}: such requests get 503; raise the limit of"
                            + " open files if this stays",
                    upstream);
        }
        return idleElsewhere.test(lane.sweeper().thread()) && exchanges.room().takeUpstream(upstream.tls());
    }

    /** Hears from the connect attempt, whose place is already taken. */
    private final class Callback implements Connector.Callback {
        private final Lane lane;
        private final boolean http2;
        private final Opened then;
        private boolean settled;

        Callback(Lane lane, boolean http2, Opened then) {
            this.lane = lane;
            this.http2 = http2;
            this.then = then;
        }

        private void settle() {
            if (!settled) {
                settled = true;
                exchanges.room().settleUpstream(upstream.tls());
            }
        }

        @Override
        public void connected(StreamConnection stream, SocketReads reads) {
            settle();
            if (!http2 || !isHttp2(stream)) {
                pool.health().reached();
            }
            Guard.run("the use of an upstream connection", () -> then.connected(stream, reads), () -> {
                IoUtils.safeClose(stream);
                failed(ForwardError.POOL_EXHAUSTED, "an internal error");
            });
        }

        @Override
        public void failed(ForwardError error, String detail) {
            settle();
            pool.health().connectFailed(error, detail, lane.sweeper().now());
            pool.freed();
            then.failed(error, detail);
        }
    }

    /** A connection was closed, or couldn't be opened. */
    void gone() {
        exchanges.room().giveUpstream(upstream.tls());
    }

    /** Whether a new connection speaks HTTP/2, if that was offered: as negotiated over TLS, always in cleartext. */
    boolean isHttp2(StreamConnection stream) {
        return !upstream.tls() || Connector.isHttp2Chosen(stream);
    }

    /** The HTTP/1.1 codec of a new connection. */
    UpstreamConnection connection(StreamConnection stream, SocketReads reads, Lane lane) {
        return connector.connection(
                stream, reads, lane, lane.fields(), pool.health().leniency());
    }

    /**
     * The HTTP/2 codec of a new connection.
     *
     * @param single whether it serves only this request
     */
    SharedConnection shared(
            SharedConnections home, StreamConnection stream, SocketReads reads, Wish wish, boolean single) {
        return new SharedConnection(
                home,
                stream,
                (socket, owner) -> connector.outbound(
                        socket, reads, exchanges, pool.limits().streams(), owner),
                single ? wish : null,
                wish.connectLimit());
    }
}
