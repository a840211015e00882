package io.webproxy.undertow.upstream;

import io.undertow.server.ServerConnection;
import io.undertow.util.AttachmentKey;
import io.webproxy.route.Route;
import io.webproxy.undertow.deadline.IoTasks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/**
 * The upstream connections that one HTTP/1.1 client connection has logged in on: at most one for each upstream of a
 * route. They serve only this client connection, and are closed with it.
 *
 * <p>Not thread-safe: belongs to the client connection's IO thread. An upstream connection in use isn't listed: its
 * exchange holds it.
 */
public final class OwnedConnections {
    private static final AttachmentKey<OwnedConnections> KEY = AttachmentKey.create(OwnedConnections.class);

    private final Map<Key, UpstreamConnection> idle = new LinkedHashMap<>();
    private boolean closed;

    /** A login is valid for its route: another route may lead to the same upstream with other credentials. */
    private record Key(Route route, UpstreamPool pool) {}

    private OwnedConnections() {}

    /** Those of a client connection, or null if it has none. */
    public static @Nullable OwnedConnections known(ServerConnection client) {
        return client.getAttachment(KEY);
    }

    /** Those of a client connection; created if there are none. */
    public static OwnedConnections of(ServerConnection client) {
        OwnedConnections known = known(client);
        if (known != null) {
            return known;
        }
        OwnedConnections owned = new OwnedConnections();
        client.putAttachment(KEY, owned);
        XnioIoThread thread = client.getIoThread();
        client.addCloseListener(gone -> {
            if (Thread.currentThread() == thread) {
                owned.close();
            } else {
                IoTasks.execute(thread, owned::close);
            }
        });
        if (!client.isOpen()) {
            owned.close();
        }
        return owned;
    }

    /**
     * Takes the connection to an upstream, for an exchange of the client connection.
     *
     * @param probe whether to check it first, for requests that can't be retried
     * @return null if there is no usable one
     */
    public @Nullable UpstreamConnection take(Route route, UpstreamPool pool, boolean probe) {
        UpstreamConnection connection = idle.remove(new Key(route, pool));
        if (connection == null || connection.resume(probe)) {
            return connection;
        }
        connection.close();
        return null;
    }

    /** The pools whose upstreams the client has logged in to by this route, the newest first. */
    public List<UpstreamPool> pools(Route route) {
        List<UpstreamPool> pools = new ArrayList<>();
        for (Key key : idle.keySet()) {
            if (key.route == route) {
                pools.add(0, key.pool);
            }
        }
        return pools;
    }

    /** Keeps a connection that has become idle; false if the client connection has closed. */
    boolean keep(Route route, UpstreamPool pool, UpstreamConnection connection) {
        if (closed) {
            return false;
        }
        UpstreamConnection before = idle.put(new Key(route, pool), connection);
        if (before != null) {
            before.close();
        }
        return true;
    }

    /** A connection was closed. */
    void closed(UpstreamConnection connection) {
        idle.values().remove(connection);
    }

    private void close() {
        closed = true;
        List<UpstreamConnection> all = List.copyOf(idle.values());
        idle.clear();
        all.forEach(UpstreamConnection::close);
    }
}
