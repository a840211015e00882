package io.webproxy.undertow.exchange;

import io.undertow.server.ServerConnection;
import io.webproxy.undertow.deadline.Lease;
import java.net.InetSocketAddress;
import org.xnio.StreamConnection;

/**
 * Where a connection of a client comes from.
 *
 * @param client the TCP peer, or the client that a trusted proxy has named by the PROXY protocol
 * @param endpoint how long the endpoint lasts that it has reached
 * @param socket the connection, below TLS
 * @param onAnswered is run when all that the client gets is written, and the connection stays open only for the client
 *     to read it
 * @param onLinger is run when such a client is still sending
 */
public record Origin(
        InetSocketAddress client, Lease endpoint, StreamConnection socket, Runnable onAnswered, Runnable onLinger) {
    /** That of the connection that a request came through. */
    public static Origin of(ServerConnection connection) {
        if (connection instanceof ExchangeSource source) {
            return source.origin();
        }
        throw new IllegalArgumentException("no connection of ours: " + connection);
    }
}
