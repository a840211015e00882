package io.webproxy.undertow.http;

import java.net.InetSocketAddress;
import javax.net.ssl.SSLSession;

/** Tells requests that came over the connection of another host. Thread-safe, never blocks. */
@FunctionalInterface
public interface Misdirection {
    /** Whether {@code host} has a certificate that isn't the one which this connection was opened with. */
    boolean isMisdirected(SSLSession session, InetSocketAddress local, String host);
}
