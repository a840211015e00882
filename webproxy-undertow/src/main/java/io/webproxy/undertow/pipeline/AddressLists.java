package io.webproxy.undertow.pipeline;

import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.Map;

/** Refuses clients whose addresses the route doesn't permit. */
final class AddressLists implements Stage {
    @Override
    public boolean pass(Passage passage) {
        Exchange exchange = passage.exchange();
        if (exchange.route().access().permits(exchange.head().clientAddress())) {
            return true;
        }
        LocalAnswer.send(exchange, 403, "Access from this address is denied.", Map.of());
        return false;
    }
}
