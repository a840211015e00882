package io.webproxy.undertow.forward;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.webproxy.route.Upstream;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.GrpcCall;
import io.webproxy.undertow.message.MethodNames;
import io.webproxy.undertow.upstream.HeadWriter;
import io.webproxy.undertow.upstream.RequestHead;
import io.webproxy.undertow.upstream.UnwritableException;
import io.webproxy.undertow.upstream.UpstreamListener;
import io.webproxy.undertow.upstream.UpstreamStream;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.StreamSinkConduit;

/**
 * A request as it is sent to an upstream. It uses one stream at a time: the head is written for each upstream, then the
 * body follows. The body can be sent again on another stream as long as all of it is buffered.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class OutboundRequest implements RequestHead, Supplier<@Nullable HeaderMap> {
    private final Exchange exchange;
    private final Facade facade;
    private final ConnectionLogin login;

    private @Nullable OutboundHead head;
    /** The stream in use; null before, and after it is answered or given up. */
    private @Nullable UpstreamStream stream;

    private @Nullable Upstream upstream;
    private @Nullable ResendableBody body;
    /** How much of its body is kept for another attempt after an answer; 0 for nothing. */
    private int keptBytes;

    /** The request of an exchange; {@code facade} is told where its body goes. */
    OutboundRequest(Exchange exchange, Facade facade, ConnectionLogin login) {
        this.exchange = exchange;
        this.facade = facade;
        this.login = login;
    }

    /**
     * Prepares the head.
     *
     * @param ownCookie the name of the proxy's own cookie; null for none
     * @throws UnwritableException if the route's changes lead to an invalid path
     */
    void prepare(@Nullable String ownCookie) {
        head = new OutboundHead(exchange, ownCookie);
    }

    private OutboundHead head() {
        return Objects.requireNonNull(head, "head");
    }

    /** The protocol that it asks to switch to; null for none. */
    @Nullable Upgrade upgrade() {
        return head().upgrade();
    }

    /** What the upstream calls its own; null if the route rewrites no locations. */
    @Nullable Locations locations() {
        return head().locations();
    }

    /** Whether it has no body. */
    boolean isBodiless() {
        return head().requestFraming().isNone();
    }

    /** Keeps a body up to this length, because it may be sent again. */
    void keepBody(int most) {
        keptBytes = head().requestFraming().length() > most ? 0 : most;
    }

    /** The stream in use; null if there is none, or another class has taken it over. */
    @Nullable UpstreamStream stream() {
        return stream;
    }

    /** Whether an upstream has received all of it. */
    boolean isSent() {
        return stream != null && exchange.http().isRequestComplete();
    }

    /** Whether the upstream has taken all of the body received so far, and more is to come. */
    boolean isAwaitingBody() {
        return stream != null && stream.isAwaitingBody() && !exchange.http().isRequestComplete();
    }

    /**
     * Sends the request to an upstream.
     *
     * @param who is told about the response or failure
     * @throws UnwritableException if the upstream's protocol can't carry it
     */
    void send(UpstreamStream on, Upstream to, UpstreamListener who) {
        stream = on;
        upstream = to;
        HttpServerExchange http = exchange.http();
        try {
            on.exchange(who, this, head().requestFraming(), MethodNames.isHead(http.getRequestMethod()), this);
        } catch (UnwritableException e) {
            stream = null;
            on.close();
            throw e;
        }
        if (!facade.isOpen() || stream != on) {
            return;
        }
        if (!facade.isSending()) {
            facade.send(body(on));
        } else if (body != null) {
            // from its first byte
            body.restart(on.requestBody());
        }
    }

    /**
     * The sink for the body that is sent for the first time; over HTTP/2 the upstream may refuse the request after its
     * start, and on some routes an answer may lead to another attempt.
     */
    private StreamSinkConduit body(UpstreamStream on) {
        if (isBodiless() || (keptBytes == 0 && !on.isHttp2())) {
            return on.requestBody();
        }
        body = new ResendableBody(
                on.requestBody(),
                Math.max(keptBytes, ResendableBody.LEAST),
                exchange.shared().replays());
        return body;
    }

    @Override
    public void writeTo(HeadWriter out) {
        OutboundHead written = head();
        written.writeTo(out, Objects.requireNonNull(upstream, "upstream"));
        if (written.isLogin()) {
            login.begins(Objects.requireNonNull(stream, "stream"));
        }
    }

    /** The trailers, once the body has ended; null for none. */
    @Override
    public @Nullable HeaderMap get() {
        return head().trailers(facade.getAttachment(HttpAttachments.RESPONSE_TRAILERS));
    }

    /** Whether all of it could be sent again. */
    boolean isRepeatable() {
        return isBodiless() || (body != null && body.isWhole());
    }

    /** Whether all of it could be sent again, and its body so far isn't longer than this. */
    boolean isRepeatable(int most) {
        return isBodiless() || (body != null && body.isWhole() && body.length() <= most);
    }

    /** Whether the bytes that are sent now were sent before. */
    boolean isReplaying() {
        return body != null && body.isReplaying();
    }

    /** It will be sent again; takes no more of its body until then. */
    void await() {
        if (body != null) {
            body.await();
        }
    }

    /** The stream failed and is over. The reset's code tells a gRPC client more than a bare failure. */
    @Nullable UpstreamStream lost() {
        UpstreamStream by = stream;
        stream = null;
        GrpcCall call = exchange.grpc();
        if (call != null && by != null) {
            call.reset(by.resetCode(), exchange.age());
        }
        return by;
    }

    /** The response on this stream waits for a decision, and ends with the request. */
    void answeredBy(UpstreamStream by) {
        stream = by;
    }

    /** The response has begun: the request won't be sent again, and the stream belongs to the response. */
    void settled() {
        stream = null;
        if (body != null) {
            body.settle();
        }
    }

    /** It won't be sent again, and needs no answer. */
    void giveUp() {
        if (body != null) {
            body.giveUp();
        }
        UpstreamStream used = stream;
        stream = null;
        if (used != null) {
            used.abort();
        }
    }
}
