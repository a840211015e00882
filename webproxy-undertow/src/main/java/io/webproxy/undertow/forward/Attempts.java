package io.webproxy.undertow.forward;

import io.webproxy.undertow.upstream.UpstreamStream;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.StreamSinkConduit;

/** How often one request was sent already, and why: what may have been executed is never sent twice. Not thread-safe: it belongs to the exchange's IO thread. */
final class Attempts {
    /** So often upstreams may refuse a request, having executed nothing of it, before the client is told. */
    private static final int MOST_REFUSALS = 3;

    /** RFC 9113 section 7: the upstream wants the request over HTTP/1.1. */
    private static final int HTTP_1_1_REQUIRED = 13;

    private boolean fresh;
    private boolean elsewhere;
    private int refusals;
    private boolean http11;
    private @Nullable ResendableBody body;

    /** Whether it may be sent once more because a connection that was kept had ended; true only once. */
    boolean takeFresh() {
        boolean first = !fresh;
        fresh = true;
        return first;
    }

    /** Whether another upstream may get what the first one hasn't answered; true only once: a request that brings upstreams down must not go round. */
    boolean takeElsewhere() {
        boolean first = !elsewhere;
        elsewhere = true;
        return first;
    }

    /**
     * Whether it may be sent once more after an upstream has refused it.
     *
     * @param bodiless whether it has no body
     * @param by the stream that was refused, or null
     */
    boolean takeRefused(boolean bodiless, @Nullable UpstreamStream by) {
        http11 |= by != null && by.resetCode() == HTTP_1_1_REQUIRED;
        return (bodiless || (body != null && body.isWhole())) && refusals++ < MOST_REFUSALS;
    }

    /** Whether it was refused more than once, and not only as long as it comes over HTTP/2. */
    boolean isRefusedByUpstream() {
        return refusals > 1 && !http11;
    }

    /** Another upstream gets it, which may require something else. */
    void elsewhere() {
        http11 = false;
    }

    /** Whether its upstream has asked for HTTP/1.1. */
    boolean isHttp11Required() {
        return http11;
    }

    /** Where the body of a request goes that is sent for the first time; HTTP/2 may refuse it when it has begun. */
    StreamSinkConduit body(UpstreamStream to, boolean bodiless) {
        if (bodiless || !to.isHttp2()) {
            return to.requestBody();
        }
        body = new ResendableBody(to.requestBody());
        return body;
    }

    /** The request is to be sent again. */
    void refused() {
        if (body != null) {
            body.await();
        }
    }

    /** The request won't be sent again. */
    void ended() {
        if (body != null) {
            body.giveUp();
        }
    }

    /** The request was sent again: its body follows from the first byte. */
    void restart(UpstreamStream to) {
        if (body != null) {
            body.restart(to.requestBody());
        }
    }

    /** An upstream has answered: the request won't be sent again. */
    void answered() {
        if (body != null) {
            body.settle();
        }
    }
}
