package io.webproxy.undertow.exchange;

import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.webproxy.undertow.deadline.Lease;
import java.net.InetSocketAddress;

/**
 * Where a connection of a client comes from.
 *
 * @param client the TCP peer, or the client that a trusted proxy has named by the PROXY protocol
 * @param endpoint how long the endpoint lasts that it has reached
 */
public record Origin(InetSocketAddress client, Lease endpoint) {
    /** That of the connection that a request came through. */
    public static Origin of(ServerConnection connection) {
        Http2Front front = Http2Front.of(connection);
        if (front != null) {
            return front.origin();
        }
        if (connection instanceof HttpServerConnection http1
                && http1.getOriginalSourceConduit() instanceof HeadGate gate) {
            return gate.origin();
        }
        return new Origin(connection.getPeerAddress(InetSocketAddress.class), new Lease());
    }
}
