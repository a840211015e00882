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
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.InFlight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * The connections to one upstream: idle ones per IO thread, last in first out; a cap over all threads; a bounded queue behind it.
 *
 * <p>Thread-safe. Connections never change their thread: where the cap is reached and only another thread has an idle one,
 * that one is closed to make room.
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

        /** What a new connection to an upstream begins with, if that is to be told who the client is; the connection then serves nobody else. */
        default ByteBuffer greeting(Upstream to) {
            return ByteBuffer.allocate(0);
        }
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
    private final AtomicInteger waiting = new AtomicInteger();
    private final Predicate<Route> inForce;
    private final UpstreamNews news;
    private final Queue<Waiter> queue = new ConcurrentLinkedQueue<>();
    private volatile PoolLimits limits;
    private volatile boolean closed;

    UpstreamPool(
            Upstream upstream,
            Connector connector,
            List<XnioIoThread> threads,
            Exchanges exchanges,
            PoolLimits limits,
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
        this.limits = limits;
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

    /** A route prefers others for a while, because it fails too many requests. */
    public void avoided(String why) {
        news.down(null, upstream + " " + why);
    }

    PoolLimits limits() {
        return limits;
    }

    void limits(PoolLimits others) {
        limits = others;
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
        return ejection.mayBeTried(limits, now);
    }

    /** Whether the request that has chosen it may go there: if it is ejected, this is the one that tries it again. */
    public boolean claims(long now) {
        return ejection.allows(limits, now);
    }

    /** Whether requests pass it over. */
    boolean isEjected() {
        return ejection.isEjected(limits);
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
        return waiting.get();
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
        Lane lane = lane(thread);
        UpstreamConnection idle = fresh ? null : lane.take(probe);
        if (idle != null) {
            give(idle, taker);
        } else if (permit()) {
            open(lane, connectLimit, taker);
        } else {
            enqueue(lane, connectLimit, taker);
        }
    }

    /** A taker that throws gets no answer from this connection, and the connection is of no more use. */
    private static void give(UpstreamConnection connection, Taker taker) {
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

    private boolean permit() {
        while (true) {
            int now = open.get();
            if (now >= limits.connections()) {
                return false;
            }
            if (open.compareAndSet(now, now + 1)) {
                return true;
            }
        }
    }

    private void open(Lane lane, Duration connectLimit, Taker taker) {
        if (!exchanges.room().takeUpstream(upstream.tls()) && !madeRoom(lane)) {
            unfilled();
            taker.failed(ForwardError.POOL_EXHAUSTED, "the process has no file descriptors to spare");
            return;
        }
        Callback callback = new Callback(lane, taker);
        Guard.run(
                "the choice of an upstream connection",
                () -> connector.connect(
                        lane.sweeper(), upstream, connectLimit, spread, taker.greeting(upstream), callback),
                () -> callback.failed(ForwardError.POOL_EXHAUSTED, "an internal error"));
    }

    /** What becomes of a connection that has its place already. */
    private final class Callback implements Connector.Callback {
        private final Lane lane;
        private final Taker taker;
        private boolean settled;

        Callback(Lane lane, Taker taker) {
            this.lane = lane;
            this.taker = taker;
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
            ejection.succeeded();
            news.succeeded();
            Guard.run(
                    "the use of an upstream connection",
                    () -> {
                        UpstreamConnection connection = connector.connection(stream, reads, lane);
                        give(connection, taker);
                    },
                    () -> {
                        IoUtils.safeClose(stream);
                        failed(ForwardError.POOL_EXHAUSTED, "an internal error");
                    });
        }

        @Override
        public void failed(ForwardError error, String detail) {
            settle();
            // what this process is short of is no fault of the upstream
            if (error != ForwardError.POOL_EXHAUSTED) {
                if (ejection.failed(limits, lane.sweeper().now())) {
                    news.down(error, detail + "; others are preferred until it can be connected to");
                } else {
                    news.failed(error, detail);
                }
            }
            freed();
            taker.failed(error, detail);
        }
    }

    private void enqueue(Lane lane, Duration connectLimit, Taker taker) {
        if (waiting.incrementAndGet() > limits.queue()) {
            waiting.decrementAndGet();
            taker.failed(ForwardError.POOL_EXHAUSTED, "all connections are taken and the queue is full");
            return;
        }
        Waiter waiter = new Waiter(lane, connectLimit, taker);
        queue.add(waiter);
        lane.sweeper().watch(waiter);
        makeRoom();
        pump();
    }

    /** Somebody waits: an idle connection is closed, of whichever lane has one. */
    private void makeRoom() {
        for (Map.Entry<XnioIoThread, Lane> other : lanes.entrySet()) {
            if (other.getValue().idleCount() > 0) {
                IoTasks.execute(other.getKey(), () -> {
                    if (waiting.get() > 0 && !other.getValue().closeOldestIdle()) {
                        makeRoom();
                    }
                });
                return;
            }
        }
    }

    /** An idle connection is closed if somebody waits. */
    void makeRoomIfWanted() {
        if (waiting.get() > 0) {
            makeRoom();
        }
    }

    /** A connection is gone, or was never made. */
    void freed() {
        exchanges.room().giveUpstream(upstream.tls());
        unfilled();
    }

    /** A place was taken and isn't used. */
    private void unfilled() {
        open.decrementAndGet();
        pump();
    }

    /** Closes idle connections of this thread, to whichever upstream, until there is room for another; false if that isn't enough. */
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
    private void pump() {
        while (waiting.get() > 0 && permit()) {
            Waiter waiter = next();
            if (waiter == null) {
                open.decrementAndGet();
                if (queue.isEmpty()) {
                    return;
                }
                continue;
            }
            IoTasks.execute(waiter.lane.sweeper().thread(), () -> {
                waiter.lane.sweeper().forget(waiter);
                open(waiter.lane, waiter.connectLimit, waiter.taker);
            });
        }
    }

    /** Keeps a connection that has become idle, or gives it to the first who waits. */
    boolean keepOrHandOver(Lane lane, UpstreamConnection connection) {
        Waiter first = queue.peek();
        if (first == null || waiting.get() == 0) {
            lane.keep(connection);
            makeRoomIfWanted();
            return true;
        }
        if (first.lane != lane) {
            return false;
        }
        Waiter waiter = next();
        if (waiter == null) {
            lane.keep(connection);
            makeRoomIfWanted();
            return true;
        }
        if (waiter.lane != lane) {
            // another one has become first: it gets the place, not the connection
            IoTasks.execute(waiter.lane.sweeper().thread(), () -> {
                waiter.lane.sweeper().forget(waiter);
                take(waiter.lane.sweeper().thread(), false, false, waiter.connectLimit, waiter.taker);
            });
            return false;
        }
        lane.sweeper().forget(waiter);
        IoTasks.execute(lane.sweeper().thread(), () -> {
            if (!waiter.taker.isWanted()) {
                lane.release(connection);
            } else if (connection.isOpen() && connection.probe()) {
                give(connection, waiter.taker);
            } else {
                connection.close();
                take(lane.sweeper().thread(), true, false, waiter.connectLimit, waiter.taker);
            }
        });
        return true;
    }

    private @Nullable Waiter next() {
        for (Waiter waiter = queue.poll(); waiter != null; waiter = queue.poll()) {
            if (waiter.claim()) {
                return waiter;
            }
        }
        return null;
    }

    /** No connection is kept from now on. */
    void close() {
        closed = true;
        news.end();
        lanes.forEach((thread, lane) -> IoTasks.execute(thread, lane::closeIdle));
    }

    /** A request in the queue. */
    private final class Waiter extends Watched {
        private final Lane lane;
        private final Duration connectLimit;
        private final Taker taker;
        private final long deadline;
        private final AtomicBoolean claimed = new AtomicBoolean();

        Waiter(Lane lane, Duration connectLimit, Taker taker) {
            this.lane = lane;
            this.connectLimit = connectLimit;
            this.taker = taker;
            this.deadline = lane.sweeper().now() + limits.queueTime().toNanos();
        }

        /** Takes it out of the queue; only the first call succeeds. */
        boolean claim() {
            boolean first = claimed.compareAndSet(false, true);
            if (first) {
                waiting.decrementAndGet();
            }
            return first;
        }

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void expired(long now) {
            giveUp("no connection became free in time");
        }

        @Override
        protected void seen(long now) {
            if (!taker.isWanted()) {
                lane.sweeper().forget(this);
                if (claim()) {
                    queue.remove(this);
                }
            }
        }

        @Override
        protected void cut() {
            giveUp("the server is closing");
        }

        private void giveUp(String why) {
            Sweeper sweeper = lane.sweeper();
            sweeper.forget(this);
            if (claim()) {
                queue.remove(this);
                taker.failed(ForwardError.POOL_EXHAUSTED, why);
            }
        }
    }
}
