package io.webproxy.route;

import io.webproxy.http.RequestHead;

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

    /** Each in its turn: the default. */
    static Balancing roundRobin() {
        return new Balancings.RoundRobin();
    }

    /** The one with the fewest requests in flight; among equals each in its turn. */
    static Balancing leastConnections() {
        return new Balancings.LeastConnections();
    }

    /**
     * The one with fewer requests in flight of two that are drawn by lot: nearly as even as the least, and never a
     * herd.
     */
    static Balancing powerOfTwoChoices() {
        return Balancings.Stateless.POWER_OF_TWO_CHOICES;
    }

    /** The first that may be used: the others stand by. */
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
}
