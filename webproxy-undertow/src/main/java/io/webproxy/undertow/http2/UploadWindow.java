package io.webproxy.undertow.http2;

/**
 * How far the windows of uploads grow beyond what clients were told at first (RFC 9113 section 5.2): as long as half a window is read within a round trip, it is doubled. So a
 * distant client isn't held up, and one whose upstream is slow gets no more than it reads.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread. Times are nanoseconds of a monotonic clock.
 */
final class UploadWindow {
    private static final long PAYLOAD = 0x7765_6270_7762_6470L;
    private static final long BETWEEN_PROBES_NANOS = 20_000_000L;

    private final int initial;
    private final int most;
    private int window;
    private long read;
    private long readBefore;
    private boolean probing;
    private long lastProbe;

    /** One that starts with {@code initial} bytes and has {@code most} at last; {@code now}: the time. */
    UploadWindow(int initial, int most, long now) {
        this.initial = initial;
        this.most = most;
        this.window = initial;
        this.lastProbe = now - BETWEEN_PROBES_NANOS;
    }

    /** Bytes of a body were read; returns whether the round trip is to be measured by a PING with {@link #payload}. */
    boolean read(long bytes, long now) {
        read += bytes;
        if (probing || window >= most || read - readBefore < initial / 4 || now - lastProbe < BETWEEN_PROBES_NANOS) {
            return false;
        }
        probing = true;
        lastProbe = now;
        readBefore = read;
        return true;
    }

    static long payload() {
        return PAYLOAD;
    }

    /** A PING was answered; {@code ample}: whether there is memory for more. */
    void pong(long payload, boolean ample) {
        if (probing && payload == PAYLOAD) {
            probing = false;
            if (ample && read - readBefore >= window / 2) {
                window = Math.min(most, 2 * window);
            }
            readBefore = read;
        }
    }

    /** How many bytes more than at first a stream, and the connection, may have. */
    int growth() {
        return window - initial;
    }
}
