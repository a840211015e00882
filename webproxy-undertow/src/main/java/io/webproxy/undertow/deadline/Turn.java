package io.webproxy.undertow.deadline;

/**
 * Limits how many bytes of one body move before other connections of the IO thread have a turn; a transfer that never
 * pauses would otherwise occupy the thread.
 *
 * <p>Not thread-safe.
 */
public final class Turn {
    /**
     * How long a source under TLS rests: it holds bytes that no selector reports, and with Undertow's
     * {@code SslConduit} (2.4.4) would be read before all other connections. Canary:
     * {@code SslConduitDefectsTest.bytesOfAnEngineComeBeforeOtherConnections}.
     */
    public static final long TLS_REST_MILLIS = 1;

    private static final int BYTES = 256 * 1024;

    private final int bytes;
    private long left;

    /** Turns of 256 KiB. */
    public Turn() {
        this(BYTES);
    }

    /** Turns of so many bytes. */
    public Turn(int bytes) {
        this.bytes = bytes;
        this.left = bytes;
    }

    /** Bytes were moved. */
    public void moved(long bytes) {
        left -= bytes;
    }

    /** Whether the turn is over; if so, the next one starts. */
    public boolean isOver() {
        if (left > 0) {
            return false;
        }
        left = bytes;
        return true;
    }
}
