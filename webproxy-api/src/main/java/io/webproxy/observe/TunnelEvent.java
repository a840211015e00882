package io.webproxy.observe;

import io.webproxy.spi.TunnelEventData;

/**
 * Something has happened to a tunnel's control channel or announcements. What becomes of clients is told by
 * {@link RelayRecord}s. Made by the engine; immutable.
 */
public sealed interface TunnelEvent permits TunnelEventData {
    /** What. */
    Kind kind();

    /**
     * The agent's name at the public side, or its key or address if it is refused; the public server's host and port at
     * the private side.
     */
    String peer();

    /** The server name or port that it is about; empty for a channel. */
    String subject();

    /** A sentence that says more, such as why; empty when there is no more to say. */
    String detail();

    /** What can happen. */
    enum Kind {
        /** Public side: an agent's control channel is open. */
        AGENT_CONNECTED,
        /** Public side: it is closed, by the agent or by this server, which has said so to the other. */
        AGENT_DISCONNECTED,
        /** Public side: it is lost, without a goodbye of either. */
        AGENT_LOST,
        /**
         * Public side: a control channel by a key that the agents file doesn't have, or a data connection that wasn't
         * asked for, isn't let in.
         */
        AGENT_REFUSED,
        /** Public side: an announcement was accepted. */
        ANNOUNCED,
        /** Public side: an announcement wasn't accepted. */
        ANNOUNCEMENT_REFUSED,
        /** Private side: a public server has decided about everything that is announced there. */
        SERVER_CONNECTED,
        /** Private side: the connection to a public server is closed, by either, which has said so to the other. */
        SERVER_DISCONNECTED,
        /** Private side: it is lost, without a goodbye of either. */
        SERVER_LOST
    }
}
