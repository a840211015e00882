package io.webproxy.undertow.forward;

import io.webproxy.http.Answer;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends an exchange that has no final response head yet. Each method sets the {@link ForwardError}, releases the
 * upstream, and then answers the client if that still makes sense. It doesn't tell the proxy handler: its answers would
 * wait for the request body.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
final class EarlyEnd {
    private static final Logger LOG = LoggerFactory.getLogger(EarlyEnd.class);

    private final Exchange exchange;
    private final Facade facade;
    private final OutboundRequest request;

    EarlyEnd(Exchange exchange, Facade facade, OutboundRequest request) {
        this.exchange = exchange;
        this.facade = facade;
        this.request = request;
    }

    /** No upstream is available, or the chosen one won't answer. */
    void answer(ForwardError error, String detail) {
        LOG.debug("{}: {} ({})", exchange, error, detail);
        exchange.failed(error);
        letGo();
        LocalAnswer.Failure failure = LocalAnswer.failureOf(error);
        if (failure == null) {
            exchange.client().abort();
        } else {
            LocalAnswer.send(exchange, failure.status(), failure.text(), failure.fields());
        }
    }

    /** The application answers in place of the upstream, whose response was discarded. */
    void answer(Answer answer) {
        letGo();
        LocalAnswer.answer(exchange, answer);
    }

    /** Code of the application failed that decides how the request is forwarded. */
    void applicationFailed() {
        exchange.failed(ForwardError.APPLICATION_FAILED);
        letGo();
        LocalAnswer.send(exchange, 500, "The proxy failed.", Map.of());
    }

    /** The request can't be forwarded as it is. */
    void refuse(int status, String why) {
        letGo();
        LocalAnswer.reject(exchange, status, why);
    }

    /** The request authenticates a connection, which HTTP/2 doesn't reserve for it. */
    void requireHttp11() {
        LOG.debug("{}: logs a connection in, which needs HTTP/1.1", exchange);
        exchange.failed(ForwardError.REQUEST_REJECTED);
        exchange.recordStatus(505);
        letGo();
        exchange.client().requireHttp11();
    }

    /** The client has left: only the record remains. */
    void clientGone() {
        exchange.failed(ForwardError.CLIENT_ABORTED);
        exchange.recordStatus(499);
        abort();
    }

    /** The proxy can't continue: a gRPC call ends with the status for this HTTP status. */
    void breakOff(int as, String detail) {
        letGo();
        exchange.breakOff(as, detail);
    }

    /** Aborts the exchange. */
    void abort() {
        letGo();
        exchange.client().abort();
    }

    private void letGo() {
        facade.shut();
        // whatever it throws: the client is waiting
        Guard.run("leaving an upstream", () -> {
            request.giveUp();
            exchange.upstream().leave();
        });
    }
}
