package io.webproxy.undertow.pipeline;

import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Route;
import io.webproxy.spi.Access;
import io.webproxy.spi.IdentityField;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the authenticator of the route, or else of the server. A preflight that passes without has neither credentials
 * nor unusual names, which upstreams may read as others.
 */
final class Authentication implements Stage {
    private static final Logger LOG = LoggerFactory.getLogger(Authentication.class);
    private static final int MOST_SHOWN = 64;
    private static final Set<HttpString> USUAL = Set.of(Headers.AUTHORIZATION);

    @Override
    public boolean pass(Passage passage) throws Exception {
        Exchange exchange = passage.exchange();
        Settings now = passage.settings();
        Access access = exchange.route().access();
        Authenticator authenticator =
                access.ownAuthenticator() ? access.authenticator().orElse(null) : now.authenticator();
        if (authenticator != null && access.preflight() && CorsPreflight.isOne(exchange)) {
            return true;
        }
        if (!now.unusualNamesDropped() && mayHaveUnusualNames(exchange.route(), authenticator)) {
            exchange.planned(exchange.plan().withUnusualNames());
        }
        if (authenticator == null) {
            return true;
        }
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
                (decision, failure) -> decided(passage, authenticator, decision, failure));
        return false;
    }

    /**
     * Whether unusual names may be forwarded: authenticators and filters of the application may rely on fields that an
     * upstream confuses with others, and can't check what they don't know.
     */
    private static boolean mayHaveUnusualNames(Route route, @Nullable Authenticator authenticator) {
        return route.allowsUnderscores()
                || (route.filter().isEmpty() && (authenticator == null || authenticator instanceof BasicAuth));
    }

    private static void decided(
            Passage passage, Authenticator authenticator, @Nullable AuthDecision decision, @Nullable Throwable failure)
            throws Exception {
        Exchange exchange = passage.exchange();
        if (decision == null) {
            LOG.error(
                    "The authenticator failed on route {}; {}",
                    exchange.route().name(),
                    ForwardError.APPLICATION_FAILED.advice(),
                    failure);
            failed(exchange);
        } else if (decision.isGranted()) {
            String user = decision.user().orElseThrow();
            String field = exchange.route().userField().orElse(null);
            if (field != null && !user.isEmpty() && !IdentityField.isSendable(user)) {
                LOG.error(
                        "The user {} can't be sent in {} (expected: visible ASCII characters)",
                        user.substring(0, Math.min(user.length(), MOST_SHOWN)).replaceAll("[^!-~]", "?"),
                        field);
                failed(exchange);
                return;
            }
            exchange.authenticated(user);
            Set<HttpString> credentials = credentials(authenticator, decision);
            if (!credentials.isEmpty()) {
                exchange.planned(exchange.plan().keeping(credentials));
            }
            passage.goOn();
        } else {
            int status = decision.status().orElseThrow();
            LocalAnswer.send(
                    exchange,
                    status,
                    status != 401
                            ? "Access is denied for now."
                            : authenticator instanceof BasicAuth
                                    ? "User and password are needed."
                                    : "Credentials are needed.",
                    decision.headers());
        }
    }

    private static void failed(Exchange exchange) {
        exchange.failed(ForwardError.APPLICATION_FAILED);
        LocalAnswer.send(exchange, 500, "The proxy can't check who you are.", Map.of());
    }

    /** The fields with credentials, which are for this server only. */
    private static Set<HttpString> credentials(Authenticator authenticator, AuthDecision decision) {
        Set<String> removed = decision.removedRequestHeaders();
        if (removed.isEmpty()) {
            return authenticator.forwardsCredentials() ? Set.of() : USUAL;
        }
        Set<HttpString> all = new HashSet<>();
        removed.forEach(name -> all.add(new HttpString(name)));
        if (!authenticator.forwardsCredentials()) {
            all.addAll(USUAL);
        }
        return all;
    }
}
