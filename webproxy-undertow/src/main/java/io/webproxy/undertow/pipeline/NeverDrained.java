package io.webproxy.undertow.pipeline;

import io.undertow.server.DefaultResponseListener;
import io.undertow.server.HttpServerExchange;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.Map;
import org.xnio.IoUtils;

/**
 * Answers exchanges that no handler has answered, because it threw or returned without an answer. Undertow (2.4.4)
 * would read the request body to its end first, however long the client takes. Canary:
 * {@code UndertowDefectsTest.endingAnExchangeWaitsForTheRequestBody}.
 */
final class NeverDrained implements DefaultResponseListener {
    /** The only instance. */
    static final NeverDrained INSTANCE = new NeverDrained();

    private NeverDrained() {}

    @Override
    public boolean handleDefaultResponse(HttpServerExchange http) {
        boolean threw = http.getAttachment(EXCEPTION) != null && !http.isResponseStarted();
        if (!http.getConnection().isOpen() || (http.isRequestComplete() && !threw)) {
            return false;
        }
        // each call removes the listener
        http.addDefaultResponseListener(this);
        Exchange exchange = Exchange.find(http);
        if (http.isResponseComplete()) {
            // whoever answered takes care of the rest
            return true;
        }
        if (exchange == null) {
            IoUtils.safeClose(http.getConnection());
        } else if (http.isResponseStarted() || exchange.isEnded()) {
            exchange.client().abort();
        } else {
            exchange.failed(ForwardError.APPLICATION_FAILED);
            LocalAnswer.send(exchange, 500, "The server failed to handle this request.", Map.of());
        }
        return true;
    }
}
