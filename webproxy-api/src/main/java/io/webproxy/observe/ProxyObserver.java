package io.webproxy.observe;

/**
 * Receives the events of a server.
 *
 * <p>Methods are called on an IO thread, never under a lock: they must not block. Exceptions are logged once and have
 * no other effect. {@link #async} moves the calls off the IO thread.
 */
public interface ProxyObserver {
    /**
     * The request has chosen a timeout class, or the response has upgraded it: called once or twice for each exchange
     * with a route.
     */
    default void timeoutClassChanged(TimeoutClassChange change) {}

    /** One exchange has ended; called exactly once for each. */
    default void exchangeEnded(ExchangeRecord exchange) {}

    /**
     * A certificate was obtained, renewed or reloaded, or that failed; called on a thread of its provider, not on an IO
     * thread.
     */
    default void certificateChanged(CertificateEvent event) {}

    /** An upstream has failed, is down, or has recovered; called on an IO thread, rarely: see {@link UpstreamEvent}. */
    default void upstreamChanged(UpstreamEvent event) {}

    /**
     * A connection of a port rule has ended or was refused, or no rule took it; called exactly once for each.
     * Connections that a rule sends to the routes have exchanges instead.
     */
    default void relayEnded(RelayRecord relay) {}

    /**
     * An agent of a tunnel, or a public server, has connected or disconnected, or something was announced; called on an
     * IO thread or on one that may block.
     */
    default void tunnelChanged(TunnelEvent event) {}

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
