package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Watched;
import java.util.ArrayDeque;
import java.util.Deque;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * The HTTP/2 connections of one lane, which its exchanges share: the oldest one is filled first, so that surplus ones
 * of a burst become idle. A connection is used once the upstream's settings have arrived; until then takers wait for
 * it, instead of opening one each.
 *
 * <p>Not thread-safe: it belongs to the lane's IO thread, but for {@link #idleCount} and {@link #count}.
 */
final class SharedConnections extends Watched {
    /** The failure of an upstream that closes a connection before it has shown that it speaks HTTP/2. */
    static final String NO_HTTP2 = " closed the connection before its HTTP/2 settings, or doesn't speak HTTP/2"
            + " (expected: http:// for an upstream of HTTP/1.1, https+h2:// over TLS)";

    /** The failure of an upstream that answers HTTP/2 in HTTP/1.1. */
    static final String HTTP11 = " speaks HTTP/1.1 and not HTTP/2"
            + " (expected: http:// for such an upstream, https+h2:// if the port is one for TLS)";

    private final UpstreamPool pool;
    private final Lane lane;
    private final LaneConnections open = new LaneConnections();
    private final Deque<Wish> waiting = new ArrayDeque<>();
    /** Connections that are being opened for waiting takers, until their settings arrive. */
    private int opening;
    /** The initial room for streams on the newest connection. */
    private int roomOfNew = Integer.MAX_VALUE;
    /** The upstream has recently chosen HTTP/1.1. */
    private boolean http11;

    private long newest;

    private volatile int count;
    private volatile int idleCount;
    private volatile boolean shut;

    SharedConnections(UpstreamPool pool, Lane lane) {
        this.pool = pool;
        this.lane = lane;
    }

    long now() {
        return lane.sweeper().now();
    }

    XnioIoThread thread() {
        return lane.sweeper().thread();
    }

    /** The number of a new connection. */
    long nextNumber() {
        return ++newest;
    }

    /** Number of open connections; from any thread. */
    int count() {
        return count;
    }

    /** Whether the upstream currently allows no streams, so that another connection wouldn't help; from any thread. */
    boolean isShut() {
        return shut;
    }

    /** Number of connections without streams; from any thread. */
    int idleCount() {
        return idleCount;
    }

    private void recount() {
        shut = open.isShut();
        idleCount = open.spare();
        count = open.count();
        if (open.isEmpty()) {
            lane.sweeper().forget(this);
        } else {
            lane.sweeper().watch(this);
        }
    }

    /** Whether a request must have an HTTP/1.1 connection. */
    boolean isAlone(Wish wish) {
        return wish.isHttp11() || http11 || (wish.isWebSocket() && open.isWithoutConnect());
    }

    // --- takers ---

    /** Gives a taker a stream, now or when there is one. */
    void take(Wish wanted) {
        Wish wish = wanted.after(newest);
        if (!serve(wish)) {
            waiting.addLast(wish);
            openMore();
        }
    }

    /** The same for a taker from the pool's queue, which now has a place for a connection. */
    void takePlace(Wish wanted) {
        Wish wish = wanted.after(newest);
        if (serve(wish)) {
            pool.unfilled();
        } else {
            waiting.addFirst(wish);
            open(wish);
        }
    }

    /** Gives a taker a stream of an open connection; false if none has room. */
    boolean serve(Wish wish) {
        SharedConnection connection = open.find(wish);
        if (connection == null) {
            return false;
        }
        give(connection, wish);
        return true;
    }

    /** Whether an open connection would take it. */
    boolean hasRoom(Wish wish) {
        return open.hasRoom(wish);
    }

    private void give(SharedConnection connection, Wish wish) {
        UpstreamPool.give(connection.stream(wish), wish.taker());
        recount();
    }

    /**
     * Opens as many connections as the waiting takers will fill; where no more are allowed, they wait in the pool's
     * queue.
     */
    private void openMore() {
        while (waiting.size() > capacity()) {
            if (shut || !pool.permit()) {
                pool.enqueue(lane, waiting.removeLast());
            } else {
                open(waiting.getLast());
            }
        }
    }

    /** How many takers there will be room for when the connections being opened are ready. */
    private long capacity() {
        return (long) opening * Math.min(pool.limits().streams(), roomOfNew);
    }

    private void open(Wish wish) {
        opening++;
        pool.opener().open(lane, wish, true, new ConnectionOpener.Opened() {
            @Override
            public void connected(StreamConnection stream, SocketReads reads) {
                if (pool.opener().isHttp2(stream)) {
                    add(stream, reads, wish, false);
                } else {
                    chosenHttp11(stream, reads);
                }
            }

            @Override
            public void failed(ForwardError error, String detail) {
                opening--;
                failWaiting(error, detail);
            }
        });
    }

