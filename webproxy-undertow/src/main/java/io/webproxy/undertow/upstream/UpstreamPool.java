package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.Ejection;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.OncePerMinute;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.InFlight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * The connections to one upstream: idle ones per IO thread, last in first out; a cap over all threads; a bounded queue
 * behind it. With HTTP/2, exchanges of a thread share connections.
 *
 * <p>Thread-safe. Connections never change their thread: where the cap is reached and only another thread has an idle
 * one, that one is closed to make room.
 */
public final class UpstreamPool {
    /** Who wants a connection; called on its own IO thread, exactly once. */
    public interface Taker {
        /** Here it is; the taker starts an exchange on it, or closes it. */
        void connected(UpstreamStream stream);

        /** There is none. */
        void failed(ForwardError error, String detail);

        /** Whether a connection is still of use. */
        boolean isWanted();

        /** What the connection has to carry. */
        default Need needs() {
            return Need.ANY;
        }

        /**
         * What a new connection to an upstream begins with, if that is to be told who the client is; the connection
         * then serves nobody else.
         */
        default ByteBuffer greeting(Upstream to) {
            return ByteBuffer.allocate(0);
        }
    }

    /** What a taker's request needs of its connection. */
    public enum Need {
        /** A request and its response. */
        ANY,
        /** A WebSocket. */
        WEB_SOCKET,
        /** HTTP/1.1, whatever else the upstream speaks. */
        HTTP_1_1
    }

    /** What becomes of a connection that was opened; on its lane's thread, exactly once. */
    interface Opened {
        /** Here it is. */
        void connected(StreamConnection stream, SocketReads reads);

        /** There is none. */
        void failed(ForwardError error, String detail);
    }

    private static final Logger LOG = LoggerFactory.getLogger(UpstreamPool.class);

    private final Upstream upstream;
    private final Connector connector;
    private final IdentityHashMap<XnioIoThread, Lane> lanes = new IdentityHashMap<>();
    private final Ejection ejection = new Ejection();
    private final InFlight inFlight;
    private final Exchanges exchanges;
    private final Predicate<XnioIoThread> idleElsewhere;
    private final OncePerMinute noRoom = new OncePerMinute();
    private final Spread spread = new Spread();
    private final AtomicInteger open = new AtomicInteger();
    private final Predicate<Route> inForce;
    private final UpstreamNews news;
    private final PoolQueue queue = new PoolQueue();
    private volatile PoolSettings settings;
    private volatile boolean closed;

    UpstreamPool(
            Upstream upstream,
            Connector connector,
            List<XnioIoThread> threads,
            Exchanges exchanges,
            PoolSettings settings,
            InFlight inFlight,
            Predicate<Route> inForce,
            Predicate<XnioIoThread> idleElsewhere,
            UpstreamNews news) {
        this.inFlight = inFlight;
        this.exchanges = exchanges;
        this.idleElsewhere = idleElsewhere;
        this.inForce = inForce;
        this.news = news;
        this.upstream = upstream;
        this.connector = connector;
        this.settings = settings;
        threads.forEach(thread -> lanes.put(thread, new Lane(this, exchanges.sweeper(thread))));
    }

    /** The upstream. */
    public Upstream upstream() {
        return upstream;
    }

    /** The exchanges that have chosen it. */
    public InFlight inFlight() {
        return inFlight;
    }

    UpstreamNews news() {
        return news;
    }

    /** It has answered a request. */
    public void answered() {
        news.succeeded();
    }

    /** It has failed a request that it was sent. */
    public void answerFailed(ForwardError error, String detail) {
        if (error == ForwardError.CONNECT_TLS) {
            news.failed(error, upstream + ": " + detail);
        } else {
            news.answerFailed(error, detail);
        }
    }

    /** A group prefers others for a while, because it fails too many requests. */
    public void avoided(String why) {
        news.down(null, upstream + " " + why);
    }

