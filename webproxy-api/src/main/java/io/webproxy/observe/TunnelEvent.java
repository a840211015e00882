package io.webproxy.observe;

import io.webproxy.spi.TunnelEventData;

/**
 * An event of a tunnel's control channel or announcements. Clients are reported by {@link RelayRecord}s. Made by the
 * engine; immutable.
 */
public sealed interface TunnelEvent permits TunnelEventData {
    /** What has happened. */
    Kind kind();

    /**
     * The agent's name at the public side, or its key or address if it is refused; the public server's host and port at
     * the private side.
     */
    String peer();

    /** The server name or port concerned; empty for a channel. */
    String subject();

    /** A sentence with details, such as the reason; empty if there are none. */
    String detail();

    /** What can happen. */
    enum Kind {
        /** Public side: an agent's control channel is open. */
        AGENT_CONNECTED,
        /** Public side: a control channel was closed, by the agent or by this server, after a goodbye. */
        AGENT_DISCONNECTED,
        /** Public side: a control channel was lost, without a goodbye. */
        AGENT_LOST,
        /**
         * Public side: a connection was refused: a control channel with a key that the agents file doesn't list, or a
         * data connection that wasn't requested.
         */
        AGENT_REFUSED,
        /** Public side: an announcement was accepted. */
        ANNOUNCED,
        /** Public side: an announcement wasn't accepted. */
        ANNOUNCEMENT_REFUSED,
        /** Private side: a public server has decided about all announcements. */
        SERVER_CONNECTED,
        /** Private side: the connection to a public server was closed, by either side, after a goodbye. */
        SERVER_DISCONNECTED,
        /** Private side: the connection to a public server was lost, without a goodbye. */
        SERVER_LOST
    }
}
