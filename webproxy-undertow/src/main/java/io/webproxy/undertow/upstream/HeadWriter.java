package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import io.webproxy.undertow.exchange.FieldWriter;

/**
 * Takes a request head in the form of one protocol. It is the second wall against request splitting: what the protocol
 * can't carry is refused, whatever let it in.
 */
public interface HeadWriter extends FieldWriter {
    /**
     * Whether the head is one of HTTP/2: without fields of the connection, {@code Host} and {@code Transfer-Encoding}.
     */
    boolean isHttp2();

    /**
     * Starts a head; the fields follow.
     *
     * @param scheme {@code http} or {@code https}; only HTTP/2 says it
     * @param authority the {@code Host}, or {@code :authority}
     * @throws UnwritableException if the protocol can't carry one of them
     */
    void start(String method, String scheme, String authority, String target);

    /**
     * Starts the head of an extended CONNECT for a WebSocket (RFC 8441 section 4); only HTTP/2 has it.
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
