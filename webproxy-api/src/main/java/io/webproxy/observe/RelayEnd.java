package io.webproxy.observe;

import java.util.Locale;

/** How a connection of a port rule has ended, or why none of the rules took it. */
public enum RelayEnd {
    /** Both directions have ended, each after all its bytes. */
    CLOSED,
    /** The client has reset the connection, or it broke on the client's side; the target's was reset. */
    CLIENT_RESET,
    /** The target has reset the connection, or it broke on the target's side; the client's was reset. */
    TARGET_RESET,
    /** No target could be connected. */
    CONNECT_FAILED,
    /** The client left before a target was connected. */
    CLIENT_LEFT,
    /** Both sides were silent for the rule's idle time. */
    IDLE,
    /** The server was closing, or its endpoint was removed, and the drain time was over. */
    CUT,
    /** Refused: the rule, or the client's address, had reached its limit of connections. */
    REFUSED_LIMIT,
    /** Refused: the client's address had reached its limit of new connections per minute. */
    REFUSED_RATE,
    /** Refused: the process had no file descriptor to spare for a target, or no memory for the buffers of a relay. */
    REFUSED_SHORTAGE,
    /** An unexpected failure; the log has the details. */
    FAILED,
    /** No rule: the client sent nothing within the detect time, and there is no target for silent clients. */
    UNDETECTED_SILENT,
    /** No rule: the first bytes decided nothing in time. */
    UNDETECTED_LATE,
    /** No rule: the client ended before its bytes decided anything. */
    UNDETECTED_ENDED,
    /** No rule takes such first bytes. */
    UNDETECTED_UNKNOWN,
    /** No rule: the client sent a malformed ClientHello, or its handshake failed. */
    UNDETECTED_MALFORMED;

    /** Whether a limit or a shortage was the reason. */
    public boolean isRefused() {
        return this == REFUSED_LIMIT || this == REFUSED_RATE || this == REFUSED_SHORTAGE;
    }

    /** Whether no rule has taken the connection. */
    public boolean isUndetected() {
        return compareTo(UNDETECTED_SILENT) >= 0;
    }

    /** As in the relay log, such as {@code client-reset}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
