package io.webproxy.undertow.forward;

import io.undertow.server.ConduitWrapper;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.ConduitFactory;
import io.undertow.util.HeaderMap;
import io.webproxy.observe.ForwardError;
import io.webproxy.spi.HeaderEdit;
import io.webproxy.undertow.exchange.BrokenOff;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Expiry;
import io.webproxy.undertow.exchange.GrpcCall;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.ResponseListener;
import io.webproxy.undertow.upstream.UpstreamStream;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.conduits.StreamSinkConduit;

/**
 * Relays a response from an upstream to the client. It takes over from {@link ForwardExchange} at the final response
 * head, and then handles events of the response body, the limits and the client. Any failure now cuts the response: the
 * client may have its head, so neither an answer nor a retry is possible.
 *
 * <p>It holds the upstream's stream until the response is complete; then the stream returns to the pool, even if the
 * client hasn't read everything yet. Not thread-safe: it belongs to the exchange's IO thread.
 */
final class ResponseRelay implements ResponseListener, Expiry, ClientSink.Listener, ConduitWrapper<StreamSinkConduit> {
    private static final Logger LOG = LoggerFactory.getLogger(ResponseRelay.class);

    private final Exchange exchange;
    private final Facade facade;
    private final OutboundRequest request;
    private final PassiveHealth health;
    private final Runnable onClientGone;
    /** Null once the response is complete. */
    private @Nullable UpstreamStream upstream;

    private @Nullable SseHeartbeat heartbeat;
    private @Nullable EventLines events;
    /** Null until the proxy handler moves the body. */
    private @Nullable ClientSink sink;

    /** For an exchange whose response has begun; {@code onClientGone} must call {@link #clientGone}. */
    ResponseRelay(
            Exchange exchange, Facade facade, OutboundRequest request, PassiveHealth health, Runnable onClientGone) {
        this.exchange = exchange;
        this.facade = facade;
        this.request = request;
        this.health = health;
        this.onClientGone = onClientGone;
    }

    /**
     * Takes over the exchange, and lets the proxy handler send the head and move the body.
     *
     * @param head with prepared fields
     * @param from the response's stream, which belongs to the relay from now on
     * @param edits changes of the fields by the response filter
     * @param cookie the proxy's own; null for none
     */
    void start(ParsedHead head, UpstreamStream from, List<HeaderEdit> edits, @Nullable SessionCookie cookie) {
        upstream = from;
        GrpcCall call = exchange.grpc();
        if (call != null) {
            call.ended(head.fields());
        }
        facade.setResponse(head, ClientHead.complete(exchange, head, edits, cookie), from.responseBody(this));
        HttpServerExchange http = exchange.http();
        if (!http.isRequestComplete() || exchange.client().isLeaving()) {
            http.setPersistent(false);
        }
        heartbeat = SseHeartbeat.of(exchange, head);
        if (!exchange.limits().policy().eventSilence().isZero() && EventLines.canFollow(exchange, head)) {
            events = new EventLines();
            exchange.limits().limitEventSilence();
        }
        http.addResponseWrapper(this);
        exchange.limits().handOver(this);
        facade.respond();
    }

    @Override
    public StreamSinkConduit wrap(ConduitFactory<StreamSinkConduit> factory, HttpServerExchange http) {
        ClientSink made = ClientSink.over(factory.create(), exchange, this, heartbeat, events);
        sink = made;
        return made;
    }

    /** Whether the upstream has sent all of it. */
    boolean isComplete() {
        return upstream == null;
    }

    // --- the upstream ---

    @Override
    public void responseBytes(long bytes) {
        exchange.limits().activity();
    }

    @Override
    public void responsePaused() {
        if (sink != null) {
            sink.pause();
        }
    }

    @Override
    public void responseEnded(HeaderMap trailers) {
        upstream = null;
        health.completed(trailers);
        if (trailers.size() > 0) {
            facade.putAttachment(
                    HttpAttachments.REQUEST_TRAILERS,
                    exchange.grpc() == null ? FieldRules.allowedTrailers(trailers) : FieldRules.metadata(trailers));
        }
    }

    @Override
    public void responseBroken(String detail) {
        LOG.debug("{}: {}", exchange, detail);
        GrpcCall call = exchange.grpc();
        if (call != null && upstream != null) {
            call.reset(upstream.resetCode(), exchange.age());
        }
        health.brokeOff(detail);
        breakOff(ForwardError.RESPONSE_BODY_TRUNCATED, 502, "The service after this proxy broke off its answer.");
    }

    // --- the client ---

    @Override
    public void clientGone() {
        if (facade.isOpen()) {
            exchange.failed(ForwardError.CLIENT_ABORTED);
            end(exchange.client()::abort);
        }
    }

    @Override
    public void answeredEarly() {
        if (facade.isOpen()) {
            facade.shut();
            exchange.client().finishEarly();
        }
    }

    @Override
    public void requestBroken(int with, String detail) {
        if (facade.isOpen()) {
            LOG.debug("{}: {}", exchange, detail);
            breakOff(ForwardError.REQUEST_REJECTED, with, "The request is refused: " + detail + ".");
        }
    }

    // --- the clock and the server ---

    @Override
    public void idle() {
        breakOff(ForwardError.RESPONSE_BODY_IDLE, 504, "Both sides were silent for too long.");
    }

    @Override
    public void overdue() {
        breakOff(ForwardError.TOTAL_TIMEOUT, 504, "The time for the whole exchange ran out.");
    }

    @Override
    public void lasting(long now) {
        if (facade.isOpen()) {
            exchange.client().watchForAbort(onClientGone);
        }
        if (facade.isOpen() && sink != null) {
            sink.lasting(now);
        }
    }

    @Override
    public void cut() {
        breakOff(503, "The proxy ends.");
    }

    @Override
    public void ended() {
        if (upstream != null || (sink != null && !sink.isTerminated())) {
            end(exchange.client()::abort);
        }
        request.giveUp();
    }

    // --- cuts ---

    private void breakOff(ForwardError error, int as, String detail) {
        if (facade.isOpen()) {
            exchange.failed(error);
            breakOff(as, detail);
        }
    }

    /**
     * The response can't be completed: a gRPC response ends with the gRPC status for this HTTP status if its stream can
     * still carry that.
     */
    void breakOff(int as, String detail) {
        boolean ofHttp = exchange.grpc() != null && !health.isOfGrpc();
        end(ofHttp ? exchange.client()::abort : () -> exchange.breakOff(as, detail));
    }

    /** Ends both sides at once; makes the transfers throw, so that they free their buffers. */
    private void end(Runnable client) {
        if (!facade.isOpen()) {
            return;
        }
        facade.shut();
        if (sink != null) {
            sink.fail(new BrokenOff("the exchange was aborted"));
        }
        UpstreamStream used = upstream;
        upstream = null;
        if (used != null) {
            used.abort();
        } else {
            // the upstream's side of the body is complete, and bytes may wait in a transfer
            facade.wakeReads();
        }
        client.run();
    }
}
