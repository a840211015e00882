package io.webproxy.undertow.http2;

import io.undertow.server.Connectors;
import io.undertow.util.HeaderMap;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.exchange.ClientStream;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.HeadProblem;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The client's side of an exchange over HTTP/2. Not thread-safe: it belongs to the connection's IO thread. */
final class Http2ClientStream implements ClientStream {
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final HeadProblem UNKNOWN_PROTOCOL =
            new HeadProblem(501, "Only websocket can be opened by extended CONNECT.");

    private final Exchange exchange;
    private final Http2Stream stream;
    private final Http2Connection connection;
    private @Nullable Linger linger;
    private @Nullable Runnable onGone;
    private @Nullable CompletableFuture<Boolean> end;
    private boolean closed;
    private boolean gone;

    Http2ClientStream(Exchange exchange, Http2Stream stream) {
        this.exchange = exchange;
        this.stream = stream;
        this.connection = stream.connection();
        exchange.http().addExchangeCompleteListener((completed, next) -> {
            completed();
            next.proceed();
        });
    }

    private void completed() {
        if (exchange.isHeld()) {
            return;
        }
        if (!closed && !connection.isOpen(stream)) {
            exchange.clientLost();
        }
        connection.completed(stream);
        if (linger != null) {
            connection.sweeper().forget(linger);
        }
    }

    @Override
    public Exchange exchange() {
        return exchange;
    }

    @Override
    public @Nullable HeadProblem headProblem() {
        String protocol = stream.protocol();
        return protocol == null || protocol.equals("websocket") ? null : UNKNOWN_PROTOCOL;
    }

    @Override
    public boolean isQueryEmpty() {
        return stream.isQueryEmpty();
    }

    @Override
    public boolean isTunnelRequest() {
        return stream.isTunnelRequest();
    }

    @Override
    public void interim(int status, String reason, HeaderMap fields) {
        if (connection.isOpen(stream)) {
            connection.heads().encode(status, fields);
            connection.sender().block(stream.id(), false);
        }
    }

    @Override
    public void sending(long bytes) {
        // the output counts the bytes that it sends
    }

    @Override
    public boolean isBodyDropped() {
        return stream.sink().isBodiless();
    }

    @Override
    public boolean isWithoutWindow() {
        return false;
    }

    @Override
    public boolean isLeaving() {
        return connection.isLeaving();
    }

    @Override
    public boolean isMultiplexed() {
        return true;
    }

    @Override
    public boolean isRequestWhole() {
        return stream.isTunnelRequest() || stream.source().isEnded();
    }

    @Override
    public @Nullable CompletionStage<Boolean> endOfEmptyRequest() {
        if (end == null && !isRequestWhole() && exchange.http().getRequestContentLength() == 0) {
            end = new CompletableFuture<>();
        }
        return end;
    }

    /** The request has ended. */
    void requestEnds() {
        if (end != null) {
            end.complete(true);
        }
    }

    @Override
    public void abort() {
        close(ErrorCode.INTERNAL_ERROR);
    }

    @Override
    public boolean endCall(HeaderMap trailers) {
        if (closed || !connection.isOpen(stream) || !stream.sink().endCall(trailers)) {
            return false;
        }
        closed = true;
        // the rest of the request isn't read: the stream is reset without an error (RFC 9113 section 8.1)
        Connectors.terminateRequest(exchange.http());
        Connectors.terminateResponse(exchange.http());
        exchange.end();
        return true;
    }

    @Override
    public void requireHttp11() {
        close(ErrorCode.HTTP_1_1_REQUIRED);
    }

    @Override
    public void finishEarly() {
        exchange.end();
        stream.source().discard();
        if (!exchange.http().isRequestComplete()) {
            linger = new Linger();
            connection.sweeper().watch(linger);
        }
    }

    /** Resets the stream, unless that was done, and ends the exchange. */
    void close(int code) {
        if (closed) {
            return;
        }
        closed = true;
        if (linger != null) {
            connection.sweeper().forget(linger);
        }
        connection.reset(stream, code);
        Connectors.terminateRequest(exchange.http());
        Connectors.terminateResponse(exchange.http());
        exchange.end();
    }

    /** The stream was reset, or its connection has ended. */
    void gone() {
        gone = true;
        Runnable listener = onGone;
        if (listener != null && !exchange.isEnded()) {
            onGone = null;
            listener.run();
        }
    }

    @Override
    public void watchForAbort(Runnable listener) {
        onGone = listener;
        if (gone) {
            gone();
        }
    }

    @Override
    public void unwatch() {
        // a reset is an abort in every phase
    }

    /**
     * A complete response whose request isn't complete: discards what the client sends for at most 2 s, then resets the
     * stream without an error.
     */
    private final class Linger extends Watched {
        private final long deadline = connection.sweeper().now() + LINGER_NANOS;

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void expired(long now) {
            close(ErrorCode.NO_ERROR);
        }

        @Override
        protected void cut() {
            close(ErrorCode.NO_ERROR);
        }
    }
}
