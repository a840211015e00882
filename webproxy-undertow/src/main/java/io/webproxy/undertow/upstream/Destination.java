package io.webproxy.undertow.upstream;

import io.webproxy.route.Upstream;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The destination of a connection.
 *
 * @param host a name, an IPv4 address, or an IPv6 address in brackets
 * @param address the parsed host if that is an IP address; else null
 * @param text its name in messages
 * @param source the local address to connect from; null for the system's choice
 */
record Destination(
        String host,
        int port,
        @Nullable InetAddress address,
        String text,
        @Nullable InetAddress source) {
    static Destination of(Upstream upstream) {
        return new Destination(upstream.host(), upstream.port(), null, upstream.toString(), null);
    }

    @Override
    public String toString() {
        return text;
    }
}
