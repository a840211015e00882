package io.webproxy.spi;

import io.webproxy.auth.Authenticator;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Access control and limits of a route. Immutable.
 *
 * @param allow the allowed client addresses; empty for all
 * @param deny the denied client addresses, even if {@code allow} has them
 * @param ownAuthenticator whether {@code authenticator} replaces the server's
 * @param authenticator the authenticator; empty if every request passes
 * @param preflight whether CORS preflights pass without authentication
 * @param rateLimit how many requests one client address may send; empty for no limit
 * @param requestBodyBytes the limit of the request body; 0 for no limit, empty for the server's
 */
public record Access(
        List<AddressRange> allow,
        List<AddressRange> deny,
        boolean ownAuthenticator,
        Optional<Authenticator> authenticator,
        boolean preflight,
        Optional<RateLimit> rateLimit,
        Optional<Long> requestBodyBytes) {
    /** Copies the lists. */
    public Access {
        allow = List.copyOf(allow);
        deny = List.copyOf(deny);
        Objects.requireNonNull(authenticator, "authenticator");
        Objects.requireNonNull(rateLimit, "rateLimit");
        Objects.requireNonNull(requestBodyBytes, "requestBodyBytes");
    }

    /** Whether a client address is allowed. */
    public boolean permits(InetAddress client) {
        return !AddressRange.anyContains(deny, client) && (allow.isEmpty() || AddressRange.anyContains(allow, client));
    }
}
