package io.webproxy.undertow.relay;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/**
 * Through which endpoints of this server the connections to targets have come. A target that turns out to be an
 * endpoint of this server, whatever it is called, accepts a connection between the same two addresses. Thread-safe.
 */
final class RelayPaths {
    private final Map<Ends, List<String>> made = new ConcurrentHashMap<>();

    /** No connections yet. */
    RelayPaths() {}

    /**
     * The two addresses of a connection, which no other has at the same time: other programs may use the same one to
     * reach another address.
     *
     * @param source who has made it
     * @param reached who has accepted it
     */
    record Ends(InetSocketAddress source, InetSocketAddress reached) {
        /** Of one that was accepted here; null if it is closed already. */
        static @Nullable Ends accepted(StreamConnection connection) {
            return of(
                    connection.getPeerAddress(InetSocketAddress.class),
                    connection.getLocalAddress(InetSocketAddress.class));
        }

        /** Of one that was made here; null if it is closed already. */
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
     * @param accepted the connection; null if nothing is known of it
     * @param endpoint where it was accepted
     * @return null if it has passed that endpoint before: relayed on, it would come back again and again
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

    /** A connection to a target is made, for one that has passed these endpoints. */
    void made(Ends connection, List<String> path) {
        made.put(connection, path);
    }

    /** It is closed. */
    void closed(Ends connection) {
        made.remove(connection);
    }

    /** How many are known. */
    int size() {
        return made.size();
    }
}
