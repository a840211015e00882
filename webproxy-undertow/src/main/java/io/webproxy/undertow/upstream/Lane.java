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

/** The part of a pool that belongs to one IO thread; everything but {@link #idleCount()} is called there. */
final class Lane extends Watched implements UpstreamConnection.Keeper {
    /** How long what a burst needed is kept without use, at most. */
    private static final long BURST_NANOS = TimeUnit.SECONDS.toNanos(10);
    /** So many are closed at once: other connections of the thread wait meanwhile. */
    private static final int MOST_CLOSED = 256;

    private final UpstreamPool pool;
    private final Sweeper sweeper;
    private final FieldParser fields = new FieldParser();
    /**
     * The one that waits longest first; the last is used first, so that those in front are what no request of late
     * needed.
     */
    private final Deque<UpstreamConnection> idle = new ArrayDeque<>();

    /** Those that belong to a client connection each, the one that became idle first in front. */
    private final Set<UpstreamConnection> owned = new LinkedHashSet<>();

    private final @Nullable SharedConnections shared;

    private volatile int idleCount;

    Lane(UpstreamPool pool, Sweeper sweeper) {
        this.pool = pool;
        this.sweeper = sweeper;
        this.shared = pool.upstream().isHttp2() ? new SharedConnections(this.pool, this) : null;
    }

    /** Its connections of HTTP/2; null where the upstream speaks HTTP/1.1 alone. */
    @Nullable SharedConnections shared() {
        return shared;
    }

    /** Whether those that wait are better off without another connection; from any thread. */
    boolean isShut() {
        return shared != null && shared.isShut();
    }

    /** Whether a request has to have a connection of HTTP/1.1, as far as is known. */
    boolean isAlone(Wish wish) {
        return shared == null || shared.isAlone(wish);
    }

    /** Reads the field lines of all connections on this thread. */
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

    /** The idle connection that was used last, or null. */
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
        // what says at its begin who the client is belongs to that client
        boolean single = pool.upstream().proxyProtocol().isPresent();
        if (single || pool.isClosed() || !hasRoom() || !pool.keepOrHandOver(this, connection)) {
            connection.close();
        }
    }

    /** Whether one more may be idle: a burst's are kept too, unless the process is short of descriptors. */
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

    /** Keeps a connection until it is asked for. */
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

    /**
     * Closes the idle connection that waits longest; one that a client has logged in on only where there is no other.
     */
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

    /** Closes what was logged in on by routes that aren't in force any more. */
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

    /** How long the one that waits longest may stay. */
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
