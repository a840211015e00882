package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpHandler;
import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.http.StatusPage;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Route;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import io.webproxy.undertow.exchange.MaxForwards;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last stage: the route answers itself, redirects or forwards. Whatever the application's code throws is logged and
 * answered with 500.
 */
record RouteAnswer(HttpHandler forwarder, StatusAnswer status) implements Stage {
    private static final Logger LOG = LoggerFactory.getLogger(RouteAnswer.class);

    @Override
    public boolean pass(Passage passage) throws Exception {
        Exchange exchange = passage.exchange();
        Route route = exchange.route();
        if (!route.upstreams().isEmpty() || exchange.plan().onlyUpstream() != null) {
            forward(passage);
            return false;
        }
        StatusPage page = route.statusPage().orElse(null);
        if (page != null) {
            status(exchange, page);
            return false;
        }
        String base = route.redirect().orElse(null);
        if (base != null) {
            Redirect.send(exchange, base, 308);
        } else {
            answer(exchange, route.answer().orElseThrow());
        }
        return false;
    }

    private void status(Exchange exchange, StatusPage page) throws Exception {
        CompletionStage<Answer> made = status.answer(exchange, page);
        if (made != null) {
            DecisionWait.<Answer>on(exchange, made, "The status wasn't there in time.", (answer, failure) -> {
                if (answer == null) {
                    LOG.debug("No status", failure);
                    LocalAnswer.send(exchange, 503, "The status can't be read now.", Map.of());
                } else {
                    LocalAnswer.answer(exchange, answer);
                }
            });
        }
    }

    private void forward(Passage passage) throws Exception {
        Exchange exchange = passage.exchange();
        if (MaxForwards.isMalformed(exchange.http())) {
            LocalAnswer.reject(exchange, 400, "Max-Forwards isn't one number.");
        } else if (MaxForwards.isSpent(exchange.http())) {
            LocalAnswer.answer(exchange, Answer.of(204).withHeader("Allow", RequestGuard.ALLOWED));
        } else {
            RequestBody.install(exchange, passage.settings().limits());
            forwarder.handleRequest(exchange.http());
        }
    }

    private static void answer(Exchange exchange, Function<RequestHead, Answer> function) {
        Answer answer;
        try {
            answer = function.apply(exchange.head());
        } catch (Throwable e) {
            // Throwable: the client is waiting
            failed(exchange, "answer", e);
            return;
        }
        if (answer == null) {
            failed(exchange, "answer", new NullPointerException("it is null"));
        } else {
            LocalAnswer.answer(exchange, answer);
        }
    }

    /** The application's code failed; {@code what} names it in the log. */
    static void failed(Exchange exchange, String what, Throwable why) {
        LOG.error(
                "The {} of route {} failed; {}",
                what,
                exchange.route().name(),
                ForwardError.APPLICATION_FAILED.advice(),
                why);
        exchange.failed(ForwardError.APPLICATION_FAILED);
        LocalAnswer.send(exchange, 500, "The service failed to handle this request.", Map.of());
    }
}
