package io.webproxy.undertow.auth;

import io.webproxy.auth.AuthDecision;
import io.webproxy.spi.AcceptedPasswords;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.CredentialHash;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Checks credentials against one user and password. Decides at once. */
final class PairCheck implements CredentialCheck {
    private final CredentialHash hash;
    private final ByteBuffer expected;
    private final FailureThrottle throttle = new FailureThrottle();
    private volatile @Nullable LongSupplier nanoClock;

    PairCheck(AcceptedPasswords.Pair accepted) {
        this.hash = accepted.hash();
        this.expected = accepted.expected();
    }

    @Override
    public void start(AuthServices context) {
        nanoClock = context.nanoClock();
    }

    @Override
    public void stop() {
        // requests in progress may still be decided
    }

    @Override
    public CompletionStage<AuthDecision> check(Credentials credentials, InetAddress client, AuthDecision challenge) {
        return CompletableFuture.completedFuture(decide(credentials, AddressRange.clientOf(client), challenge));
    }

    private AuthDecision decide(Credentials credentials, Object client, AuthDecision challenge) {
        LongSupplier clock = nanoClock;
        if (clock == null) {
            throw new IllegalStateException("the authenticator hasn't started");
        }
        ByteBuffer given = hash.of(credentials.userAndPassword());
        boolean right = CredentialHash.same(given, expected);
        if (right && throttle.hasPassed(client, expected)) {
            return AuthDecision.granted(credentials.user());
        }
        long wait = throttle.take(client, clock.getAsLong());
        if (wait > 0) {
            return CredentialCheck.tooMany(wait);
        }
        if (!right) {
            return challenge;
        }
        throttle.giveBack(client);
        throttle.passed(client, expected);
        return AuthDecision.granted(credentials.user());
    }
}
