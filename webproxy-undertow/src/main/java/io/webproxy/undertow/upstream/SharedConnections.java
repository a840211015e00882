package io.webproxy.undertow.upstream;

import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.deadline.Watched;
import java.util.ArrayDeque;
import java.util.Deque;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * The HTTP/2 connections of one lane, which its exchanges share: the one that was opened first is filled first, so that
 * what a burst needed becomes idle. A connection serves once the upstream's settings have come; until then those that
 * want it wait for it, instead of opening one each.
 *
 * <p>Not thread-safe: it belongs to the lane's IO thread, but for {@link #idleCount} and {@link #count}.
 */
final class SharedConnections extends Watched {
    /** What is said of an upstream that ends a connection before it has shown that it speaks HTTP/2. */
    static final String NO_HTTP2 = " closed the connection before its HTTP/2 settings, or doesn't speak HTTP/2"
            + " (expected: http:// for an upstream of HTTP/1.1, https+h2:// over TLS)";

    /** What is said of one that answers HTTP/2 by HTTP/1.1. */
    static final String HTTP11 = " speaks HTTP/1.1 and not HTTP/2"
            + " (expected: http:// for such an upstream, https+h2:// if the port is one for TLS)";

    private final UpstreamPool pool;
    private final Lane lane;
    private final LaneConnections open = new LaneConnections();
    private final Deque<Wish> waiting = new ArrayDeque<>();
    /** Connections that are being opened for those who wait, until their settings have come. */
    private int opening;
    /** How many streams the newest connection had room for at first. */
    private int roomOfNew = Integer.MAX_VALUE;
    /** The upstream has chosen HTTP/1.1 of late. */
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

    /** The number of a connection that is new. */
    long nextNumber() {
        return ++newest;
    }

    /** How many are open; from any thread. */
    int count() {
        return count;
    }

    /**
     * Whether the upstream allows no streams for the time being, so that another connection would be of no use; from
     * any thread.
     */
    boolean isShut() {
        return shut;
    }

    /** How many have no stream; from any thread. */
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

    /** Whether a request has to have a connection of HTTP/1.1. */
    boolean isAlone(Wish wish) {
        return wish.isHttp11() || http11 || (wish.isWebSocket() && open.isWithoutConnect());
    }

    // --- those who want a stream ---

    /** Gives a stream, at once or when there is one. */
    void take(Wish wanted) {
        Wish wish = wanted.after(newest);
        if (!serve(wish)) {
            waiting.addLast(wish);
            openMore();
        }
    }

    /** The same for who has waited in the pool's queue, and holds a place for a connection now. */
    void takePlace(Wish wanted) {
        Wish wish = wanted.after(newest);
        if (serve(wish)) {
            pool.unfilled();
        } else {
            waiting.addFirst(wish);
            open(wish);
        }
    }

    /** Gives a stream of a connection that is there; false if none has room. */
    boolean serve(Wish wish) {
        SharedConnection connection = open.find(wish);
        if (connection == null) {
            return false;
        }
        give(connection, wish);
        return true;
    }

    /** Whether one that is there would take it. */
    boolean hasRoom(Wish wish) {
        return open.hasRoom(wish);
    }

    private void give(SharedConnection connection, Wish wish) {
        UpstreamPool.give(connection.stream(wish), wish.taker());
        recount();
    }

    /** Opens as many as those who wait will fill; where there may be no more, they wait in the pool's queue. */
    private void openMore() {
        while (waiting.size() > capacity()) {
            if (shut || !pool.permit()) {
                pool.enqueue(lane, waiting.removeLast());
            } else {
                open(waiting.getLast());
            }
        }
    }

    /** For how many there will be room when what is being opened is open. */
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

    /** Each of those who wait has to have its own connection. */
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

    /** A connection that was opened for one request turns out to be HTTP/2. */
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

    /** Those fail for whom no connection is being opened any more. */
    private void failWaiting(ForwardError error, String detail) {
        while (waiting.size() > capacity()) {
            waiting.removeFirst().taker().failed(error, detail);
        }
    }

    // --- what is heard of connections ---

    /** The upstream has said what it allows. */
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

    /** A stream has ended, or the upstream allows more or fewer. */
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
            // the look at a connection may bring news of it, which serve others that wait
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

    /** It takes no streams any more. */
    void left() {
        recount();
    }

    /** It is gone, and its streams know. */
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

    /** Closes the one that has been idle longest; false if none is. */
    boolean closeOldestIdle() {
        SharedConnection oldest = open.oldestIdle();
        if (oldest != null) {
            oldest.close();
        }
        return oldest != null;
    }

    /**
     * A request on another thread waits for a place: one connection takes no more, and leaves its place when its last
     * stream has ended.
     */
    void retireOne() {
        if (pool.waiting() > 0) {
            open.retireOne();
        }
    }

    /** Nothing is kept; what is in use ends with its last stream. */
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
