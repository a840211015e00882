package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.Grpc;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The call of gRPC that an exchange is: how long its client waits, and how it has ended.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
public final class GrpcCall {
    /** What a request may take here without being worth another spelling of its timeout. */
    private static final long AT_ONCE = TimeUnit.MILLISECONDS.toNanos(10);

    private final @Nullable String said;
    private final long timeout;
    private int status = -1;
    /** What its upstream's reset is, or -1. */
    private int reset = -1;

    private GrpcCall(@Nullable String said) {
        this.said = said;
        this.timeout = Grpc.timeout(said);
    }

    /** The call that a request opens, or null: gRPC needs HTTP/2. */
    static @Nullable GrpcCall of(HttpServerExchange http, ClientStream client) {
        HeaderMap fields = http.getRequestHeaders();
        return client.isMultiplexed() && Grpc.isCall(fields.getFirst(Headers.CONTENT_TYPE))
                ? new GrpcCall(fields.getFirst(Grpc.TIMEOUT))
                : null;
    }

    /** How long the client waits for the end, from the request head, in nanoseconds; -1 for ever. */
    public long timeout() {
        return timeout;
    }

    /**
     * What the upstream is told in place of a timeout that is about to be sent to it: what is left of the client's,
     * while another is left as it is.
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
     * Whether it has ended as one does that the service has failed; {@code http}: the status of HTTP, which counts
     * where gRPC's is missing.
     */
    public boolean isFailed(int http) {
        return status < 0 ? http < 300 || http >= 500 : Grpc.isFailure(status);
    }

    /** How it has ended, as far as that was said; or null. */
    public @Nullable Integer status() {
        return status < 0 ? null : status;
    }

    /**
     * The upstream has reset the call, which says more than that it failed.
     *
     * @param code of RFC 9113 section 7; -1 for another end
     * @param age how long ago the request head came, in nanoseconds
     */
    public void reset(long code, long age) {
        // the upstream's clock has started later, and was told of a little less
        boolean late = timeout >= 0 && age >= timeout - AT_ONCE;
        reset = code < 0 ? -1 : late ? Grpc.DEADLINE_EXCEEDED : Grpc.statusOfReset(code);
    }

    /** It is sent again: how it was reset before says no more how it ends. */
    public void again() {
        reset = -1;
    }

    /** What it is answered with where HTTP has this status. */
    public int statusOf(int http) {
        return reset < 0 ? Grpc.statusOf(http) : reset;
    }

    /**
     * Ends it before its response is whole, by trailers that say why. Returns false if its stream can't carry them any
     * more.
     *
     * @param http the status of HTTP that it would be answered with
     */
    boolean end(ClientStream client, int http, String detail) {
        HeaderMap trailers = new HeaderMap();
        Grpc.end(trailers, statusOf(http), detail);
        ended(trailers);
        return client.endCall(trailers);
    }

    /** Fields have come, or are sent, that may say how it has ended: trailers, or a head that is all of a response. */
    public void ended(HeaderMap fields) {
        int said = Grpc.status(fields.getFirst(Grpc.STATUS));
        if (said >= 0 && status < 0) {
            status = said;
        }
    }
}
