package io.webproxy.undertow.forward;

import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How an exchange ends that has had no final response head. Each way says who has failed, by a {@link ForwardError},
 * lets the upstream go, and then tells the client, by an answer of the proxy's own where that is still of use. The
 * proxy handler isn't told: its answers would wait for the request body.
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

    /** No upstream can be asked, or the one that was asked won't answer. */
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

    /** The application has failed, which has a say in how the request is forwarded. */
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

    /** The request logs a connection in: it needs one of its own, which HTTP/2 doesn't give it. */
    void requireHttp11() {
        LOG.debug("{}: logs a connection in, which needs HTTP/1.1", exchange);
        exchange.failed(ForwardError.REQUEST_REJECTED);
        exchange.recordStatus(505);
        letGo();
        exchange.client().requireHttp11();
    }

    /** The client has gone: there's only the record to tell. */
    void clientGone() {
        exchange.failed(ForwardError.CLIENT_ABORTED);
        exchange.recordStatus(499);
        abort();
    }

    /** The proxy can't go on with it: a gRPC call is told why, as of HTTP's status. */
    void breakOff(int as, String detail) {
        letGo();
        exchange.breakOff(as, detail);
    }

    /** It is over, whatever the client makes of that. */
    void abort() {
        letGo();
        exchange.client().abort();
    }

    private void letGo() {
        facade.shut();
        request.giveUp();
        exchange.upstream().leave();
    }
}
