package io.webproxy.http;

/**
 * What one HTTP/2 connection of a client may do at most. Immutable; start from {@link #defaults()}.
 *
 * <p>The rates are frames in a second, 0 to 1,000,000, zero for no limit. A client above one of them is sent
 * {@code GOAWAY} with {@code ENHANCE_YOUR_CALM} (RFC 9113 section 10.5) and its connection ends. Who stays silent saves
 * up frames for one second.
 *
 * @param streams how many streams may be open at once, 1 to 1,000; what is above is refused by {@code REFUSED_STREAM},
 *     and the connection goes on
 * @param resets streams that the client resets, or makes the server reset by errors of its own
 * @param refusals streams that are refused because too many are open
 * @param pings {@code PING}; 16 KiB that were sent to the client allow one more, and each {@code DATA} four, because
 *     clients of gRPC measure round trips with each message
 * @param settings {@code SETTINGS}, acknowledgements included
 * @param emptyData {@code DATA} without a byte that doesn't end its stream
 * @param priorities {@code PRIORITY} and frames of unknown types
 * @param windowUpdates {@code WINDOW_UPDATE}; 1 KiB that was sent to the client allows one more, and each {@code DATA}
 *     four
 */
public record Http2Limits(
        int streams,
        int resets,
        int refusals,
        int pings,
        int settings,
        int emptyData,
        int priorities,
        int windowUpdates) {
    private static final Http2Limits DEFAULTS = new Http2Limits(128, 200, 1000, 500, 50, 100, 1000, 1000);
    private static final int MOST_STREAMS = 1000;
    private static final int MOST_FRAMES = 1_000_000;

    /** Checks every value. */
    public Http2Limits {
        check("streams", streams, 1, MOST_STREAMS);
        check("resets", resets, 0, MOST_FRAMES);
        check("refusals", refusals, 0, MOST_FRAMES);
        check("pings", pings, 0, MOST_FRAMES);
        check("settings", settings, 0, MOST_FRAMES);
        check("emptyData", emptyData, 0, MOST_FRAMES);
        check("priorities", priorities, 0, MOST_FRAMES);
        check("windowUpdates", windowUpdates, 0, MOST_FRAMES);
    }

    /**
     * 128 streams; in a second 200 resets, 1,000 refusals, 500 pings, 50 settings, 100 empty data, 1,000 priorities,
     * 1,000 window updates.
     */
    public static Http2Limits defaults() {
        return DEFAULTS;
    }

    /** The same with another number of open streams. */
    public Http2Limits withStreams(int count) {
        return new Http2Limits(count, resets, refusals, pings, settings, emptyData, priorities, windowUpdates);
    }

    /** The same with another rate of resets. */
    public Http2Limits withResets(int perSecond) {
        return new Http2Limits(streams, perSecond, refusals, pings, settings, emptyData, priorities, windowUpdates);
    }

    /** The same with another rate of refused streams. */
    public Http2Limits withRefusals(int perSecond) {
        return new Http2Limits(streams, resets, perSecond, pings, settings, emptyData, priorities, windowUpdates);
    }

    /** The same with another rate of {@code PING}. */
    public Http2Limits withPings(int perSecond) {
        return new Http2Limits(streams, resets, refusals, perSecond, settings, emptyData, priorities, windowUpdates);
    }

    /** The same with another rate of {@code SETTINGS}. */
    public Http2Limits withSettings(int perSecond) {
        return new Http2Limits(streams, resets, refusals, pings, perSecond, emptyData, priorities, windowUpdates);
    }

    /** The same with another rate of empty {@code DATA}. */
    public Http2Limits withEmptyData(int perSecond) {
        return new Http2Limits(streams, resets, refusals, pings, settings, perSecond, priorities, windowUpdates);
    }

    /** The same with another rate of {@code PRIORITY} and unknown frames. */
    public Http2Limits withPriorities(int perSecond) {
        return new Http2Limits(streams, resets, refusals, pings, settings, emptyData, perSecond, windowUpdates);
    }

    /** The same with another rate of {@code WINDOW_UPDATE}. */
    public Http2Limits withWindowUpdates(int perSecond) {
        return new Http2Limits(streams, resets, refusals, pings, settings, emptyData, priorities, perSecond);
    }

    private static void check(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "http2." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
    }
}
