package io.webproxy.undertow.http2;

/**
 * Decides how far the windows of uploads grow beyond their initial size (RFC 9113 section 5.2): a window is doubled as
 * long as half of it is read within a round trip. So a distant client isn't slowed down, and a slow upstream doesn't
 * make the window grow.
 *
 * <p>That would take many round trips for a distant client. So if the first half of a window is read much faster than a
 * round trip, as measured by the answer to the settings, the window at once gets the size that this rate needs.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread. Times are nanoseconds of a monotonic clock.
 */
final class UploadWindow {
    private static final long PAYLOAD = 0x7765_6270_7762_6470L;
    private static final long BETWEEN_PROBES_NANOS = 20_000_000L;
    /** A later answer comes from a slow client, not from a distant one. */
    private static final long LONGEST_ROUND_TRIP_NANOS = 1_000_000_000L;
    /** Bytes that were read in less had been waiting here, and say little about a rate. */
    private static final long SHORTEST_NANOS = 1_000_000L;
    /** The largest factor of growth at once, because few bytes say little too. */
    private static final int MOST_AT_ONCE = 16;

    private final int initial;
    private final int most;
    private final long settingsSent;
    private int window;
    private long read;
    private long readBefore;
    private boolean probing;
    private long lastProbe;
    /** Zero while unknown. */
    private long roundTrip;
    /** Bytes read since then. */
    private long since;

    private long readSince;

    /** A window that grows from {@code initial} to {@code most} bytes; {@code now} is when the settings are sent. */
    UploadWindow(int initial, int most, long now) {
        this.initial = initial;
        this.most = most;
        this.window = initial;
        this.settingsSent = now;
        this.since = now;
        this.lastProbe = now - BETWEEN_PROBES_NANOS;
    }

    /** The peer acknowledged the settings. */
    void settled(long now) {
        if (roundTrip == 0) {
            roundTrip = Math.min(now - settingsSent, LONGEST_ROUND_TRIP_NANOS);
        }
    }

    /**
     * Bytes of a body were read; {@code ample}: whether there is memory for more.
     *
     * @return whether to measure the round trip by a PING with {@link #payload}
     */
    boolean read(long bytes, long now, boolean ample) {
        read += bytes;
        followRate(bytes, now, ample);
        if (probing || window >= most || read - readBefore < initial / 4 || now - lastProbe < BETWEEN_PROBES_NANOS) {
            return false;
        }
        probing = true;
        lastProbe = now;
        readBefore = read;
        return true;
    }

    private void followRate(long bytes, long now, boolean ample) {
        if (now - since > roundTrip) {
            // these bytes came before the time that is measured from now on
            since = now;
            readSince = 0;
            return;
        }
        readSince += bytes;
        if (readSince >= window / 2 && ample) {
            long took = Math.max(now - since, SHORTEST_NANOS);
            long wanted = Math.min(2 * readSince * roundTrip / took, (long) MOST_AT_ONCE * window);
            window = (int) Math.min(most, Math.max(window, wanted));
            since = now;
            readSince = 0;
        }
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

    /** By how many bytes a stream, and the connection, may exceed the initial window. */
    int growth() {
        return window - initial;
    }
}
