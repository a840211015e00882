package io.webproxy.undertow.deadline;

/**
 * How much of one body may move before it is everybody else's turn on the IO thread, which a transfer that never pauses
 * would keep for itself.
 *
 * <p>Not thread-safe.
 */
public final class Turn {
    /**
     * How long a source rests that is read through TLS: it holds bytes that no selector knows of, and with Undertow's
     * {@code SslConduit} (2.4.4) would go on before all others. Canary:
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

    /** Bytes have moved. */
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
