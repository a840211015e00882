package io.webproxy.undertow.auth;

import io.webproxy.auth.AuthDecision;
import java.net.InetAddress;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** Decides whether credentials are right. Thread-safe. */
interface CredentialCheck {
    void start(AuthServices context);

    void stop();

    /**
     * Decides. The credentials are wiped when this returns.
     *
     * @param challenge the answer to wrong credentials
     */
    CompletionStage<AuthDecision> check(Credentials credentials, InetAddress client, AuthDecision challenge);

    /** The answer to a client that fails too often. */
    static AuthDecision tooMany(long waitNanos) {
        long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(waitNanos + TimeUnit.SECONDS.toNanos(1) - 1));
        return AuthDecision.denied(429).withHeader("Retry-After", Long.toString(seconds));
    }
}
