package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpHandler;
import io.undertow.util.Headers;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Access;
import io.webproxy.route.RateLimit;
import io.webproxy.route.Route;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a request must pass once its route is known: addresses, rate, length of the body, authentication. Thread-safe. */
final class Admission {
    private static final Logger LOG = LoggerFactory.getLogger(Admission.class);

    private final RouteAnswer next;

    /** In front of this forwarder. */
    Admission(HttpHandler forwarder) {
        this.next = new RouteAnswer(forwarder);
    }

    /** Lets a request whose route is known go on, or answers it. */
    void admit(Exchange exchange, Settings now) throws Exception {
        Access access = exchange.route().access();
        if (!access.permits(exchange.head().clientAddress())) {
            LocalAnswer.send(exchange, 403, "Access from this address is denied.", Map.of());
            return;
        }
        RateLimit rate = access.rateLimit().orElse(null);
        if (rate != null && isTooOften(exchange, now.rates(), rate)) {
            return;
        }
        long limit = access.requestBodyBytes().orElse(now.limits().requestBodyBytes());
        String length = exchange.http().getRequestHeaders().getFirst(Headers.CONTENT_LENGTH);
        if (limit > 0 && length != null && Long.parseLong(length) > limit) {
            LocalAnswer.reject(exchange, 413, "The request body is above " + limit + " bytes.");
            return;
        }
        Authenticator authenticator =
                access.ownAuthenticator() ? access.authenticator().orElse(null) : now.authenticator();
        exchange.unusualNamesPass(!now.unusualNamesDropped() && mayHaveUnusualNames(exchange.route(), authenticator));
        if (authenticator == null) {
            next.handle(exchange, now.limits());
        } else {
            authenticate(exchange, authenticator, now);
        }
    }

    /** Code that isn't the proxy's may rely on a name that a server reads another one for; what it doesn't know it can't check. */
    private static boolean mayHaveUnusualNames(Route route, @Nullable Authenticator authenticator) {
        return route.allowsUnderscores()
                || (route.filter().isEmpty() && (authenticator == null || authenticator instanceof BasicAuth));
    }

    private static boolean isTooOften(Exchange exchange, RateLimiter rates, RateLimit rate) {
        long now = exchange.shared().nanoClock().getAsLong();
        long wait = rates.take(exchange.route(), rate, exchange.head().clientAddress(), now);
        if (wait == 0) {
            return false;
        }
        exchange.failed(ForwardError.REQUEST_REJECTED);
        long seconds = TimeUnit.NANOSECONDS.toSeconds(wait + TimeUnit.SECONDS.toNanos(1) - 1);
        LocalAnswer.send(
                exchange, 429, "Too many requests: try again later.", Map.of("Retry-After", List.of(seconds + "")));
        return true;
    }

    private void authenticate(Exchange exchange, Authenticator authenticator, Settings now) throws Exception {
        CompletionStage<AuthDecision> stage;
        try {
            stage = authenticator.authenticate(exchange.head());
        } catch (Throwable e) {
            stage = CompletableFuture.failedFuture(e);
        }
        DecisionWait.<AuthDecision>on(
                exchange,
                stage,
                "The proxy couldn't check in time who you are.",
                (decision, failure) -> decided(exchange, authenticator, decision, failure, now));
    }

    private void decided(
            Exchange exchange,
            Authenticator authenticator,
            @Nullable AuthDecision decision,
            @Nullable Throwable failure,
            Settings now)
            throws Exception {
        if (decision instanceof AuthDecision.Granted granted) {
            exchange.authenticated(granted.user(), authenticator.forwardsCredentials());
            next.handle(exchange, now.limits());
        } else if (decision instanceof AuthDecision.Denied denied) {
            LocalAnswer.send(
                    exchange,
                    denied.status(),
                    denied.status() == 401 ? "User and password are needed." : "Access is denied for now.",
                    denied.headers());
        } else {
            LOG.error("The authenticator failed", failure);
            exchange.failed(ForwardError.APPLICATION_FAILED);
            LocalAnswer.send(exchange, 500, "The proxy can't check who you are.", Map.of());
        }
    }
}
