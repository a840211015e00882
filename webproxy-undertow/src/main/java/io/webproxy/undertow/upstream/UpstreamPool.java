package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.InFlight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
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

    private final Upstream upstream;
    private final Lanes lanes;
    private final ConnectionOpener opener;
    private final ObservedHealth health;
    private final InFlight inFlight;
    private final Exchanges exchanges;
    private final AtomicInteger open = new AtomicInteger();
    private final Predicate<Route> inForce;
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
        this.inForce = inForce;
        this.upstream = upstream;
        this.settings = settings;
        this.health = new ObservedHealth(upstream, news, settings.ejection());
        this.opener = new ConnectionOpener(this, connector, exchanges, idleElsewhere);
        this.lanes = new Lanes(threads, thread -> new Lane(this, exchanges.sweeper(thread)));
    }

    /** The upstream. */
    public Upstream upstream() {
        return upstream;
    }

    /** The exchanges that have chosen it. */
    public InFlight inFlight() {
        return inFlight;
    }

    /** Whether requests may go to it, and how connections and answers show that. */
    public ObservedHealth health() {
        return health;
    }

    ConnectionOpener opener() {
        return opener;
    }

    PoolLimits limits() {
        return settings.limits();
    }

    void settings(PoolSettings others) {
        settings = others;
        health.rule(others.ejection());
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
        lanes.each(Lane::closeOutdated);
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
        return lanes.idle();
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
        return lanes.of(thread);
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
        opener.open(lane, wish, http2, new ConnectionOpener.Opened() {
            @Override
            public void connected(StreamConnection stream, SocketReads reads) {
                if (shared != null && http2 && opener.isHttp2(stream)) {
                    shared.adopt(stream, reads, wish, upstream.proxyProtocol().isPresent());
                } else {
                    give(opener.connection(stream, reads, lane), wish.taker());
                }
            }

            @Override
            public void failed(ForwardError error, String detail) {
                wish.taker().failed(error, detail);
            }
        });
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
            lanes.retireElsewhere(lane);
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
        lanes.makeRoom(() -> queue.size() > 0);
    }

    /** An idle connection is closed if somebody waits. */
    void makeRoomIfWanted() {
        if (queue.size() > 0) {
            makeRoom();
        }
    }

    /** A connection is gone, or was never made. */
    void freed() {
        opener.gone();
        unfilled();
    }

    /** A place was taken and isn't used. */
    void unfilled() {
        open.decrementAndGet();
        pump();
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
        health.news().end();
        lanes.each(Lane::closeIdle);
    }
}
