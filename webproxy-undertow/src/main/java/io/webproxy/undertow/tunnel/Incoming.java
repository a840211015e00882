package io.webproxy.undertow.tunnel;

import java.net.InetSocketAddress;
import org.xnio.StreamConnection;

/**
 * A connection that an endpoint has accepted, as far as tunnels have to know of it. Belongs to the connection's IO
 * thread.
 */
public interface Incoming {
    /** The socket. */
    StreamConnection connection();

    /** The address of the client: the peer's, or the one that a trusted proxy has named. */
    InetSocketAddress client();

    /** It has the TLS engine that descriptors are kept for, or needs none; later calls have no effect. */
    void settled();

    /** Runs a listener when the endpoint goes away, at once if it does already. */
    void onLeave(Runnable listener);
}
