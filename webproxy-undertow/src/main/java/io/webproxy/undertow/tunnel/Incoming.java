package io.webproxy.undertow.tunnel;

import java.net.InetSocketAddress;
import org.xnio.StreamConnection;

/** The tunnels' view of a connection that an endpoint has accepted. Belongs to the connection's IO thread. */
public interface Incoming {
    /** The socket. */
    StreamConnection connection();

    /** The client's address: the peer's, or the one that a trusted proxy named. */
    InetSocketAddress client();

    /** It has its TLS engine, or needs none: descriptors are no longer reserved for one. Later calls have no effect. */
    void settled();

    /** Runs a listener when the endpoint closes, at once if it is closing already. */
    void onLeave(Runnable listener);
}
