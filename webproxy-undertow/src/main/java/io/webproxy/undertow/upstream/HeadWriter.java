package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import io.webproxy.undertow.exchange.FieldWriter;

/**
 * Writes a request head in one protocol. It is defence in depth against request splitting: it refuses what the protocol
 * can't carry, even if an earlier check missed it.
 */
public interface HeadWriter extends FieldWriter {
    /** Whether the head is for HTTP/2: without hop-by-hop fields, {@code Host} and {@code Transfer-Encoding}. */
    boolean isHttp2();

    /**
     * Starts a head; the fields follow.
     *
     * @param scheme {@code http} or {@code https}; only sent over HTTP/2
     * @param authority the {@code Host}, or {@code :authority}
     * @throws UnwritableException if the protocol can't carry one of them
     */
    void start(String method, String scheme, String authority, String target);

    /**
     * Starts the head of an extended CONNECT for a WebSocket (RFC 8441 section 4); only for HTTP/2.
     *
     * @throws UnwritableException if the protocol can't carry it
     */
    void startWebSocket(String scheme, String authority, String target);

    /**
     * Adds a field.
     *
     * @throws UnwritableException if the protocol can't carry it
     */
    @Override
    void field(HttpString name, String value);

    /** Adds all values of a field. */
    default void fields(HeaderValues values) {
        HttpString name = values.getHeaderName();
        for (int i = 0; i < values.size(); i++) {
            field(name, values.get(i));
        }
    }
}
