package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpHandler;
import io.webproxy.http.Answer;
import io.webproxy.http.HttpLimits;
import io.webproxy.http.RequestHead;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.RequestFilter;
import io.webproxy.route.Route;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import io.webproxy.undertow.exchange.MaxForwards;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a route answers a request that was let in: the application's filter has its say, then the route answers itself, redirects or forwards.
 *
 * <p>Whatever the application's code throws is logged and answered with 500. Thread-safe.
 */
final class RouteAnswer {
    private static final Logger LOG = LoggerFactory.getLogger(RouteAnswer.class);

    private final HttpHandler forwarder;

    RouteAnswer(HttpHandler forwarder) {
        this.forwarder = forwarder;
    }

    void handle(Exchange exchange, HttpLimits limits) throws Exception {
        RequestFilter filter = exchange.route().filter().orElse(null);
        if (filter == null) {
            serve(exchange, limits);
            return;
        }
        FilterDecision decision;
        try {
            decision = filter.filter(exchange.head());
        } catch (Throwable e) {
            // whatever it is: the client is waiting
            failed(exchange, "filter", e);
            return;
        }
        if (decision instanceof FilterDecision.Later later) {
            DecisionWait.<FilterDecision>on(
                    exchange,
                    later.stage(),
                    "The service didn't decide in time about this request.",
                    (made, failure) -> decided(exchange, made, failure, limits));
        } else {
            decided(exchange, decision, null, limits);
        }
    }

    private void decided(
            Exchange exchange, @Nullable FilterDecision decision, @Nullable Throwable failure, HttpLimits limits)
            throws Exception {
        if (decision instanceof FilterDecision.Answered answered) {
            exchange.tagged(answered.tags());
            LocalAnswer.answer(exchange, answered.answer());
        } else if (decision instanceof FilterDecision.Proceed proceed) {
            exchange.tagged(proceed.tags());
            exchange.rewritten(proceed.path().orElse(null), proceed.headers());
            proceed.upstream().ifPresent(exchange::onlyUpstream);
            serve(exchange, limits);
        } else {
            failed(
                    exchange,
                    "filter",
                    failure != null
                            ? failure
                            : new IllegalStateException("it decided " + (decision == null ? "null" : "later, twice")));
        }
    }

    private void serve(Exchange exchange, HttpLimits limits) throws Exception {
        Route route = exchange.route();
        if (!route.upstreams().isEmpty() || exchange.onlyUpstream() != null) {
            if (MaxForwards.isMalformed(exchange.http())) {
                LocalAnswer.reject(exchange, 400, "Max-Forwards isn't one number.");
                return;
            }
            if (MaxForwards.isSpent(exchange.http())) {
                LocalAnswer.answer(exchange, Answer.of(204).header("Allow", RequestGuard.ALLOWED));
                return;
            }
            RequestBody.install(exchange, limits);
            forwarder.handleRequest(exchange.http());
            return;
        }
        String base = route.redirect().orElse(null);
        if (base != null) {
            Redirect.send(exchange, base, 308);
        } else {
            answer(exchange, route.answer().orElseThrow());
        }
    }

    private static void answer(Exchange exchange, Function<RequestHead, Answer> function) {
        Answer answer;
        try {
            answer = function.apply(exchange.head());
        } catch (Throwable e) {
            // whatever it is: the client is waiting
            failed(exchange, "answer", e);
            return;
        }
        if (answer == null) {
            failed(exchange, "answer", new NullPointerException("it is null"));
        } else {
            LocalAnswer.answer(exchange, answer);
        }
    }

    private static void failed(Exchange exchange, String what, Throwable why) {
        LOG.error("The {} of route {} failed", what, exchange.route().name(), why);
        exchange.failed(ForwardError.APPLICATION_FAILED);
        LocalAnswer.send(exchange, 500, "The service failed to handle this request.", Map.of());
    }
}
