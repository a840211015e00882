package io.webproxy.undertow.http1;

import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.StatusCodes;
import io.webproxy.undertow.deadline.Reset;
import io.webproxy.undertow.exchange.ClientPresence;
import io.webproxy.undertow.exchange.ClientStream;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.HeadProblem;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;

/** The client's side of an exchange over HTTP/1.1. */
final class Http1Stream implements ClientStream {
    private final Exchange exchange;
    private final HttpServerExchange http;
    private final Http1Connection connection;
    private final @Nullable HeadProblem headProblem;
    private final boolean queryEmpty;
    private @Nullable Runnable whenGone;
    private @Nullable ClientPresence presence;
    private boolean halfClosed;
    private boolean closed;

    Http1Stream(Exchange exchange, Http1Connection connection, @Nullable HeadProblem headProblem, boolean queryEmpty) {
        this.exchange = exchange;
        this.http = exchange.http();
        this.connection = connection;
        this.headProblem = headProblem;
        this.queryEmpty = queryEmpty;
    }

    @Override
    public Exchange exchange() {
        return exchange;
    }

    @Override
    public @Nullable HeadProblem headProblem() {
        return headProblem;
    }

    @Override
    public boolean isQueryEmpty() {
        return queryEmpty;
    }

    @Override
    public boolean isLeaving() {
        return connection.receiver().isLeaving();
    }

    @Override
    public void interim(int status, String reason, HeaderMap fields) throws IOException {
        connection.interim(status, reason, fields, http);
    }

    @Override
    public void sending(long bytes) {
        // the socket itself reports when it is full
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
        if (closed || (exchange.isEnded() && !connection.isServing(http))) {
            // the connection is idle or serves another exchange, which has done nothing wrong
            return;
        }
        closed = true;
        exchange.closing();
        Reset.atClose(connection.getChannel());
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
        if (http.getStatusCode() != StatusCodes.REQUEST_TIME_OUT) {
            connection.linger(true, this::terminate);
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
            // the client has left
        }
        IoUtils.safeClose(connection);
        terminate();
    }

    @Override
    public void watchForAbort(Runnable onGone) {
        if (halfClosed || closed) {
            return;
        }
        whenGone = onGone;
        if (connection.receiver().isEnded()) {
            left(connection.receiver().isBroken());
            return;
        }
        connection.receiver().watch();
        if (!connection.receiver().isRead()) {
            if (presence == null) {
                presence = new ClientPresence();
            }
            presence.look(exchange, this::left);
        }
    }

    @Override
    public void unwatch() {
        whenGone = null;
    }

    /** The client has closed its direction, or, if {@code broken}, the connection. */
    void left(boolean broken) {
        Runnable listener = whenGone;
        if (listener == null) {
            return;
        }
        if (!broken && exchange.route().halfClose()) {
            halfClosed = true;
            exchange.closing();
        } else {
            whenGone = null;
            listener.run();
        }
    }
}
