package io.webproxy.undertow.exchange;

import io.undertow.util.HeaderMap;
import java.io.IOException;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of one exchange, over HTTP/1.1 or HTTP/2: aborts it, sends interim responses, watches for the
 * client leaving. Called on the exchange's IO thread.
 */
public interface ClientStream {
    /** The exchange whose client side this is. */
    Exchange exchange();

    /**
     * Aborts the exchange visibly, so that the client can't take the response for complete: by a TCP reset (RFC 9112
     * section 8), or {@code RST_STREAM} (RFC 9113 section 5.4.2), which leaves the connection's other streams open.
     * Idempotent.
     */
    void abort();

    /**
     * Asks the client to send the request again over HTTP/1.1 (RFC 9113 section 7); on HTTP/1.1 it is an
     * {@link #abort()}. Idempotent.
     */
    default void requireHttp11() {
        abort();
    }

    /**
     * Ends a gRPC call whose response isn't whole, by trailers that say why, or by a trailers-only response if no head
     * was sent yet.
     *
     * @param trailers the status with its message
     * @return false if the stream can't carry them any more: then nothing is done
     */
    default boolean endCall(HeaderMap trailers) {
        return false;
    }

    /**
     * Sends an interim response (RFC 9110 section 15.2) before the final one; it goes out at once.
     *
     * @param status 100 to 199, but not 101
     * @param reason for HTTP/1.1; empty for the usual one
     * @param fields without hop-by-hop fields
     * @throws IOException if the client has gone
     */
    void interim(int status, String reason, HeaderMap fields) throws IOException;

    /**
     * The response is complete, but the request isn't and won't be read: ends the exchange without losing the response.
     */
    void finishEarly();

    /** Body bytes are about to be sent to the client. */
    void sending(long bytes);

    /** Whether the response that has started can't have a body; what is written of one is dropped. */
    default boolean isBodyDropped() {
        return false;
    }

    /** Whether flow control lets no body bytes out now; a head that must go out at once then goes alone. */
    boolean isWithoutWindow();

    /**
     * Whether the target has a question mark and nothing after it, which {@code getQueryString} (2.4.4) doesn't tell
     * from none. Canary: {@code UndertowDefectsTest.emptyQueryIsNone}.
     */
    default boolean isQueryEmpty() {
        return false;
    }

    /** What is wrong with the bytes of the request head, or null. */
    default @Nullable HeadProblem headProblem() {
        return null;
    }

    /**
     * Whether a request that counts as complete for Undertow really is: one whose HTTP/2 stream was reset within its
     * body isn't.
     */
    default boolean isRequestWhole() {
        return true;
    }

    /**
     * Completes when the end of a request arrives whose head announces no body. Until then the client may still send
     * one (RFC 9113 section 8.1.1), after the upstream has got a complete request. Null if there is nothing to wait
     * for.
     */
    default @Nullable CompletionStage<Boolean> endOfEmptyRequest() {
        return null;
    }

    /** Whether the request came as an extended CONNECT (RFC 8441), which only an upgrade can grant. */
    default boolean isTunnelRequest() {
        return false;
    }

    /** Whether more than one exchange shares the connection. */
    boolean isMultiplexed();

    /** Whether the endpoint is closing, so that no further exchange may follow on the connection. */
    boolean isLeaving();

    /** Watches for the client leaving while it waits for an answer; {@code onGone} runs at most once. */
    void watchForAbort(Runnable onGone);

    /** The answer has come: stops watching. */
    void unwatch();
}
