package io.webproxy.undertow.endpoint;

import io.undertow.connector.PooledByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/**
 * Takes connections that turned out to speak HTTP. A buffer holds what was read already; the receiver owns it. Called
 * on the connection's IO thread.
 */
public interface Protocols {
    /** Cleartext HTTP for the routes. */
    void cleartext(ClientConnection client, StreamConnection connection, @Nullable PooledByteBuffer read);

    /** Cleartext HTTP that is redirected to an HTTPS endpoint. */
    void redirect(ClientConnection client, StreamConnection connection, @Nullable PooledByteBuffer read);

    /** HTTP/1.1 over TLS. */
    void http1(ClientConnection client, StreamConnection connection, @Nullable PooledByteBuffer read);

    /** HTTP/2 over TLS. */
    void http2(ClientConnection client, StreamConnection connection, @Nullable PooledByteBuffer read);
}
