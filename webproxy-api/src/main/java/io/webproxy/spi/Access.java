package io.webproxy.spi;

import io.webproxy.auth.Authenticator;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Who may use a route, and how much. Immutable.
 *
 * @param allow the client addresses that may; empty for all
 * @param deny those that may not, whatever {@code allow} says
 * @param ownAuthenticator whether {@code authenticator} stands in place of the server's
 * @param authenticator the authenticator; empty if every request passes
 * @param preflight whether CORS preflights pass without authentication
 * @param rateLimit how many requests one client address may send; empty for as many as it likes
 * @param requestBodyBytes the longest request body, in place of the server's; 0 for no limit, empty for the server's
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

    /** Whether a client address may use the route. */
    public boolean permits(InetAddress client) {
        return !AddressRange.anyContains(deny, client) && (allow.isEmpty() || AddressRange.anyContains(allow, client));
    }
}
