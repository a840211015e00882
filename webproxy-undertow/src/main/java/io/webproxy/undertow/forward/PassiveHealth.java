package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.GrpcCall;
import io.webproxy.undertow.message.Grpc;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.UpstreamPool;
import org.jspecify.annotations.Nullable;

/**
 * Passive health check: reports the outcome of one request. The group counts each upstream's responses and failures,
 * and the pool logs failures. A 5xx response is a failure; for a gRPC response the gRPC status at its end counts.
 *
 * <p>It concerns the upstream that was tried last. Not thread-safe: it belongs to the exchange's IO thread.
 */
final class PassiveHealth {
    private static final int TOO_MANY_REQUESTS = 429;

    private final Exchange exchange;
    private @Nullable Candidate candidate;
    private @Nullable UpstreamPool pool;
    /** When the upstream was asked for, or took the last bytes of the request. */
    private long since;

    /** Whether no final response head of that upstream has arrived. */
    private boolean waiting;

    private boolean ofGrpc;
    private int status;
    private boolean busy;

    PassiveHealth(Exchange exchange) {
        this.exchange = exchange;
    }

    /** An upstream is tried; {@code connections} is its pool, or null if it has none. */
    void asked(Candidate upstream, @Nullable UpstreamPool connections) {
        candidate = upstream;
        pool = connections;
        since = now();
        waiting = true;
    }

    /** An upstream that was tried before is the one whose response counts. */
    void backTo(Candidate upstream, @Nullable UpstreamPool connections) {
        asked(upstream, connections);
        waiting = false;
    }

    /** It has taken bytes of the request body. */
    void taken() {
        since = now();
    }

    private long now() {
        return exchange.shared().nanoClock().getAsLong();
    }

    /** Nobody waits for its response any more. Says nothing of an upstream whose response head has arrived. */
    void abandoned() {
        if (candidate != null && waiting) {
            long now = now();
            candidate.latency().waited(now - since, now);
        }
    }

    /** Its final response head has arrived. */
    void responded(ParsedHead head) {
        if (pool != null) {
            pool.health().answered();
        }
        waiting = false;
        status = head.status();
        ofGrpc = exchange.grpc() != null && Grpc.isCall(head.fields().getFirst(Headers.CONTENT_TYPE));
        busy = status == TOO_MANY_REQUESTS;
        if (candidate != null && status < 500 && !busy) {
            // an upstream that refuses everything is fast
            long now = now();
            candidate.latency().responded(now - since, now);
        }
        if (!ofGrpc) {
            judge(status >= 500);
        }
    }

    /** Whether the response is a gRPC response. */
    boolean isOfGrpc() {
        return ofGrpc;
    }

    /** Its response is complete. */
    void completed(HeaderMap trailers) {
        GrpcCall call = exchange.grpc();
        if (call != null) {
            call.ended(trailers);
            if (ofGrpc) {
                judge(call.isFailed(status));
            }
        }
    }

    /** Its response won't be relayed: of a gRPC response, these fields count if they have its status. */
    void replaced(HeaderMap fields) {
        int said = ofGrpc ? Grpc.status(fields.getFirst(Grpc.STATUS)) : -1;
        if (said >= 0) {
            judge(Grpc.isFailure(said));
        }
    }

    /** Its response was cut off. */
    void brokeOff(String detail) {
        tell(ForwardError.RESPONSE_BODY_TRUNCATED, detail);
        if (ofGrpc) {
            judge(true);
        }
    }

    /** It received the whole request, and didn't respond in time. */
    void timedOut(ForwardError error) {
        abandoned();
        GrpcCall call = exchange.grpc();
        // a client that allows too little time says nothing about the upstream
        if (call == null || !call.isOverdue(exchange.age())) {
            judge(true);
        }
        tell(error, "no answer in time");
    }

    /** It failed after it received all or some of the request. */
    void failed(ForwardError error, String detail) {
        judge(true);
        tell(error, detail);
    }

    /** It takes no more requests. */
    void crowded(String why) {
        if (pool != null) {
            pool.health().crowded(why);
        }
    }

    /** It failed without having executed anything of the request; the pool logs that itself. */
    void failed() {
        judge(true);
    }

    private void judge(boolean failed) {
        if (candidate == null) {
            return;
        }
        if (!failed) {
            candidate.answered(exchange.shared().nanoClock(), busy);
            return;
        }
        String avoided =
                candidate.failed(exchange.route(), exchange.shared().nanoClock().getAsLong());
        if (avoided != null && pool != null) {
            pool.health().avoided(avoided);
        }
    }

    private void tell(ForwardError error, String detail) {
        if (pool != null) {
            pool.health().answerFailed(error, detail);
        }
    }
}