    /** The upstream chose HTTP/1.1: each waiting taker needs its own connection. */
    private void chosenHttp11(StreamConnection stream, SocketReads reads) {
        http11 = true;
        opening--;
        UpstreamConnection alone = pool.opener().connection(stream, reads, lane);
        Wish first = waiting.pollFirst();
        if (first == null) {
            lane.release(alone);
        } else {
            UpstreamPool.give(alone, first.taker());
        }
        for (Wish next = waiting.pollFirst(); next != null; next = waiting.pollFirst()) {
            pool.take(lane, next);
        }
    }

    /** A connection that was opened for one request turned out to be HTTP/2. */
    void adopt(StreamConnection stream, SocketReads reads, Wish wanted, boolean single) {
        Wish wish = wanted.after(newest);
        if (!single) {
            opening++;
            waiting.addFirst(wish);
        }
        add(stream, reads, wish, single);
    }

    private void add(StreamConnection stream, SocketReads reads, Wish wish, boolean single) {
        http11 = false;
        SharedConnection added = pool.opener().shared(this, stream, reads, wish, single);
        open.add(added);
        recount();
        added.start();
    }

    /** Fails the takers for which no connection is being opened any more. */
    private void failWaiting(ForwardError error, String detail) {
        while (waiting.size() > capacity()) {
            waiting.removeFirst().taker().failed(error, detail);
        }
    }

    // --- events of connections ---

    /** The upstream's settings have arrived. */
    void settled(SharedConnection connection) {
        recount();
        pool.health().reached();
        roomOfNew = Math.max(1, connection.room());
        Wish only = connection.only();
        if (only != null) {
            give(connection, only);
            return;
        }
        opening--;
        while (!waiting.isEmpty()) {
            Wish first = waiting.getFirst();
            if (isAlone(first)) {
                waiting.removeFirst();
                pool.take(lane, first);
            } else if (connection.takes(first)) {
                waiting.removeFirst();
                give(connection, first);
            } else {
                break;
            }
        }
        openMore();
        roomChanged(connection);
    }

    /** A stream has ended, or the upstream has changed its limit. */
    void roomChanged(SharedConnection connection) {
        recount();
        if (connection.only() != null) {
            if (connection.isIdle()) {
                connection.leave();
            }
            return;
        }
        boolean served = true;
        while (served && !waiting.isEmpty()) {
            // probing a connection may change it, so that others waiting are served
            Wish first = waiting.removeFirst();
            served = serve(first);
            if (!served) {
                waiting.addFirst(first);
            }
        }
        pool.serveQueue(lane, this);
        pool.pump();
        if (connection.isSpare() && (pool.isClosed() || pool.limits().idlePerThread() == 0)) {
            connection.leave();
        } else if (connection.isSpare()) {
            pool.makeRoomIfWanted();
        }
    }

    /** A connection takes no more streams. */
    void left() {
        recount();
    }

    /** A connection is closed, and its streams were told. */
    void closed(SharedConnection connection) {
        open.remove(connection);
        recount();
        pool.freed();
        if (connection.isSettled()) {
            return;
        }
        ForwardError error = ForwardError.UPSTREAM_CLOSED;
        String detail = pool.upstream() + NO_HTTP2;
        if (connection.isInvalid()) {
            error = ForwardError.UPSTREAM_PROTOCOL;
            detail = pool.upstream() + (connection.isHttp11() ? HTTP11 : NO_HTTP2);
        } else if (connection.isLate()) {
            error = ForwardError.CONNECT_TIMEOUT;
            detail = pool.upstream() + " has sent no HTTP/2 settings in time";
        }
        pool.health().connectFailed(error, detail, now());
        Wish only = connection.only();
        if (only != null) {
            only.taker().failed(error, detail);
        } else {
            opening--;
            failWaiting(error, detail);
        }
    }

    // --- ends ---

    /** Closes the longest idle connection; false if none is idle. */
    boolean closeOldestIdle() {
        SharedConnection oldest = open.oldestIdle();
        if (oldest != null) {
            oldest.close();
        }
        return oldest != null;
    }

    /**
     * A request on another thread waits for a place: one connection takes no more streams, and frees its place after
     * the last one.
     */
    void retireOne() {
        if (pool.waiting() > 0) {
            open.retireOne();
        }
    }

    /** Keeps no connections; those in use end with their last stream. */
    void leaveAll() {
        open.leaveAll();
    }

    @Override
    protected long deadline() {
        return open.deadline(pool.limits().idleTime().toNanos());
    }

    @Override
    protected void expired(long now) {
        open.expire(now, pool.limits().idleTime().toNanos());
    }

    @Override
    protected void cut() {
        while (!waiting.isEmpty()) {
            waiting.removeFirst().taker().failed(ForwardError.POOL_EXHAUSTED, "the server is closing");
        }
        open.cutAll();
    }
}
