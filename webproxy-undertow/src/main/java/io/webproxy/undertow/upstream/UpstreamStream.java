package io.webproxy.undertow.upstream;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.HeaderMap;
import io.webproxy.route.Route;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * The upstream's side of one exchange: an HTTP/1.1 connection while it serves the exchange, or one stream of an HTTP/2
 * connection.
 *
 * <p>Not thread-safe: it belongs to its IO thread.
 */
public interface UpstreamStream {
    /** {@code HTTP/1.1} or {@code HTTP/2.0}. */
    String protocol();

    /** Whether it is a stream of an HTTP/2 connection. */
    default boolean isHttp2() {
        return !protocol().equals("HTTP/1.1");
    }

    /** Whether its connection has served an exchange before. */
    boolean isReused();

    /**
     * Starts the exchange: the head goes out at once, or with the body's first bytes if they come on this turn of the
     * IO thread.
     *
     * @param isHead whether the method is HEAD, so that the response has no body
     * @param trailers supplies the request's trailers after its body, or null for none
     * @throws UnwritableException if the protocol can't carry the head; nothing was sent then, and the stream is still
     *     unused
     */
    void exchange(
            UpstreamListener who,
            RequestHead head,
            RequestFraming framing,
            boolean isHead,
            Supplier<@Nullable HeaderMap> trailers);

    /** Whether the whole request, with the end of its body, was written; after {@link #exchange}. */
    boolean isRequestSent();

    /** Whether the upstream has taken all of the request body received so far, and more is to come. */
    boolean isAwaitingBody();

    /** The sink for the request body; after {@link #exchange}. */
    StreamSinkConduit requestBody();

    /**
     * The source of the response body; call it within {@link UpstreamListener#responded}. {@code who} hears its events
     * from now on.
     */
    StreamSourceConduit responseBody(ResponseListener who);

    /**
     * Looks at a response body of which nothing was read yet: if it can't be completed, as far as it is at hand, its
     * listener hears so. What has arrived is still to be read.
     */
    default void lookAhead() {
        // an HTTP/2 connection is always read, and its streams are told
    }

    /**
     * Reserves the connection for one client connection, with which it ends: responses may depend on the login on it.
     * Only the first call counts; it has no effect on HTTP/2, where logins aren't bound to a connection.
     *
     * @param owner the client connection's; null if several clients share that, so that the upstream connection ends
     *     with this exchange
     * @param route the route of the exchange
     */
    void belongTo(@Nullable OwnedConnections owner, Route route);

    /**
     * Hands over both directions, for a tunnel after a 101. Bytes that arrived with the head are read first. The
     * connection counts in the pool until {@link #close()}.
     */
    Detached detach();

    /**
     * Both directions, without the codec.
     *
     * @param stream both directions
     * @param early bytes that were read already, or null; the receiver closes the buffer
     */
    record Detached(StreamConnection stream, @Nullable PooledByteBuffer early) {}

    /** The error code of the upstream's reset (RFC 9113 section 7), or -1. */
    default long resetCode() {
        return -1;
    }

    /**
     * Ends the exchange so that the upstream can't take it for complete; the listener isn't called any more.
     * Idempotent.
     */
    void abort();

    /** Ends it; the listener isn't called any more. Idempotent. */
    void close();
}
