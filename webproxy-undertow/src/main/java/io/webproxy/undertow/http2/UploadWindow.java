package io.webproxy.undertow.http2;

/**
 * How far the windows of uploads grow beyond what clients were told at first (RFC 9113 section 5.2): as long as half a
 * window is read within a round trip, it is doubled. So a distant client isn't held up, and one whose upstream is slow
 * gets no more than it reads.
 *
 * <p>A distant client would need many round trips to get there. So where the first half of a window is read much faster
 * than a round trip takes, as far as the answer to the settings has told that, the window becomes at once what this
 * rate needs.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread. Times are nanoseconds of a monotonic clock.
 */
final class UploadWindow {
    private static final long PAYLOAD = 0x7765_6270_7762_6470L;
    private static final long BETWEEN_PROBES_NANOS = 20_000_000L;
    /** Who answers later isn't far away, but slow. */
    private static final long LONGEST_ROUND_TRIP_NANOS = 1_000_000_000L;
    /** What is read in less was waiting here, and says little about a rate. */
    private static final long SHORTEST_NANOS = 1_000_000L;
    /** By how much a window grows at once at most, because few bytes say little too. */
    private static final int MOST_AT_ONCE = 16;

    private final int initial;
    private final int most;
    private final long settingsSent;
    private int window;
    private long read;
    private long readBefore;
    private boolean probing;
    private long lastProbe;
    /** Zero while it isn't known. */
    private long roundTrip;
    /** What was read since then. */
    private long since;

    private long readSince;

    /**
     * One that starts with {@code initial} bytes and has {@code most} at last; {@code now}: the time, in which the
     * settings are sent.
     */
    UploadWindow(int initial, int most, long now) {
        this.initial = initial;
        this.most = most;
        this.window = initial;
        this.settingsSent = now;
        this.since = now;
        this.lastProbe = now - BETWEEN_PROBES_NANOS;
    }

    /** The settings of this side were answered. */
    void settled(long now) {
        if (roundTrip == 0) {
            roundTrip = Math.min(now - settingsSent, LONGEST_ROUND_TRIP_NANOS);
        }
    }

    /**
     * Bytes of a body were read; {@code ample}: whether there is memory for more.
     *
     * @return whether the round trip is to be measured by a PING with {@link #payload}
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

    /** How many bytes more than at first a stream, and the connection, may have. */
    int growth() {
        return window - initial;
    }
}
