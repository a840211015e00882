package io.webproxy.undertow.exchange;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.Options;

/** The client's side over HTTP/1.1. */
final class Http1Leg implements ClientStream {
    private final Exchange exchange;
    private final HttpServerExchange http;
    private final HttpServerConnection connection;
    private final @Nullable HeadGate gate;
    private @Nullable ClientWatch watch;
    private Runnable whenGone = () -> {};
    private boolean halfClosed;
    private boolean closed;

    Http1Leg(Exchange exchange, HttpServerConnection connection) {
        this.exchange = exchange;
        this.http = exchange.http();
        this.connection = connection;
        this.gate = connection.getOriginalSourceConduit() instanceof HeadGate found ? found : null;
        if (gate != null) {
            String method = gate.taken();
            if (method != null) {
                http.setRequestMethod(new HttpString(method));
            }
        }
        http.addExchangeCompleteListener((completed, next) -> {
            if (gate != null && !exchange.isHeld()) {
                if (http.isPersistent() || gate.isDetached()) {
                    nextHead(gate);
                } else if (!closed && connection.isOpen()) {
                    // the response is out: a client that closes at once hasn't left early
                    exchange.closing();
                    // the client may have sent more than this request
                    gate.linger(connection.getExtraBytes() != null, () -> {});
                }
            }
            next.proceed();
        });
    }

    private void nextHead(HeadGate before) {
        PooledByteBuffer early = connection.getExtraBytes();
        before.next(early);
        if (early != null && !early.getBuffer().hasRemaining()) {
            connection.setExtraBytes(null);
            early.close();
        }
    }

    @Override
    public @Nullable HeadProblem headProblem() {
        return gate == null ? null : gate.problem();
    }

    @Override
    public boolean isDetached() {
        return gate != null && gate.isDetached();
    }

    @Override
    public boolean isLeaving() {
        return gate != null && gate.isLeaving();
    }

    @Override
    public Exchange exchange() {
        return exchange;
    }

    @Override
    public void interim(int status, String reason, HeaderMap fields) throws IOException {
        OutOfBand.send(http, status, reason, fields, false);
    }

    @Override
    public void sending(long bytes) {
        // the socket says when it is full
    }

    @Override
    public boolean isWithoutWindow() {
        return false;
    }

    @Override
    public boolean isMultiplexed() {
        return false;
    }

    @Override
    public void abort() {
        if (closed) {
            return;
        }
        closed = true;
        exchange.closing();
        try {
            connection.getChannel().setOption(Options.CLOSE_ABORT, true);
        } catch (IOException | IllegalArgumentException e) {
            // a plain close is what is left
        }
        IoUtils.safeClose(connection);
        terminate();
    }

    private void terminate() {
        http.setPersistent(false);
        Connectors.terminateRequest(http);
        Connectors.terminateResponse(http);
        exchange.end();
    }

    @Override
    public void finishEarly() {
        if (closed) {
            return;
        }
        closed = true;
        // the response is out: a client that closes at once hasn't left early
        exchange.closing();
        unwatch();
        if (gate != null && http.getStatusCode() != StatusCodes.REQUEST_TIME_OUT) {
            gate.linger(true, this::terminate);
            exchange.end();
        } else {
            // a client that is too slow gets no more time
            exchange.end();
            finish();
        }
    }

    private void finish() {
        try {
            connection.getOriginalSinkConduit().terminateWrites();
            connection.getOriginalSinkConduit().flush();
        } catch (IOException e) {
            // it has gone
        }
        IoUtils.safeClose(connection);
        terminate();
    }

    @Override
    public void watchForAbort(Runnable onGone) {
        boolean isBodyRead = !http.isRequestComplete() && !http.isRequestChannelAvailable();
        if (halfClosed || closed || isBodyRead) {
            // the reader of a body finds the end by itself
            return;
        }
        whenGone = onGone;
        if (watch == null) {
            watch = new ClientWatch(connection, new Departure());
        }
        watch.start();
    }

    @Override
    public void unwatch() {
        if (watch != null) {
            watch.stop();
        }
    }

    /** What the end of the client's direction means. */
    private final class Departure implements ClientWatch.Listener {
        @Override
        public void ended() {
            halfClosed = exchange.route().halfClose();
            if (halfClosed) {
                exchange.closing();
            } else {
                whenGone.run();
            }
        }

        @Override
        public void broken() {
            whenGone.run();
        }
    }
}
