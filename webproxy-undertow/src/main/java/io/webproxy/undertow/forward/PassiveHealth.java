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
 * What becomes of one request, as far as it says how healthy an upstream is: the group counts answers and failures of
 * each, the pool's log tells of failures. A response of 5xx is a failure; of a gRPC call that is answered by gRPC it is
 * the status at its end that counts.
 *
 * <p>It judges the upstream that was asked last. Not thread-safe: it belongs to the exchange's IO thread.
 */
final class PassiveHealth {
    private final Exchange exchange;
    private @Nullable Candidate candidate;
    private @Nullable UpstreamPool pool;
    private boolean ofGrpc;
    private int status;

    PassiveHealth(Exchange exchange) {
        this.exchange = exchange;
    }

    /** An upstream is asked; {@code connections}: its own, or null if it has none. */
    void asked(Candidate upstream, @Nullable UpstreamPool connections) {
        candidate = upstream;
        pool = connections;
    }

    /** Its final response head has come. */
    void responded(ParsedHead head) {
        if (pool != null) {
            pool.answered();
        }
        status = head.status();
        ofGrpc = exchange.grpc() != null && Grpc.isCall(head.fields().getFirst(Headers.CONTENT_TYPE));
        if (!ofGrpc) {
            judge(status >= 500);
        }
    }

    /** Whether what it has responded is the answer of gRPC to a call. */
    boolean isOfGrpc() {
        return ofGrpc;
    }

    /** Its response has come to its end. */
    void completed(HeaderMap trailers) {
        GrpcCall call = exchange.grpc();
        if (call != null) {
            call.ended(trailers);
            if (ofGrpc) {
                judge(call.isFailed(status));
            }
        }
    }

    /** Its response has broken off. */
    void brokeOff(String detail) {
        tell(ForwardError.RESPONSE_BODY_TRUNCATED, detail);
        if (ofGrpc) {
            judge(true);
        }
    }

    /** Nothing has come of it in time, although it has had all of the request. */
    void timedOut(ForwardError error) {
        GrpcCall call = exchange.grpc();
        // a client that allows too little time says nothing of the upstream
        if (call == null || !call.isOverdue(exchange.age())) {
            judge(true);
        }
        tell(error, "no answer in time");
    }

    /** It has failed the request after it had all or some of it. */
    void failed(ForwardError error, String detail) {
        judge(true);
        tell(error, detail);
    }

    /**
     * It has failed the request and had nothing of it, or nothing that it has executed; its pool tells of that by
     * itself.
     */
    void failed() {
        judge(true);
    }

    private void judge(boolean failed) {
        if (candidate == null) {
            return;
        }
        if (!failed) {
            candidate.answered(exchange.shared().nanoClock());
            return;
        }
        String avoided =
                candidate.failed(exchange.route(), exchange.shared().nanoClock().getAsLong());
        if (avoided != null && pool != null) {
            pool.avoided(avoided);
        }
    }

    private void tell(ForwardError error, String detail) {
        if (pool != null) {
            pool.answerFailed(error, detail);
        }
    }
}
