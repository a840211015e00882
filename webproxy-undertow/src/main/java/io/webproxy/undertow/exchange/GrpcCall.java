package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.Grpc;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The gRPC call of an exchange: its client's timeout, and how it ended.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
public final class GrpcCall {
    /** If forwarding took less than this, the client's timeout is passed on as it is. */
    private static final long AT_ONCE = TimeUnit.MILLISECONDS.toNanos(10);

    private final @Nullable String said;
    private final long timeout;
    private int status = -1;
    /** The code of its upstream's reset, or -1. */
    private int reset = -1;

    private GrpcCall(@Nullable String said) {
        this.said = said;
        this.timeout = Grpc.timeout(said);
    }

    /** The call that a request opens, or null if it isn't one: gRPC needs HTTP/2. */
    static @Nullable GrpcCall of(HttpServerExchange http, ClientStream client) {
        HeaderMap fields = http.getRequestHeaders();
        return client.isMultiplexed() && Grpc.isCall(fields.getFirst(Headers.CONTENT_TYPE))
                ? new GrpcCall(fields.getFirst(Grpc.TIMEOUT))
                : null;
    }

    /** The client's timeout in nanoseconds, from the request head on; -1 for none. */
    public long timeout() {
        return timeout;
    }

    /**
     * The timeout to send to the upstream: what is left of the client's. A value that isn't the client's stays as it
     * is.
     *
     * @param age how long ago the request head came, in nanoseconds
     */
    public String timeoutLeft(String sent, long age) {
        return timeout < 0 || age < AT_ONCE || !sent.equals(said) ? sent : Grpc.timeout(timeout - age);
    }

    /** Whether the client's timeout has passed. */
    public boolean isOverdue(long age) {
        return timeout >= 0 && age >= timeout;
    }

    /**
     * Whether it ended with a status that means a failed service; {@code http} is the HTTP status, which counts if
     * there is no gRPC status.
     */
    public boolean isFailed(int http) {
        return status < 0 ? http < 300 || http >= 500 : Grpc.isFailure(status);
    }

    /** The gRPC status that it ended with, or null if none was sent. */
    public @Nullable Integer status() {
        return status < 0 ? null : status;
    }

    /**
     * The upstream has reset the call; the code says more than a bare failure.
     *
     * @param code of RFC 9113 section 7; -1 if it ended otherwise
     * @param age how long ago the request head came, in nanoseconds
     */
    public void reset(long code, long age) {
        // the upstream's clock started later, and it was told a slightly shorter timeout
        boolean late = timeout >= 0 && age >= timeout - AT_ONCE;
        reset = code < 0 ? -1 : late ? Grpc.DEADLINE_EXCEEDED : Grpc.statusOfReset(code);
    }

    /** The call is retried: an earlier reset no longer counts. */
    public void again() {
        reset = -1;
    }

    /** The gRPC status for this HTTP status. */
    public int statusOf(int http) {
        return reset < 0 ? Grpc.statusOf(http) : reset;
    }

    /**
     * Ends it by trailers with a status, before its response is complete. Returns false if its stream can't carry them
     * any more.
     *
     * @param http the HTTP status that an answer would have had
     */
    boolean end(ClientStream client, int http, String detail) {
        HeaderMap trailers = new HeaderMap();
        Grpc.end(trailers, statusOf(http), detail);
        ended(trailers);
        return client.endCall(trailers);
    }

    /** Reads the gRPC status from fields that may have it: trailers, or the head of a trailers-only response. */
    public void ended(HeaderMap fields) {
        int said = Grpc.status(fields.getFirst(Grpc.STATUS));
        if (said >= 0 && status < 0) {
            status = said;
        }
    }
}
