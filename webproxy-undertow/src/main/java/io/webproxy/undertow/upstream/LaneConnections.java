package io.webproxy.undertow.upstream;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The open HTTP/2 connections of one lane, in the order in which they were opened. Not thread-safe: it belongs to the
 * lane's IO thread.
 */
final class LaneConnections {
    private final List<SharedConnection> all = new ArrayList<>();

    void add(SharedConnection connection) {
        all.add(connection);
    }

    void remove(SharedConnection connection) {
        all.remove(connection);
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    int count() {
        return all.size();
    }

    /** Number of connections without streams that may be kept. */
    int spare() {
        int spare = 0;
        for (int i = 0; i < all.size(); i++) {
            spare += all.get(i).isSpare() ? 1 : 0;
        }
        return spare;
    }

    /** Whether the upstream currently allows no streams on one of them. */
    boolean isShut() {
        for (SharedConnection connection : all) {
            if (connection.isShut()) {
                return true;
            }
        }
        return false;
    }

    /** Whether the upstream has said that it doesn't accept extended CONNECT. */
    boolean isWithoutConnect() {
        for (SharedConnection connection : all) {
            if (connection.isSettled()) {
                return !connection.isExtendedConnect();
            }
        }
        return false;
    }

    /** Whether one of them has room for a request. */
    boolean hasRoom(Wish wish) {
        return all.stream().anyMatch(connection -> connection.takes(wish));
    }

    /**
     * The first with room. A connection that was open when another one failed may be about to fail too, so the next
     * attempt gets a newer one.
     */
    @Nullable SharedConnection find(Wish wish) {
        for (int i = 0; i < all.size(); i++) {
            SharedConnection connection = all.get(i);
            if (connection.takes(wish)) {
                if (!wish.probe()) {
                    return connection;
                }
                if (!connection.probe()) {
                    connection.close();
                } else if (connection.takes(wish)) {
                    return connection;
                }
                // the list has changed
                i = -1;
            }
        }
        return null;
    }

    /** The longest idle one; null if none is idle. */
    @Nullable SharedConnection oldestIdle() {
        SharedConnection oldest = null;
        for (SharedConnection connection : all) {
            if (connection.isSpare() && (oldest == null || connection.idleSince() - oldest.idleSince() < 0)) {
                oldest = connection;
            }
        }
        return oldest;
    }

    /** Lets the first one take no more requests, unless one is already leaving. */
    void retireOne() {
        if (all.stream().noneMatch(SharedConnection::isLeaving)) {
            all.stream().filter(SharedConnection::isSettled).findFirst().ifPresent(SharedConnection::leave);
        }
    }

    /** When the first of them will have been idle for too long, or should have sent its settings. */
    long deadline(long idleNanos) {
        long earliest = Long.MAX_VALUE;
        for (int i = 0; i < all.size(); i++) {
            earliest = Math.min(earliest, deadline(all.get(i), idleNanos));
        }
        return earliest;
    }

    private static long deadline(SharedConnection connection, long idleNanos) {
        return connection.isIdle() ? connection.idleSince() + idleNanos : connection.settleBy();
    }

    /** Closes those whose deadline has passed. */
    void expire(long now, long idleNanos) {
        for (SharedConnection connection : List.copyOf(all)) {
            long deadline = deadline(connection, idleNanos);
            if (deadline != Long.MAX_VALUE && deadline - now <= 0) {
                if (connection.isSettled()) {
                    connection.leave();
                } else {
                    connection.late();
                }
            }
        }
    }

    /** Connections in use take no more requests. */
    void leaveAll() {
        for (SharedConnection connection : List.copyOf(all)) {
            if (connection.isSettled()) {
                connection.leave();
            }
        }
    }

    /** The same; also closes those that aren't ready yet. */
    void cutAll() {
        for (SharedConnection connection : List.copyOf(all)) {
            if (connection.isSettled()) {
                connection.leave();
            } else {
                connection.close();
            }
        }
    }
}