    PoolLimits limits() {
        return settings.limits();
    }

    void settings(PoolSettings others) {
        settings = others;
        pump();
    }

    /** Whether idle connections should go for others, of whomever. */
    boolean isShortOfDescriptors() {
        return exchanges.room().isTight();
    }

    boolean isClosed() {
        return closed;
    }

    /** Whether a route is one of the server's now. */
    boolean isInForce(Route route) {
        return inForce.test(route);
    }

    /** Other routes are in force: connections that belong to clients of those before are closed. */
    void routesChanged() {
        lanes.forEach((thread, lane) -> IoTasks.execute(thread, lane::closeOutdated));
    }

    /** Whether a request might go to this upstream while others could take it. */
    public boolean mayBeTried(long now) {
        return ejection.mayBeTried(settings.ejection(), now);
    }

    /** Whether the request that has chosen it may go there: if it is ejected, this is the one that tries it again. */
    public boolean claims(long now) {
        return ejection.allows(settings.ejection(), now);
    }

    /** Whether requests skip it. */
    boolean isEjected() {
        return ejection.isEjected(settings.ejection());
    }

    /** Whether nobody uses it, and no connection is kept. */
    boolean isUnused() {
        return open.get() == 0 && inFlight.count() == 0;
    }

    /** Connections open or being opened. */
    int open() {
        return open.get();
    }

    /** Requests in the queue. */
    int waiting() {
        return queue.size();
    }

    /** Idle connections. */
    int idle() {
        return lanes.values().stream().mapToInt(Lane::idleCount).sum();
    }

    /**
     * Asks for a connection of the calling IO thread.
     *
     * @param fresh whether an idle one won't do
     * @param probe whether an idle one is to be looked at before it is given, for requests that can't be sent twice
     * @param connectLimit for opening one; zero for none
     */
    public void take(XnioIoThread thread, boolean fresh, boolean probe, Duration connectLimit, Taker taker) {
        take(lane(thread), new Wish(taker, fresh, probe, connectLimit));
    }

    void take(Lane lane, Wish wish) {
        SharedConnections shared = sharedFor(lane, wish);
        if (shared != null) {
            shared.take(wish);
            return;
        }
        UpstreamConnection idle = wish.fresh() ? null : lane.take(wish.probe());
        if (idle != null) {
            give(idle, wish.taker());
        } else if (permit()) {
            openAlone(lane, wish);
        } else {
            enqueue(lane, wish);
        }
    }

    /** Those that a request may share; null if it has to have a connection of its own. */
    private @Nullable SharedConnections sharedFor(Lane lane, Wish wish) {
        SharedConnections shared = lane.shared();
        return shared == null || upstream.proxyProtocol().isPresent() || shared.isAlone(wish) ? null : shared;
    }

    /** A taker that throws gets no answer from this connection, and the connection is of no more use. */
    static void give(UpstreamStream connection, Taker taker) {
        Guard.run("the start of an exchange", () -> taker.connected(connection), () -> {
            connection.abort();
            taker.failed(ForwardError.INVALID_RESPONSE, "an internal error");
        });
    }

    Lane lane(XnioIoThread thread) {
        Lane lane = lanes.get(thread);
        if (lane == null) {
            throw new IllegalArgumentException("a thread of another worker: " + thread);
        }
        return lane;
    }

    boolean permit() {
        while (true) {
            int now = open.get();
            if (now >= limits().connections()) {
                return false;
            }
            if (open.compareAndSet(now, now + 1)) {
                return true;
            }
        }
    }

    /** Opens a connection for one request, in a place that is taken. */
    private void openAlone(Lane lane, Wish wish) {
        SharedConnections shared = lane.shared();
        boolean http2 = shared != null && !wish.isHttp11() && !(wish.isWebSocket() && shared.isAlone(wish));
        open(lane, wish, http2, new Opened() {
            @Override
            public void connected(StreamConnection stream, SocketReads reads) {
                if (shared != null && http2 && isHttp2(stream)) {
                    shared.adopt(stream, reads, wish, upstream.proxyProtocol().isPresent());
                } else {
                    give(connection(stream, reads, lane), wish.taker());
                }
            }

            @Override
            public void failed(ForwardError error, String detail) {
                wish.taker().failed(error, detail);
            }
        });
    }

