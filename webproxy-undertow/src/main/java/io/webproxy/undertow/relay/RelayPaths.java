package io.webproxy.undertow.relay;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/**
 * Detects relay loops: records which endpoints of this server each connection to a target has passed. If a target turns
 * out to be an endpoint of this server, under whatever name, that endpoint accepts a connection between the same two
 * addresses. Thread-safe.
 */
final class RelayPaths {
    private final Map<Ends, List<String>> made = new ConcurrentHashMap<>();

    /** No connections yet. */
    RelayPaths() {}

    /**
     * The two addresses of a connection; together they are unique, while one source may be used for several
     * destinations.
     *
     * @param source of the connecting side
     * @param reached of the accepting side
     */
    record Ends(InetSocketAddress source, InetSocketAddress reached) {
        /** Of a connection that was accepted here; null if it is closed already. */
        static @Nullable Ends accepted(StreamConnection connection) {
            return of(
                    connection.getPeerAddress(InetSocketAddress.class),
                    connection.getLocalAddress(InetSocketAddress.class));
        }

        /** Of a connection that was made here; null if it is closed already. */
        static @Nullable Ends made(StreamConnection connection) {
            return of(
                    connection.getLocalAddress(InetSocketAddress.class),
                    connection.getPeerAddress(InetSocketAddress.class));
        }

        private static @Nullable Ends of(@Nullable InetSocketAddress source, @Nullable InetSocketAddress reached) {
            return source == null || reached == null ? null : new Ends(source, reached);
        }
    }

    /**
     * The endpoints that a connection has passed, the first one first.
     *
     * @param accepted the connection; null if unknown
     * @param endpoint where it was accepted
     * @return null if it has passed that endpoint before: relaying it would loop
     */
    @Nullable List<String> through(@Nullable Ends accepted, String endpoint) {
        List<String> before = accepted == null ? null : made.get(accepted);
        if (before == null) {
            return List.of(endpoint);
        }
        if (before.contains(endpoint)) {
            return null;
        }
        List<String> path = new ArrayList<>(before);
        path.add(endpoint);
        return List.copyOf(path);
    }

    /** A connection to a target was made, for a client that has passed these endpoints. */
    void made(Ends connection, List<String> path) {
        made.put(connection, path);
    }

    /** The connection is closed. */
    void closed(Ends connection) {
        made.remove(connection);
    }

    /** Number of known connections. */
    int size() {
        return made.size();
    }
}
