package io.webproxy.undertow.exchange;

import io.undertow.server.ServerConnection;
import io.webproxy.undertow.deadline.Lease;
import java.net.InetSocketAddress;
import org.xnio.StreamConnection;

/**
 * Where a client's connection comes from.
 *
 * @param client the TCP peer, or the client that a trusted proxy has named by the PROXY protocol
 * @param endpoint the lease of the endpoint that accepted it
 * @param socket the connection, below TLS
 * @param onAnswered runs when all is written that the client gets, and the connection stays open only so that the
 *     client can read it
 * @param onLinger runs when such a client is still sending
 */
public record Origin(
        InetSocketAddress client, Lease endpoint, StreamConnection socket, Runnable onAnswered, Runnable onLinger) {
    /** The origin of the connection that a request arrived on. */
    public static Origin of(ServerConnection connection) {
        if (connection instanceof ExchangeSource source) {
            return source.origin();
        }
        throw new IllegalArgumentException("no connection of ours: " + connection);
    }
}
