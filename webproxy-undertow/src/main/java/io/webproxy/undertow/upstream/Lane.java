package io.webproxy.undertow.upstream;

import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.message.FieldParser;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The part of a pool that belongs to one IO thread. All methods but {@link #idleCount()} are called there unless they
 * say otherwise.
 */
final class Lane extends Watched implements UpstreamConnection.Keeper {
    /** How long connections of a burst are kept unused, at most. */
    private static final long BURST_NANOS = TimeUnit.SECONDS.toNanos(10);
    /** How many are closed at once: other connections of the thread wait meanwhile. */
    private static final int MOST_CLOSED = 256;

    private final UpstreamPool pool;
    private final Sweeper sweeper;
    private final FieldParser fields = FieldParser.ofResponseHeads();
    /**
     * Idle connections, the longest idle first. The last one is used first, so that those at the front are the surplus.
     */
    private final Deque<UpstreamConnection> idle = new ArrayDeque<>();

    /** Connections that each belong to a client connection, the longest idle first. */
    private final Set<UpstreamConnection> owned = new LinkedHashSet<>();

    private final @Nullable SharedConnections shared;

    private volatile int idleCount;

    Lane(UpstreamPool pool, Sweeper sweeper) {
        this.pool = pool;
        this.sweeper = sweeper;
        this.shared = pool.upstream().isHttp2() ? new SharedConnections(this.pool, this) : null;
    }

    /** Its HTTP/2 connections; null if the upstream speaks only HTTP/1.1. */
    @Nullable SharedConnections shared() {
        return shared;
    }

    /** Whether another connection wouldn't help the waiting requests; from any thread. */
    boolean isShut() {
        return shared != null && shared.isShut();
    }

    /** Whether a request must have an HTTP/1.1 connection, as far as is known. */
    boolean isAlone(Wish wish) {
        return shared == null || shared.isAlone(wish);
    }

    /** Parses the field lines of all connections on this thread. */
    FieldParser fields() {
        return fields;
    }

    Sweeper sweeper() {
        return sweeper;
    }

    /** How many connections are idle; from any thread. */
    int idleCount() {
        return idleCount + (shared == null ? 0 : shared.idleCount());
    }

    /** The most recently used idle connection, or null. */
    @Nullable UpstreamConnection take(boolean probe) {
        UpstreamConnection connection = idle.pollLast();
        while (connection != null) {
            count();
            connection.leftIdle();
            if (connection.isOpen() && (!probe || connection.probe())) {
                return connection;
            }
            connection.close();
            connection = idle.pollLast();
        }
        count();
        return null;
    }

    private void count() {
        idleCount = idle.size() + owned.size();
    }

    @Override
    public boolean resumed(UpstreamConnection connection) {
        if (!owned.remove(connection)) {
            return false;
        }
        count();
        return true;
    }

    @Override
    public void release(UpstreamConnection connection) {
        UpstreamConnection.Use use = connection.use();
        if (use != null) {
            releaseOwned(connection, use);
            return;
        }
        // a connection whose PROXY header names a client belongs to that client
        boolean single = pool.upstream().proxyProtocol().isPresent();
        if (single || pool.isClosed() || !hasRoom() || !pool.keepOrHandOver(this, connection)) {
            connection.close();
        }
    }

    /** Whether one more may be idle: also those of a burst, unless the process is short of descriptors. */
    private boolean hasRoom() {
        int always = pool.limits().idlePerThread();
        return always > 0 && (idle.size() < always || !pool.isShortOfDescriptors());
    }

    private void releaseOwned(UpstreamConnection connection, UpstreamConnection.Use use) {
        OwnedConnections owner = use.owner();
        if (owner == null
                || pool.isClosed()
                || !pool.isInForce(use.route())
                || !owner.keep(use.route(), pool, connection)) {
            connection.close();
            return;
        }
        owned.add(connection);
        count();
        sweeper.watch(this);
        pool.makeRoomIfWanted();
    }

    /** Keeps a connection until it is needed. */
    void keep(UpstreamConnection connection) {
        connection.idleSince(sweeper.now());
        idle.addLast(connection);
        count();
        sweeper.watch(this);
    }

    @Override
    public void closed(UpstreamConnection connection) {
        if (connection.isIdle()) {
            idle.remove(connection);
            connection.leftIdle();
        }
        owned.remove(connection);
        count();
        UpstreamConnection.Use use = connection.use();
        if (use != null && use.owner() != null) {
            use.owner().closed(connection);
        }
        pool.freed();
    }

    /** Closes the longest idle connection; one that a client has logged in on only if there is no other. */
    boolean closeOldestIdle() {
        UpstreamConnection oldest = idle.pollFirst();
        if (oldest != null) {
            oldest.leftIdle();
        } else if (!owned.isEmpty()) {
            oldest = owned.iterator().next();
            owned.remove(oldest);
        }
        count();
        if (oldest != null) {
            oldest.close();
        }
        return oldest != null || (shared != null && shared.closeOldestIdle());
    }

    void closeIdle() {
        List.copyOf(idle).forEach(UpstreamConnection::close);
        List.copyOf(owned).forEach(UpstreamConnection::close);
        idle.clear();
        owned.clear();
        count();
        sweeper.forget(this);
        if (shared != null) {
            shared.leaveAll();
        }
    }

    /** Closes connections with logins by routes that aren't in force any more. */
    void closeOutdated() {
        for (UpstreamConnection connection : List.copyOf(owned)) {
            UpstreamConnection.Use use = connection.use();
            if (use != null && !pool.isInForce(use.route())) {
                connection.close();
            }
        }
    }

    @Override
    protected long deadline() {
        UpstreamConnection oldest = idle.peekFirst();
        return oldest == null ? Long.MAX_VALUE : oldest.idleSince() + patience();
    }

    /** How long the longest idle connection may stay. */
    private long patience() {
        long idleTime = pool.limits().idleTime().toNanos();
        return isBurst() ? Math.min(idleTime, BURST_NANOS) : idleTime;
    }

    private boolean isBurst() {
        return idle.size() > pool.limits().idlePerThread();
    }

    @Override
    protected void expired(long now) {
        closeWhile(() -> deadline() - sweeper.now() <= 0);
        if (idle.isEmpty() && owned.isEmpty()) {
            sweeper.forget(this);
        }
    }

    @Override
    protected void seen(long now) {
        if (isBurst() && pool.isShortOfDescriptors()) {
            closeWhile(this::isBurst);
        }
    }

    private void closeWhile(BooleanSupplier condition) {
        for (int closed = 0; closed < MOST_CLOSED && !idle.isEmpty() && condition.getAsBoolean(); closed++) {
            closeOldestIdle();
        }
    }

    @Override
    protected void cut() {
        closeIdle();
        sweeper.forget(this);
    }
}
