package io.webproxy.undertow.pipeline;

import io.webproxy.route.FilterDecision;
import io.webproxy.route.RequestFilter;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import org.jspecify.annotations.Nullable;

/**
 * Runs the route's request filter, which may answer a request or change what is forwarded. Whatever it throws is logged
 * and answered with 500.
 */
final class Filtering implements Stage {
    @Override
    public boolean pass(Passage passage) throws Exception {
        Exchange exchange = passage.exchange();
        RequestFilter filter = exchange.route().filter().orElse(null);
        if (filter == null) {
            return true;
        }
        @Nullable FilterDecision decision;
        try {
            decision = filter.filter(exchange.head());
        } catch (Throwable e) {
            // Throwable: the client is waiting
            RouteAnswer.failed(exchange, "filter", e);
            return false;
        }
        if (decision != null && decision.later().isPresent()) {
            DecisionWait.<FilterDecision>on(
                    exchange,
                    decision.later().get(),
                    "The service didn't decide in time about this request.",
                    (made, failure) -> {
                        if (isToGoOn(exchange, made, failure)) {
                            passage.goOn();
                        }
                    });
            return false;
        }
        return isToGoOn(exchange, decision, null);
    }

    private static boolean isToGoOn(Exchange exchange, @Nullable FilterDecision decision, @Nullable Throwable failure) {
        if (decision == null || decision.later().isPresent()) {
            RouteAnswer.failed(
                    exchange,
                    "filter",
                    failure != null
                            ? failure
                            : new IllegalStateException(
                                    decision == null
                                            ? "it returned null in place of a decision"
                                            : "the stage of its later decision has brought another later one"));
            return false;
        }
        if (decision.answer().isPresent()) {
            exchange.planned(exchange.plan().withTags(decision.tags()));
            LocalAnswer.answer(exchange, decision.answer().get());
            return false;
        }
        exchange.planned(exchange.plan().with(decision));
        return true;
    }
}
