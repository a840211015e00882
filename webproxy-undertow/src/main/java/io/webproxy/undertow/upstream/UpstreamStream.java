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
 * The upstream's side of one exchange: a connection of HTTP/1.1 while it serves the exchange, or one stream of an
 * HTTP/2 connection.
 *
 * <p>Not thread-safe: it belongs to its IO thread.
 */
public interface UpstreamStream {
    /** {@code HTTP/1.1} or {@code HTTP/2.0}. */
    String protocol();

    /** Whether it is a stream of HTTP/2. */
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
     * @param trailers gives the request's trailers once its body has ended, or null for none
     * @throws UnwritableException if the protocol can't carry the head; nothing was sent then, and the stream is still
     *     unused
     */
    void exchange(
            UpstreamListener who,
            RequestHead head,
            RequestFraming framing,
            boolean isHead,
            Supplier<@Nullable HeaderMap> trailers);

    /** Whether the upstream has taken all of the request body that has come, and more is to come. */
    boolean isAwaitingBody();

    /** Where the request body goes; after {@link #exchange}. */
    StreamSinkConduit requestBody();

    /**
     * Where the response body comes from; from within {@link UpstreamListener#responded}. {@code who} hears of it from
     * now on.
     */
    StreamSourceConduit responseBody(ResponseListener who);

    /**
     * From now on the connection serves one client connection alone, and ends with it: what the upstream answers may
     * depend on who has logged in on it. Only the first call counts; HTTP/2, where no login is one of the connection,
     * knows nothing of it.
     *
     * @param owner that client connection's; null if it is shared by several clients, so that the connection ends with
     *     this exchange
     * @param route the route of the exchange
     */
    void belongTo(@Nullable OwnedConnections owner, Route route);

    /**
     * Gives the bytes of both directions away, for a tunnel after a 101. What had come with the head is read first. The
     * connection still counts until {@link #close()}.
     */
    Detached detach();

    /**
     * Both directions without the codec.
     *
     * @param stream both directions
     * @param early bytes that were read already, or null; whoever takes them closes the buffer
     */
    record Detached(StreamConnection stream, @Nullable PooledByteBuffer early) {}

    /** The error code of RFC 9113 section 7 by which the upstream has reset the stream, or -1. */
    default long resetCode() {
        return -1;
    }

    /** Ends what is under way, so that the upstream knows it is no end; the exchange hears nothing more. Idempotent. */
    void abort();

    /** Ends it; the exchange hears nothing more. Idempotent. */
    void close();
}
