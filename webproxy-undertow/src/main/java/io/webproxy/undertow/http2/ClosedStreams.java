package io.webproxy.undertow.http2;

/**
 * The streams of an HTTP/2 connection that closed last: so that a late frame on one can be told from one that breaks the protocol (RFC 9113 section
 * 5.1). Bounded. Not thread-safe.
 */
final class ClosedStreams {
    /** Why one has closed. */
    enum Cause {
        /** The server has reset it: frames that were under way are ignored. */
        RESET_BY_SERVER,
        /** The client knows that it is closed. */
        BY_CLIENT,
        /** It closed long ago, or was never opened. */
        UNKNOWN
    }

    private static final int KEPT = 512;

    private final int[] streams = new int[KEPT];
    private int next;

    void add(int stream, Cause cause) {
        streams[next] = cause == Cause.RESET_BY_SERVER ? -stream : stream;
        next = (next + 1) % KEPT;
    }

    Cause of(int stream) {
        for (int known : streams) {
            if (known == stream) {
                return Cause.BY_CLIENT;
            }
            if (known == -stream) {
                return Cause.RESET_BY_SERVER;
            }
        }
        return Cause.UNKNOWN;
    }

    /** The client has ended its side too: nothing is under way any more. */
    void finished(int stream) {
        for (int i = 0; i < KEPT; i++) {
            if (streams[i] == -stream) {
                streams[i] = stream;
            }
        }
    }
}
