package io.webproxy.observe;

import io.webproxy.spi.TunnelEventData;

/**
 * An event of a tunnel's control channel or announcements: the method of {@link ProxyObserver} says which. Clients are
 * reported by {@link RelayRecord}s. Made by the engine; immutable.
 */
public sealed interface TunnelEvent permits TunnelEventData {
    /**
     * The agent's name at the public side, or its key or address if it is refused; the public server's host and port at
     * the private side.
     */
    String peer();

    /** The server name or port concerned; empty for a channel. */
    String subject();

    /** A sentence with details, such as the reason; empty if there are none. */
    String detail();
}
