package io.webproxy.route;

import io.webproxy.http.RequestHead;
import io.webproxy.spi.SessionAffinity;

/**
 * Chooses the upstream of a request among those of its {@link UpstreamGroup} that may be used. One object serves one
 * group: its state, such as whose turn it is, lives as long as the group.
 *
 * <p>Thread-safe: {@link #choose} is called on all IO threads at once, and must not block. When the chosen one can't be
 * connected to, it is called again for the others.
 */
@FunctionalInterface
public interface Balancing {
    /**
     * What there is to choose from: at least two upstreams, in the order of the group, without those that are unhealthy
     * or skipped. Valid for the call only.
     */
    interface Choice {
        /** How many there are, at least 2. */
        int count();

        /** One of them, 0 to {@code count() - 1}. */
        Upstream upstream(int index);

        /** How many requests and WebSockets of this server it has in flight right now. */
        int inFlight(int index);

        /** The request. */
        RequestHead request();
    }

    /**
     * The index of the one to use, 0 to {@code count() - 1}; what is outside of that counts as a failure of the server:
     * 500.
     */
    int choose(Choice choice);

    /** In turn: the default. */
    static Balancing roundRobin() {
        return new Balancings.RoundRobin();
    }

    /** The one with the fewest requests in flight; among equals in turn. */
    static Balancing leastConnections() {
        return new Balancings.LeastConnections();
    }

    /**
     * The one with fewer requests in flight of two that are chosen at random: nearly as even as
     * {@link #leastConnections}, and requests never rush to one.
     */
    static Balancing powerOfTwoChoices() {
        return Balancings.Stateless.POWER_OF_TWO_CHOICES;
    }

    /** The first that may be used; the others are spare. */
    static Balancing failover() {
        return Balancings.Stateless.FAILOVER;
    }

    /**
     * The same one for the same client address, as long as it may be used, for sessions that stick. When an upstream
     * comes or goes, only the clients move that have to (rendezvous hashing). An IPv6 network of 64 bits counts as one
     * client.
     */
    static Balancing clientAddressHash() {
        return Balancings.Stateless.CLIENT_ADDRESS_HASH;
    }

    /**
     * Session affinity by a header field that upstreams give, such as {@code Mcp-Session-Id}. A value that an upstream
     * has given in a response goes to that upstream in later requests, as long as it may be used. Other values go where
     * their hash says (rendezvous hashing), the same in every JVM. Requests without the field go to the upstream with
     * the fewest requests in flight.
     *
     * <p>Each group remembers 100,000 values, and forgets those first that were not used for longest. They are kept in
     * memory only, and across updates as long as the group stays.
     *
     * @throws IllegalArgumentException if the name can't be a field's
     */
    static Balancing header(String name) {
        return SessionAffinity.header(name, new Balancings.HeaderHash(name));
    }

    /**
     * Session affinity by a cookie that the proxy sets: on the first response of a session, with {@code Path=/},
     * {@code HttpOnly}, {@code SameSite=Lax} and, if the client came by HTTPS, {@code Secure}. Its value is a hash of
     * the upstream's URI, the same in every JVM: it doesn't tell the address, but confirms one that is guessed. When
     * that upstream is gone, unhealthy or skipped, the request goes to another one and the cookie is set anew. Requests
     * without the cookie go to the upstream with the fewest requests in flight.
     *
     * <p>The name is the proxy's alone: upstreams don't see this cookie, and what one of them sets by this name is
     * dropped. Other cookies pass byte for byte.
     *
     * @param name such as {@code SERVER}; case matters
     * @throws IllegalArgumentException if the name can't be a cookie's
     */
    static Balancing cookie(String name) {
        return SessionAffinity.cookie(name, leastConnections());
    }
}
