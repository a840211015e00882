package io.webproxy.undertow.endpoint;

import io.webproxy.undertow.deadline.Lease;
import io.webproxy.undertow.relay.RelayClient;
import java.net.InetSocketAddress;
import org.xnio.StreamConnection;

/**
 * A connection that is handed to a relay.
 *
 * @param connection the socket, or TLS over it
 */
record Relayed(ClientConnection source, StreamConnection connection, InetSocketAddress local) implements RelayClient {
    @Override
    public InetSocketAddress client() {
        return source.client();
    }

    @Override
    public void onLeave(Runnable listener) {
        source.onLeave(listener);
    }

    @Override
    public Lease lease() {
        return source.lease();
    }

    @Override
    public void settled() {
        source.settled();
    }
}
