package io.webproxy.undertow.exchange;

import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.net.InetSocketAddress;

/** Who is on the other end of the connections that requests come through. */
public final class Clients {
    private Clients() {}

    /** The TCP peer, or the client that a trusted proxy has named by the PROXY protocol. */
    public static InetSocketAddress of(ServerConnection connection) {
        Http2Front front = Http2Front.of(connection);
        if (front != null) {
            return front.client();
        }
        return connection instanceof HttpServerConnection http1
                        && http1.getOriginalSourceConduit() instanceof HeadGate gate
                ? gate.client()
                : connection.getPeerAddress(InetSocketAddress.class);
    }
}
