package io.webproxy.auth;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** Decides whether credentials are right. Thread-safe. */
interface CredentialCheck {
    void start(AuthContext context);

    void stop();

    /** Another one for the same users, which hasn't started. */
    CredentialCheck fresh();

    /**
     * The decision. The credentials are wiped when this returns.
     *
     * @param challenge the answer to wrong ones
     */
    CompletionStage<AuthDecision> check(Credentials credentials, InetAddress client, AuthDecision.Denied challenge);

    /** The answer to those who fail too often. */
    static AuthDecision.Denied tooMany(long waitNanos) {
        long seconds = Math.max(1, TimeUnit.NANOSECONDS.toSeconds(waitNanos + TimeUnit.SECONDS.toNanos(1) - 1));
        return new AuthDecision.Denied(429, Map.of("Retry-After", List.of(Long.toString(seconds))));
    }
}
