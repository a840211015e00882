package io.webproxy.undertow.upstream;

import io.webproxy.route.Upstream;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Where a connection goes to.
 *
 * @param host a name, an IPv4 address, or an IPv6 address in brackets
 * @param address that of the host, where that is an IP address and has been parsed already; else null
 * @param text what it is called in sentences
 * @param source the address of this machine that is connected from; null for the system's choice
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
