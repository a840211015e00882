package io.webproxy.undertow.sniff;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** What the first bytes of a connection are to the PROXY protocol (HAProxy's proxy-protocol.txt). */
public sealed interface ProxyHeader {
    /** What needs no words. */
    enum Partial implements ProxyHeader {
        /** The begin of a header, as far as can be told: more bytes are needed. */
        MORE,
        /** No header: the connection begins with something else. */
        NONE
    }

    /**
     * A header that says nothing that could be used, whatever comes.
     *
     * @param reason what is wrong; repeats nothing of the bytes
     */
    record Malformed(String reason) implements ProxyHeader {}

    /**
     * A whole header.
     *
     * @param length its bytes
     * @param source the address of the client; null for the peer itself, as for health checks and for what isn't IP
     */
    record Complete(int length, @Nullable InetSocketAddress source) implements ProxyHeader {}
}
