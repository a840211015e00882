package io.webproxy.spi;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.ProxyStatus;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Runs configurations; found by {@link java.util.ServiceLoader}. An SPI: users of the library don't need it.
 *
 * <p>Implementations have a public constructor without parameters and are thread-safe.
 */
public interface ProxyEngine {
    /**
     * Starts all endpoints or none; returns when they listen.
     *
     * @throws ProxyStartException if that fails; everything is then released again
     */
    Running start(ProxyConfig config);

    /**
     * Makes the authenticator behind a {@link io.webproxy.auth.BasicAuth}, for all servers that use it.
     *
     * @param challenge the answer to a request without credentials, or with wrong credentials
     */
    Authenticator basicAuth(AcceptedPasswords accepted, AuthDecision challenge);

    /** A started server. Thread-safe. */
    interface Running {
        /** The current status, with the endpoints' real ports; that of a closed server once everything is released. */
        ProxyStatus status();

        /**
         * Completes when the server can't serve any more although it wasn't closed, with one sentence that says why.
         */
        CompletionStage<String> failure();

        /**
         * Puts another configuration in force, all or nothing.
         *
         * @throws ProxyStartException if that fails; the old configuration stays in force
         */
        void update(ProxyConfig config);

        /**
         * Stops accepting, lets exchanges end within the limit, then cuts the rest and releases everything. Idempotent:
         * later calls can only shorten the wait.
         *
         * @return completes when everything is released
         */
        CompletionStage<Void> drain(Duration limit);
    }
}
