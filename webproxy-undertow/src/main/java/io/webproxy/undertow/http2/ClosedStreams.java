package io.webproxy.undertow.http2;

/**
 * The streams of an HTTP/2 connection that closed last: so that a late frame on one can be told from one that breaks
 * the protocol (RFC 9113 section 5.1). Bounded. Not thread-safe.
 */
final class ClosedStreams {
    /** Why one has closed. */
    enum Cause {
        /** This side has reset it: frames that were under way are ignored. */
        RESET_HERE,
        /** The other side knows that it is closed. */
        BY_PEER,
        /** It closed long ago, or was never opened. */
        UNKNOWN
    }

    private static final int KEPT = 512;

    private final int[] streams = new int[KEPT];
    private int next;

    void add(int stream, Cause cause) {
        streams[next] = cause == Cause.RESET_HERE ? -stream : stream;
        next = (next + 1) % KEPT;
    }

    Cause of(int stream) {
        for (int known : streams) {
            if (known == stream) {
                return Cause.BY_PEER;
            }
            if (known == -stream) {
                return Cause.RESET_HERE;
            }
        }
        return Cause.UNKNOWN;
    }

    /** The other side has ended it too: nothing is under way any more. */
    void finished(int stream) {
        for (int i = 0; i < KEPT; i++) {
            if (streams[i] == -stream) {
                streams[i] = stream;
            }
        }
    }
}
