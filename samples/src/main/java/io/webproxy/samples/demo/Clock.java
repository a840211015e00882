package io.webproxy.samples.demo;

import io.undertow.Handlers;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.sse.ServerSentEventConnection;
import io.undertow.server.handlers.sse.ServerSentEventHandler;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.xnio.XnioIoThread;

/** Server-sent events with the time: at once, then once a second. */
final class Clock {
    private final ServerSentEventHandler listeners =
            Handlers.serverSentEvents((connection, lastEventId) -> connection.send(now()));
    private volatile boolean ended;

    void tickOn(XnioIoThread thread) {
        try {
            thread.executeAfter(() -> tick(thread), 1, TimeUnit.SECONDS);
        } catch (RejectedExecutionException e) {
            // the demo is closing; at an interval, XNIO would log that as an error
        }
    }

    private void tick(XnioIoThread thread) {
        try {
            listeners.getConnections().forEach(connection -> connection.send(now()));
        } finally {
            tickOn(thread);
        }
    }

    HttpHandler handler() {
        return exchange -> {
            if (ended) {
                // the only status that keeps an EventSource from trying again
                exchange.setStatusCode(204).endExchange();
            } else if (Reply.allowsReading(exchange)) {
                listeners.handleRequest(exchange);
            }
        };
    }

    void end() {
        ended = true;
        listeners.getConnections().forEach(ServerSentEventConnection::shutdown);
    }

    private static String now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
    }
}