    /**
     * Whether a new connection is one of HTTP/2, where that was offered: by what was negotiated over TLS, always in
     * cleartext.
     */
    boolean isHttp2(StreamConnection stream) {
        return !upstream.tls() || Connector.isHttp2Chosen(stream);
    }

    UpstreamConnection connection(StreamConnection stream, SocketReads reads, Lane lane) {
        return connector.connection(stream, reads, lane, lane.fields());
    }

    SharedConnection shared(
            SharedConnections home, StreamConnection stream, SocketReads reads, Wish wish, boolean single) {
        return new SharedConnection(
                home,
                stream,
                (socket, owner) -> connector.outbound(socket, reads, exchanges, limits().streams(), owner),
                single ? wish : null,
                wish.connectLimit());
    }

    /** Opens a connection in a place that is taken. */
    void open(Lane lane, Wish wish, boolean http2, Opened then) {
        if (!exchanges.room().takeUpstream(upstream.tls()) && !madeRoom(lane)) {
            unfilled();
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

    /** What becomes of a connection that has its place already. */
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
                reached();
            }
            Guard.run("the use of an upstream connection", () -> then.connected(stream, reads), () -> {
                IoUtils.safeClose(stream);
                failed(ForwardError.POOL_EXHAUSTED, "an internal error");
            });
        }

