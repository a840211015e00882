package io.webproxy.undertow.http2;

/**
 * Shuts down an HTTP/2 connection gracefully in the two steps of RFC 9113 section 6.8: a GOAWAY that refuses nothing
 * yet and, a round trip later, one that names the last stream, so that no request in flight is lost. The connection
 * ends after the last exchange.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class Http2Leave {
    /** The connection that is shut down; called on its IO thread. */
    interface Connection {
        /** Whether both sides have exchanged their settings. */
        boolean isStarted();

        /** Whether no stream is open or about to be. */
        boolean isIdle();

        /** Asks for no more streams, and sends a PING with this payload. */
        void announce(long ping);

        /** Refuses all streams that aren't open by now. */
        void refuse();

        /** There is nothing left to wait for. */
        void end();
    }

    /** An upper bound for a round trip. */
    private static final long ROUND_TRIP_NANOS = 1_000_000_000L;
    /** How long to wait for a client that hasn't even sent its settings. */
    private static final long START_NANOS = 1_000_000_000L;

    private static final long PING = 0x7765_6270_726f_7879L;

    private enum Step {
        NONE,
        ASKED,
        ANNOUNCED,
        REFUSING,
        ENDED
    }

    private final Connection connection;
    private Step step = Step.NONE;
    private boolean clientLeaves;
    private long since;

    Http2Leave(Connection connection) {
        this.connection = connection;
    }

    /** Starts it; later calls have no effect. */
    void start(long now) {
        if (step == Step.NONE) {
            step = Step.ASKED;
            since = now;
            look(now);
        }
    }

    /** The client itself is leaving: the connection ends after its streams. */
    void clientLeaves() {
        clientLeaves = true;
    }

    /** Whether it has started. */
    boolean isStarted() {
        return step != Step.NONE;
    }

    /** A PING was answered. */
    void pong(long payload, long now) {
        if (step == Step.ANNOUNCED && payload == PING) {
            refuse();
            look(now);
        }
    }

    /** Takes the next step if it is due. */
    void look(long now) {
        if (step == Step.ASKED && connection.isStarted()) {
            step = Step.ANNOUNCED;
            since = now;
            connection.announce(PING);
        } else if (step == Step.ASKED && now - since > START_NANOS) {
            end();
        }
        if (step == Step.ANNOUNCED && now - since > ROUND_TRIP_NANOS) {
            refuse();
        }
        if ((step == Step.REFUSING || (clientLeaves && step != Step.ENDED)) && connection.isIdle()) {
            end();
        }
    }

    private void refuse() {
        step = Step.REFUSING;
        if (!connection.isIdle()) {
            connection.refuse();
        }
    }

    private void end() {
        step = Step.ENDED;
        connection.end();
    }
}
