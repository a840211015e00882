package io.webproxy.observe;

/**
 * Is told what the server does.
 *
 * <p>Methods are called on an IO thread, never under a lock: they must not block. What one throws is logged once and
 * breaks nothing. {@link #async} moves the calls off the IO thread.
 */
public interface ProxyObserver {
    /**
     * A request has chosen its timeout class, or the response has upgraded it: once or twice for each exchange that has
     * a route.
     */
    default void timeoutClassChanged(TimeoutClassChange change) {}

    /** One exchange has ended; called exactly once for each. */
    default void exchangeEnded(ExchangeRecord exchange) {}

    /**
     * A certificate has been obtained, renewed or reloaded, or could not be; called on a thread of its provider, not on
     * an IO thread.
     */
    default void certificateChanged(CertificateEvent event) {}

    /** An upstream has failed, is down, or has come back; called on an IO thread, seldom: see {@link UpstreamEvent}. */
    default void upstreamChanged(UpstreamEvent event) {}

    /**
     * A connection of a port rule has ended, or was refused, or no rule has taken it; called exactly once for each.
     * Those that a rule sends to the routes have exchanges in place of it.
     */
    default void relayEnded(RelayRecord relay) {}

    /**
     * An agent of a tunnel, or a public server, has come or gone, or something was announced; called on an IO thread or
     * on one that may wait.
     */
    default void tunnelChanged(TunnelEvent event) {}

    /**
     * How many calls weren't handed on since the start; 0 for an observer that isn't {@link #async}. Not called by the
     * server.
     */
    default long dropped() {
        return 0;
    }

    /**
     * The same observer on a daemon thread of its own, after a bounded queue. The thread ends after a second without
     * work; the order of the calls is kept, and what the observer throws is logged once.
     *
     * @param queueSize how many calls may wait, at least 1; what finds the queue full is dropped, and counted by
     *     {@link #dropped}
     * @throws IllegalArgumentException if {@code queueSize} is below 1
     */
    static ProxyObserver async(ProxyObserver observer, int queueSize) {
        return new AsyncObserver(observer, queueSize);
    }
}
