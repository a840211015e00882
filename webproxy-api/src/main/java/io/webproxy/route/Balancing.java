package io.webproxy.route;

import io.webproxy.http.RequestHead;
import io.webproxy.spi.LeastTime;
import io.webproxy.spi.SessionAffinity;

/**
 * Chooses the upstream of a request among the usable ones of its {@link UpstreamGroup}. An instance belongs to one
 * group: its state, such as the position of a round robin, lives as long as the group.
 *
 * <p>Thread-safe: {@link #choose} is called on all IO threads at once, and must not block. If the chosen one can't be
 * connected, it is called again for the others.
 */
@FunctionalInterface
public interface Balancing {
    /**
     * The upstreams to choose from: at least two, in the order of the group, without unhealthy and ejected ones. Valid
     * during the call only.
     */
    interface Choice {
        /** The number of upstreams, at least 2. */
        int count();

        /** One of them, 0 to {@code count() - 1}. */
        Upstream upstream(int index);

        /**
         * The number of requests and WebSockets of this server that are in flight there now; proportionally more during
         * an upstream's {@link UpstreamGroup#slowStart}.
         */
        int inFlight(int index);

        /** The request. */
        RequestHead request();
    }

    /**
     * Returns the index of the one to use, 0 to {@code count() - 1}; any other value counts as a failure of the server:
     * 500.
     */
    int choose(Choice choice);

    /** Round robin: the default. */
    static Balancing roundRobin() {
        return new Balancings.RoundRobin();
    }

    /** The one with the fewest requests in flight; round robin among equals. */
    static Balancing leastConnections() {
        return new Balancings.LeastConnections();
    }

    /**
     * The one with fewer requests in flight of two random ones: nearly as even as {@link #leastConnections}, but
     * requests never rush to one upstream.
     */
    static Balancing powerOfTwoChoices() {
        return Balancings.Stateless.POWER_OF_TWO_CHOICES;
    }

    /**
     * The one that is expected to answer first: by the average time to the first byte of its responses, times its
     * requests in flight and one more. A slow response raises the average at once, quick ones lower it over 10 s. Time
     * without responses lowers it too, so that a slow upstream is tried again, by one request in 10 s; so is one that
     * hasn't responded yet. Each failure in a row doubles what counts for the upstream, however fast it fails: no
     * response, a status of 500 or above, or 429. A client that leaves has waited: what is longer than the average
     * counts. The averages belong to the group, and all IO threads share them. A balancing of your own that calls this
     * one gets the upstream with the fewest requests in flight.
     */
    static Balancing leastTime() {
        return LeastTime.INSTANCE;
    }

    /** The first usable one; the others are spares. */
    static Balancing failover() {
        return Balancings.Stateless.FAILOVER;
    }

    /**
     * The same one for the same client address, as long as it is usable, for sticky sessions. When an upstream is added
     * or removed, only the clients that have to move do (rendezvous hashing). An IPv6 network of 64 bits counts as one
     * client.
     */
    static Balancing clientAddressHash() {
        return Balancings.Stateless.CLIENT_ADDRESS_HASH;
    }

    /**
     * Session affinity by a header field that upstreams issue, such as {@code Mcp-Session-Id}. Later requests with a
     * value that an upstream has issued in a response go to that upstream, as long as it is usable. Other values are
     * distributed by their hash (rendezvous hashing), the same in every JVM. Requests without the field go to the
     * upstream with the fewest requests in flight.
     *
     * <p>Each group remembers 100,000 values, and forgets the least recently used first. They are kept in memory only,
     * and survive updates as long as the group stays.
     *
     * @throws IllegalArgumentException if the name can't be a field's
     */
    static Balancing header(String name) {
        return SessionAffinity.header(name, new Balancings.HeaderHash(name));
    }

    /**
     * Session affinity by a cookie that the proxy sets: on the first response of a session, with {@code Path=/},
     * {@code HttpOnly}, {@code SameSite=Lax} and, if the client used HTTPS, {@code Secure}. Its value is a hash of the
     * upstream's URI, the same in every JVM: it doesn't reveal the address, but confirms a guessed one. If that
     * upstream is removed, unhealthy or ejected, the request goes to another one and the cookie is set again. Requests
     * without the cookie go to the upstream with the fewest requests in flight.
     *
     * <p>The name is reserved for the proxy: upstreams don't see this cookie, and a cookie that one of them sets by
     * this name is dropped. Other cookies pass byte for byte.
     *
     * @param name such as {@code SERVER}; case matters
     * @throws IllegalArgumentException if the name can't be a cookie's
     */
    static Balancing cookie(String name) {
        return SessionAffinity.cookie(name, leastConnections());
    }
}
