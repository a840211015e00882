package io.webproxy.undertow.http2;

/**
 * Remembers the most recently closed streams of an HTTP/2 connection, to distinguish late frames from protocol errors
 * (RFC 9113 section 5.1). Bounded. Not thread-safe.
 */
final class ClosedStreams {
    /** How a stream closed. */
    enum Cause {
        /** This side has reset it: frames in flight are ignored. */
        RESET_HERE,
        /** The peer knows that it is closed. */
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

    /** The peer has ended it too: no more frames are in flight. */
    void finished(int stream) {
        for (int i = 0; i < KEPT; i++) {
            if (streams[i] == -stream) {
                streams[i] = stream;
            }
        }
    }
}
