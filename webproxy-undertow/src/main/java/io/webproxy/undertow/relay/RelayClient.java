package io.webproxy.undertow.relay;

import io.webproxy.undertow.deadline.Lease;
import java.net.InetSocketAddress;
import org.xnio.StreamConnection;

/** A client whose connection is to be relayed. Not thread-safe: it belongs to the connection's IO thread. */
public interface RelayClient {
    /**
     * What is relayed: the socket, or the TLS connection that ends here. What was read of it already is pushed back, to
     * be read again.
     */
    StreamConnection connection();

    /** The address of the client: the peer's, or the one that a trusted proxy has named. */
    InetSocketAddress client();

    /** The address that the client has reached. */
    InetSocketAddress local();

    /** Whoever speaks with the client now: is run when the endpoint goes away, at once if it does already. */
    void onLeave(Runnable listener);

    /** How long its endpoint lasts. */
    Lease lease();

    /** It has the TLS engine that descriptors are kept for, or needs none; later calls have no effect. */
    void settled();
}
