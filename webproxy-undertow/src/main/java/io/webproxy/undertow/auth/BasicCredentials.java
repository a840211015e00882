package io.webproxy.undertow.auth;

import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.RequestHead;
import io.webproxy.spi.AcceptedPasswords;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;

/** Authenticates requests for one {@code BasicAuth} (RFC 7617), in all servers that use it. Thread-safe. */
public final class BasicCredentials implements Authenticator {
    private final CredentialCheck check;
    private final AuthDecision challenge;

    private BasicCredentials(CredentialCheck check, AuthDecision challenge) {
        this.check = check;
        this.challenge = challenge;
    }

    /**
     * A check that hasn't started.
     *
     * @param challenge the answer to a request without credentials, or with wrong ones
     */
    public static BasicCredentials of(AcceptedPasswords accepted, AuthDecision challenge) {
        return new BasicCredentials(
                accepted instanceof AcceptedPasswords.Htpasswd users
                        ? new FileCheck(users.file())
                        : new PairCheck((AcceptedPasswords.Pair) accepted),
                challenge);
    }

    @Override
    public void start(ScheduledExecutorService executor) {
        check.start(AuthServices.of(executor));
    }

    @Override
    public void stop() {
        check.stop();
    }

    @Override
    public CompletionStage<AuthDecision> authenticate(RequestHead request) {
        Credentials credentials = Credentials.parse(request.headers("Authorization"));
        if (credentials == null) {
            return CompletableFuture.completedFuture(challenge);
        }
        try {
            return check.check(credentials, request.clientAddress(), challenge);
        } finally {
            credentials.wipe();
        }
    }
}