        @Override
        public void failed(ForwardError error, String detail) {
            settle();
            openFailed(lane, error, detail);
            freed();
            then.failed(error, detail);
        }
    }

    /** The upstream can be connected to; over HTTP/2 its settings say so. */
    void reached() {
        ejection.succeeded();
        news.succeeded();
    }

    /** The upstream counts as one that can't be connected to, unless it is this process's fault. */
    void openFailed(Lane lane, ForwardError error, String detail) {
        if (error != ForwardError.POOL_EXHAUSTED) {
            if (ejection.failed(settings.ejection(), lane.sweeper().now())) {
                news.down(error, detail + "; others are preferred until it can be connected to");
            } else {
                news.failed(error, detail);
            }
        }
    }

    void enqueue(Lane lane, Wish wish) {
        if (!queue.add(lane, wish, limits())) {
            wish.taker().failed(ForwardError.POOL_EXHAUSTED, "all connections are taken and the queue is full");
            return;
        }
        makeRoom();
        pump();
        SharedConnections shared = lane.shared();
        if (shared != null && shared.count() == 0) {
            retireElsewhere(lane);
        }
    }

    /** Streams don't change their thread: where another one's connections hold all places, one of them is to leave. */
    private void retireElsewhere(Lane lane) {
        for (Map.Entry<XnioIoThread, Lane> other : lanes.entrySet()) {
            SharedConnections shared = other.getValue().shared();
            if (shared != null && other.getValue() != lane && shared.count() > 0) {
                IoTasks.execute(other.getKey(), shared::retireOne);
                return;
            }
        }
    }

    /** Connections of this lane have room: those in the queue that are of its thread get it. */
    void serveQueue(Lane lane, SharedConnections shared) {
        if (queue.size() == 0) {
            return;
        }
        for (PoolQueue.Waiter waiter : queue.all()) {
            if (waiter.lane() == lane && !shared.isAlone(waiter.wish())) {
                if (!shared.hasRoom(waiter.wish())) {
                    return;
                }
                if (queue.take(waiter)) {
                    lane.sweeper().forget(waiter);
                    if (waiter.wish().taker().isWanted()) {
                        shared.take(waiter.wish());
                    }
                }
            }
        }
    }

    /** Somebody waits: an idle connection is closed, of whichever lane has one. */
    private void makeRoom() {
        for (Map.Entry<XnioIoThread, Lane> other : lanes.entrySet()) {
            if (other.getValue().idleCount() > 0) {
                IoTasks.execute(other.getKey(), () -> {
                    if (queue.size() > 0 && !other.getValue().closeOldestIdle()) {
                        makeRoom();
                    }
                });
                return;
            }
        }
    }

    /** An idle connection is closed if somebody waits. */
    void makeRoomIfWanted() {
        if (queue.size() > 0) {
            makeRoom();
        }
    }

    /** A connection is gone, or was never made. */
    void freed() {
        exchanges.room().giveUpstream(upstream.tls());
        unfilled();
    }

    /** A place was taken and isn't used. */
    void unfilled() {
        open.decrementAndGet();
        pump();
    }

    /**
     * Closes idle connections of this thread, to whichever upstream, until there is room for another; false if that
     * isn't enough.
     */
    private boolean madeRoom(Lane lane) {
        if (noRoom.isDue()) {
            LOG.warn(
                    "No file descriptors to spare for a connection to {}: such requests get 503; raise the limit of"
                            + " open files if this stays",
                    upstream);
        }
        return idleElsewhere.test(lane.sweeper().thread()) && exchanges.room().takeUpstream(upstream.tls());
    }

    /** Closes the oldest idle connection of a thread, on that thread; false if there is none. */
    boolean closeOneIdle(XnioIoThread thread) {
        return lane(thread).closeOldestIdle();
    }

    /** Gives places that are free to those who wait. */
    void pump() {
        while (queue.size() > 0 && permit()) {
            PoolQueue.Waiter waiter = queue.next();
            if (waiter == null) {
                open.decrementAndGet();
                if (!queue.hasNext()) {
                    return;
                }
                continue;
            }
            IoTasks.execute(waiter.lane().sweeper().thread(), () -> {
                waiter.lane().sweeper().forget(waiter);
                openInPlace(waiter.lane(), waiter.wish());
            });
        }
    }

    /** Opens a connection in a place that has become free. */
    private void openInPlace(Lane lane, Wish wish) {
        SharedConnections shared = sharedFor(lane, wish);
        if (shared == null) {
            openAlone(lane, wish);
        } else {
            shared.takePlace(wish);
        }
    }

    /** Keeps a connection that has become idle, or gives it to the first who waits. */
    boolean keepOrHandOver(Lane lane, UpstreamConnection connection) {
        PoolQueue.Waiter first = queue.peek();
        if (first == null || queue.size() == 0) {
            lane.keep(connection);
            makeRoomIfWanted();
            return true;
        }
        if (first.lane() != lane || sharedFor(lane, first.wish()) != null) {
            return false;
        }
        PoolQueue.Waiter waiter = queue.next();
        if (waiter == null) {
            lane.keep(connection);
            makeRoomIfWanted();
            return true;
        }
        if (waiter.lane() != lane || sharedFor(lane, waiter.wish()) != null) {
            // another one has become first: it gets the place, not the connection
            IoTasks.execute(waiter.lane().sweeper().thread(), () -> {
                waiter.lane().sweeper().forget(waiter);
                take(waiter.lane(), waiter.wish());
            });
            return false;
        }
        lane.sweeper().forget(waiter);
        IoTasks.execute(lane.sweeper().thread(), () -> {
            if (!waiter.wish().taker().isWanted()) {
                lane.release(connection);
            } else if (connection.isOpen() && connection.probe()) {
                give(connection, waiter.wish().taker());
            } else {
                connection.close();
                take(lane, waiter.wish().renewed());
            }
        });
        return true;
    }

    /** No connection is kept from now on. */
    void close() {
        closed = true;
        news.end();
        lanes.forEach((thread, lane) -> IoTasks.execute(thread, lane::closeIdle));
    }
}
