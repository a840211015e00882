package io.webproxy.undertow.sniff;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** The result of parsing the first bytes of a connection as a PROXY header (HAProxy's proxy-protocol.txt). */
public sealed interface ProxyHeader {
    /** Results without details. */
    enum Partial implements ProxyHeader {
        /** The start of a header, as far as it goes: more bytes are needed. */
        MORE,
        /** No header: the connection begins with something else. */
        NONE
    }

    /**
     * A malformed header, whatever follows.
     *
     * @param reason the problem; repeats nothing of the bytes
     */
    record Malformed(String reason) implements ProxyHeader {}

    /**
     * A complete header.
     *
     * @param length of the header in bytes
     * @param source the address of the client; null for the peer itself, as in health checks and for other address
     *     families
     */
    record Complete(int length, @Nullable InetSocketAddress source) implements ProxyHeader {}
}
