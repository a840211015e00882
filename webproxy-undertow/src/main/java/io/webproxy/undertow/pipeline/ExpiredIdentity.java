package io.webproxy.undertow.pipeline;

import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;

/** Refuses requests of clients whose certificate has expired. */
final class ExpiredIdentity implements Stage {
    @Override
    public boolean pass(Passage passage) {
        Exchange exchange = passage.exchange();
        if (exchange.peer().identity().isExpired()) {
            LocalAnswer.reject(exchange, 403, "The client certificate has expired.");
            return false;
        }
        return true;
    }
}
