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
 * The connection pool of one upstream: idle connections per IO thread, last in first out; a limit over all threads; a
 * bounded queue of waiting requests. With HTTP/2, exchanges of a thread share connections.
 *
 * <p>Thread-safe. Connections never change their thread: if the limit is reached and only another thread has an idle
 * one, that one is closed to make room.
 */
public final class UpstreamPool {
    /** Wants a connection; called on its own IO thread, exactly once. */
    public interface Taker {
        /** Gets the connection; starts an exchange on it, or closes it. */
        void connected(UpstreamStream stream);

        /** There is no connection. */
        void failed(ForwardError error, String detail);

        /** There is no connection, because others have all that the pool may open. */
        default void crowded(String detail) {
            failed(ForwardError.POOL_EXHAUSTED, detail);
        }

        /** Whether a connection is still wanted. */
        boolean isWanted();

        /** Whether it may wait in the queue; otherwise it fails if no connection is free. */
        default boolean mayQueue() {
            return true;
        }

        /** What the connection must support. */
        default Need needs() {
            return Need.ANY;
        }

        /**
         * Sent first on a new connection to an upstream that gets a PROXY header; the connection then serves only this
         * taker.
         */
        default ByteBuffer greeting(Upstream to) {
            return ByteBuffer.allocate(0);
        }
    }

    /** What a request needs from its connection. */
    public enum Need {
        /** An ordinary request. */
        ANY,
        /** A WebSocket. */
        WEB_SOCKET,
        /** HTTP/1.1, even if the upstream supports HTTP/2. */
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

    /** The exchanges in flight there. */
    public InFlight inFlight() {
        return inFlight;
    }

    /** Its health as observed by connects and responses. */
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

    /** Whether idle connections of any upstream should be closed for others. */
    boolean isShortOfDescriptors() {
        return exchanges.room().isTight();
    }

    boolean isClosed() {
        return closed;
    }

    /** Whether a route is in force. */
    boolean isInForce(Route route) {
        return inForce.test(route);
    }

    /** The routes have changed: closes connections that are reserved for clients of removed ones. */
    void routesChanged() {
        lanes.each(Lane::closeOutdated);
    }

    /** Whether it is unused, and keeps no connection. */
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
     * Takes a connection of the calling IO thread.
     *
     * @param fresh whether it must be a new one
     * @param probe whether to check an idle one first, for requests that can't be retried
     * @param connectLimit for opening a connection; zero for none
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

    /** The connections that a request may share; null if it needs its own. */
    private @Nullable SharedConnections sharedFor(Lane lane, Wish wish) {
        SharedConnections shared = lane.shared();
        return shared == null || upstream.proxyProtocol().isPresent() || shared.isAlone(wish) ? null : shared;
    }

    /** Gives a connection to a taker; if the taker throws, aborts the connection and tells the taker. */
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

    /** Opens a connection for one request, in a place that is already taken. */
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
        if (!wish.taker().mayQueue() && idle() == 0) {
            wish.taker().crowded("all connections are taken");
            return;
        }
        if (!queue.add(lane, wish, limits())) {
            wish.taker().crowded("all connections are taken and the queue is full");
            return;
        }
        makeRoom();
        pump();
        SharedConnections shared = lane.shared();
        if (shared != null && shared.count() == 0) {
            lanes.retireElsewhere(lane);
        }
    }

    /** Connections of this lane have room: serves waiting requests of its thread. */
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

    /** A request waits: closes an idle connection of any lane. */
    private void makeRoom() {
        lanes.makeRoom(() -> queue.size() > 0);
    }

    /** Closes an idle connection if a request waits. */
    void makeRoomIfWanted() {
        if (queue.size() > 0) {
            makeRoom();
        }
    }

    /** A connection was closed, or couldn't be opened. */
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

    /** Gives free places to waiting requests. */
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

    /** Keeps an idle connection, or gives it to the first waiting request. */
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
            // another request is first now: it gets the place, not the connection
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

    /** Keeps no connections from now on. */
    void close() {
        closed = true;
        health.news().end();
        lanes.each(Lane::closeIdle);
    }
}
