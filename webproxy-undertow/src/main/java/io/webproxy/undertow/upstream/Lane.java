package io.webproxy.undertow.upstream;

import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.exchange.FieldParser;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The part of a pool that belongs to one IO thread; everything but {@link #idleCount()} is called there. */
final class Lane extends Watched {
    private final UpstreamPool pool;
    private final Sweeper sweeper;
    private final FieldParser fields = new FieldParser();
    private final Deque<UpstreamConnection> idle = new ArrayDeque<>();
    private final Set<UpstreamConnection> busy = new HashSet<>();
    private volatile int idleCount;

    Lane(UpstreamPool pool, Sweeper sweeper) {
        this.pool = pool;
        this.sweeper = sweeper;
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
        return idleCount;
    }

    /** The idle connection that was used last, or null. */
    @Nullable UpstreamConnection take(boolean probe) {
        UpstreamConnection connection = idle.pollLast();
        while (connection != null) {
            idleCount = idle.size();
            if (connection.isOpen() && (!probe || connection.probe())) {
                busy.add(connection);
                return connection;
            }
            connection.close();
            connection = idle.pollLast();
        }
        idleCount = 0;
        return null;
    }

    void opened(UpstreamConnection connection) {
        busy.add(connection);
    }

    void release(UpstreamConnection connection) {
        busy.remove(connection);
        // what says at its begin who the client is belongs to that client
        boolean single = pool.upstream().proxyProtocol().isPresent();
        if (single
                || pool.isClosed()
                || idle.size() >= pool.limits().idlePerThread()
                || !pool.keepOrHandOver(this, connection)) {
            connection.close();
        }
    }

    /** Keeps a connection until it is asked for. */
    void keep(UpstreamConnection connection) {
        connection.idleSince(sweeper.now());
        idle.addLast(connection);
        idleCount = idle.size();
        sweeper.watch(this);
    }

    void closed(UpstreamConnection connection) {
        busy.remove(connection);
        if (idle.remove(connection)) {
            idleCount = idle.size();
        }
        pool.freed();
    }

    boolean closeOldestIdle() {
        UpstreamConnection oldest = idle.pollFirst();
        idleCount = idle.size();
        if (oldest != null) {
            oldest.close();
        }
        return oldest != null;
    }

    void closeIdle() {
        List.copyOf(idle).forEach(UpstreamConnection::close);
        idle.clear();
        idleCount = 0;
        sweeper.forget(this);
    }

    @Override
    protected long deadline() {
        UpstreamConnection oldest = idle.peekFirst();
        return oldest == null
                ? Long.MAX_VALUE
                : oldest.idleSince() + pool.limits().idleTime().toNanos();
    }

    @Override
    protected void expired(long now) {
        long limit = pool.limits().idleTime().toNanos();
        for (UpstreamConnection oldest = idle.peekFirst();
                oldest != null && sweeper.now() - oldest.idleSince() >= limit;
                oldest = idle.peekFirst()) {
            closeOldestIdle();
        }
        if (idle.isEmpty()) {
            sweeper.forget(this);
        }
    }

    @Override
    protected void cut() {
        closeIdle();
        sweeper.forget(this);
    }
}
