package io.webproxy.observe;

/**
 * Receives the events of a server.
 *
 * <p>Methods are called on an IO thread, but for events of certificates and tunnels, whose methods say where; never
 * under a lock. They must not block. Exceptions are logged once and have no other effect. {@link #async} moves the
 * calls off the IO thread.
 *
 * <p>Events of certificates, upstreams and tunnels each have a method. One that isn't overridden calls
 * {@link #certificateChanged}, {@link #upstreamChanged} or {@link #tunnelChanged}: override these for all events alike.
 */
public interface ProxyObserver {
    /**
     * The request has chosen a timeout class, or the response has upgraded it: called once or twice for each exchange
     * with a route.
     *
     * @param soFar the exchange until now: {@link ExchangeRecord#startClass} is what the request has chosen,
     *     {@link ExchangeRecord#endClass} the class from now on; its status is 0 before the upstream's response head
     */
    default void timeoutClassChanged(ExchangeRecord soFar) {}

    /** One exchange has ended; called exactly once for each. */
    default void exchangeEnded(ExchangeRecord exchange) {}

    /**
     * A connection of a port rule has ended or was refused, or no rule took it; called exactly once for each.
     * Connections that a rule sends to the routes have exchanges instead.
     */
    default void relayEnded(RelayRecord relay) {}

    /** Any event of a certificate; called on a thread of its provider, not on an IO thread. */
    default void certificateChanged(CertificateEvent event) {}

    /** The first certificate for these names is served. */
    default void certificateObtained(CertificateEvent event) {
        certificateChanged(event);
    }

    /** A newer certificate is served in place of an older one. */
    default void certificateRenewed(CertificateEvent event) {
        certificateChanged(event);
    }

    /** Files have changed, and their new content is served. */
    default void certificateReloaded(CertificateEvent event) {
        certificateChanged(event);
    }

    /** An attempt to obtain, renew or reload failed; the previous certificate is still served. */
    default void certificateFailed(CertificateEvent event) {
        certificateChanged(event);
    }

    /** The served certificate expires soon and couldn't be renewed so far. */
    default void certificateExpiring(CertificateEvent event) {
        certificateChanged(event);
    }

    /** A certificate was revoked at the CA. */
    default void certificateRevoked(CertificateEvent event) {
        certificateChanged(event);
    }

    /** Any event of an upstream; called on an IO thread, rarely: see {@link UpstreamEvent}. */
    default void upstreamChanged(UpstreamEvent event) {}

    /** A connection to an upstream or its response failed; it still gets requests. */
    default void upstreamFailed(UpstreamEvent event) {
        upstreamChanged(event);
    }

    /**
     * An upstream gets no requests as long as another one of the route can take them, or none at all because of its
     * health check.
     */
    default void upstreamDown(UpstreamEvent event) {
        upstreamChanged(event);
    }

    /** An upstream can be used again. */
    default void upstreamUp(UpstreamEvent event) {
        upstreamChanged(event);
    }

    /** Any event of a tunnel; called on an IO thread or on one that may block. */
    default void tunnelChanged(TunnelEvent event) {}

    /** Public side: an agent's control channel is open. */
    default void tunnelAgentConnected(TunnelEvent event) {
        tunnelChanged(event);
    }

    /** Public side: a control channel was closed, by the agent or by this server, after a goodbye. */
    default void tunnelAgentDisconnected(TunnelEvent event) {
        tunnelChanged(event);
    }

    /** Public side: a control channel was lost, without a goodbye. */
    default void tunnelAgentLost(TunnelEvent event) {
        tunnelChanged(event);
    }

    /**
     * Public side: a connection was refused: a control channel with a key that the agents file doesn't list, or a data
     * connection that wasn't requested.
     */
    default void tunnelAgentRefused(TunnelEvent event) {
        tunnelChanged(event);
    }

    /** Public side: an announcement was accepted. */
    default void tunnelAnnounced(TunnelEvent event) {
        tunnelChanged(event);
    }

    /** Public side: an announcement wasn't accepted. */
    default void tunnelAnnouncementRefused(TunnelEvent event) {
        tunnelChanged(event);
    }

    /** Private side: a public server has decided about all announcements. */
    default void tunnelServerConnected(TunnelEvent event) {
        tunnelChanged(event);
    }

    /** Private side: the connection to a public server was closed, by either side, after a goodbye. */
    default void tunnelServerDisconnected(TunnelEvent event) {
        tunnelChanged(event);
    }

    /** Private side: the connection to a public server was lost, without a goodbye. */
    default void tunnelServerLost(TunnelEvent event) {
        tunnelChanged(event);
    }

    /**
     * How many calls were dropped since the start; 0 for an observer that isn't {@link #async}. The server doesn't call
     * it.
     */
    default long dropped() {
        return 0;
    }

    /**
     * The same observer on a daemon thread of its own, after a bounded queue. The thread ends after a second without
     * work; the order of the calls is kept, and what the observer throws is logged once.
     *
     * @param queueSize how many calls may wait, at least 1; calls beyond that are dropped, and counted by
     *     {@link #dropped}
     * @throws IllegalArgumentException if {@code queueSize} is below 1
     */
    static ProxyObserver async(ProxyObserver observer, int queueSize) {
        return new AsyncObserver(observer, queueSize);
    }
}
