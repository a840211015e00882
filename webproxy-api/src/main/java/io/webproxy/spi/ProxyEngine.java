package io.webproxy.spi;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.ProxyStatus;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * What runs a configuration; found by {@link java.util.ServiceLoader}. An SPI: users of the library don't need it.
 *
 * <p>Implementations have a public constructor without parameters and are thread-safe.
 */
public interface ProxyEngine {
    /**
     * Starts all endpoints or none; returns when they listen.
     *
     * @throws ProxyStartException if it can't, with everything released again
     */
    Running start(ProxyConfig config);

    /**
     * What checks the credentials of a {@link io.webproxy.auth.BasicAuth}, for all servers that use it.
     *
     * @param challenge the answer to a request without credentials, or with wrong ones
     */
    Authenticator basicAuth(AcceptedPasswords accepted, AuthDecision challenge);

    /** A started server. Thread-safe. */
    interface Running {
        /**
         * What it does right now, with the endpoints' real ports; that of a closed server once everything is released.
         */
        ProxyStatus status();

        /**
         * Completes, with one sentence that says why, when the server can't serve any more although it wasn't closed.
         */
        CompletionStage<String> failure();

        /**
         * Puts another configuration in force, all or nothing.
         *
         * @throws ProxyStartException if it can't; the old configuration is still in force
         */
        void update(ProxyConfig config);

        /**
         * Stops accepting, lets exchanges end for as long as given, then cuts and releases everything. Idempotent:
         * later calls can only shorten the wait.
         *
         * @return completes when everything is released
         */
        CompletionStage<Void> drain(Duration limit);
    }
}
