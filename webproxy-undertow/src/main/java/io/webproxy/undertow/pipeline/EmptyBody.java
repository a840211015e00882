package io.webproxy.undertow.pipeline;

import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.exchange.Exchange;
import java.util.concurrent.CompletionStage;

/** Waits for the end of a request without a body if that comes after its head. */
final class EmptyBody implements Stage {
    private static final DecisionWait.Late LATE =
            new DecisionWait.Late(408, "The end of the request didn't come in time.", ForwardError.REQUEST_REJECTED);

    @Override
    public boolean pass(Passage passage) throws Exception {
        Exchange exchange = passage.exchange();
        CompletionStage<Boolean> end = exchange.client().endOfEmptyRequest();
        if (end == null) {
            return true;
        }
        DecisionWait.<Boolean>on(exchange, end, LATE, (ended, failure) -> passage.goOn());
        return false;
    }
}
