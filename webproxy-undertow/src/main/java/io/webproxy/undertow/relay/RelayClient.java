package io.webproxy.undertow.relay;

import io.webproxy.undertow.deadline.Lease;
import java.net.InetSocketAddress;
import org.xnio.StreamConnection;

/** A client whose connection is to be relayed. Not thread-safe: it belongs to the connection's IO thread. */
public interface RelayClient {
    /**
     * The connection to relay: the socket, or terminated TLS over it. Bytes read already were pushed back, to be read
     * again.
     */
    StreamConnection connection();

    /** The client's address: the peer's, or the one that a trusted proxy named. */
    InetSocketAddress client();

    /** The server address that the client connected to. */
    InetSocketAddress local();

    /** Sets what runs when the endpoint closes; it runs at once if the endpoint is closing already. */
    void onLeave(Runnable listener);

    /** The lease of its endpoint. */
    Lease lease();

    /** It has its TLS engine, or needs none: descriptors are no longer reserved for one. Later calls have no effect. */
    void settled();
}
