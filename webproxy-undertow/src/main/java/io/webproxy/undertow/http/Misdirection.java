package io.webproxy.undertow.http;

import java.net.InetSocketAddress;
import javax.net.ssl.SSLSession;

/** Tells requests that came over the connection of another host. Thread-safe, never blocks. */
@FunctionalInterface
public interface Misdirection {
    /**
     * Whether {@code host} has a certificate that isn't the one which this connection was opened with.
     *
     * @param served whether there is a route; without one, a host that the connection's certificate isn't for is misdirected anyway
     */
    boolean isMisdirected(SSLSession session, InetSocketAddress local, String host, boolean served);
}
