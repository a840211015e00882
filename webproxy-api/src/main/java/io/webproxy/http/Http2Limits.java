package io.webproxy.http;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The limits of one HTTP/2 connection of a client. Immutable; start from {@link #defaults()}.
 *
 * <p>The rates are frames in a second, 0 to 1,000,000, zero for no limit. A client that exceeds one gets {@code GOAWAY}
 * with {@code ENHANCE_YOUR_CALM} (RFC 9113 section 10.5), and its connection ends. An idle client saves up the frames
 * of one second.
 */
public final class Http2Limits {
    private static final Http2Limits DEFAULTS = new Http2Limits(new Values());
    private static final int MOST_STREAMS = 1000;
    private static final int MOST_FRAMES = 1_000_000;

    /** Not changed any more. */
    private final Values values;

    private Http2Limits(Values values) {
        this.values = values;
    }

    /**
     * 128 streams; in a second 200 resets, 1,000 refusals, 500 pings, 50 settings, 100 empty data, 1,000 priorities,
     * 1,000 window updates.
     */
    public static Http2Limits defaults() {
        return DEFAULTS;
    }

    /** The same with another number of open streams, 1 to 1,000. */
    public Http2Limits withStreams(int count) {
        return with(to -> to.streams = checked("streams", count, 1, MOST_STREAMS));
    }

    /** The same with another rate of resets. */
    public Http2Limits withResets(int perSecond) {
        return with(to -> to.resets = rate("resets", perSecond));
    }

    /** The same with another rate of refused streams. */
    public Http2Limits withRefusals(int perSecond) {
        return with(to -> to.refusals = rate("refusals", perSecond));
    }

    /** The same with another rate of {@code PING}. */
    public Http2Limits withPings(int perSecond) {
        return with(to -> to.pings = rate("pings", perSecond));
    }

    /** The same with another rate of {@code SETTINGS}. */
    public Http2Limits withSettings(int perSecond) {
        return with(to -> to.settings = rate("settings", perSecond));
    }

    /** The same with another rate of empty {@code DATA}. */
    public Http2Limits withEmptyData(int perSecond) {
        return with(to -> to.emptyData = rate("emptyData", perSecond));
    }

    /** The same with another rate of {@code PRIORITY} and unknown frames. */
    public Http2Limits withPriorities(int perSecond) {
        return with(to -> to.priorities = rate("priorities", perSecond));
    }

    /** The same with another rate of {@code WINDOW_UPDATE}. */
    public Http2Limits withWindowUpdates(int perSecond) {
        return with(to -> to.windowUpdates = rate("windowUpdates", perSecond));
    }

    /**
     * How many streams may be open at once; further ones are refused with {@code REFUSED_STREAM}, and the connection
     * continues.
     */
    public int streams() {
        return values.streams;
    }

    /** Streams that the client resets, or makes the server reset by protocol errors. */
    public int resets() {
        return values.resets;
    }

    /** Streams that are refused because too many are open. */
    public int refusals() {
        return values.refusals;
    }

    /**
     * {@code PING}; each 16 KiB sent to the client allow one more, and each {@code DATA} four more, because gRPC
     * clients measure round trips with each message.
     */
    public int pings() {
        return values.pings;
    }

    /** {@code SETTINGS}, acknowledgements included. */
    public int settings() {
        return values.settings;
    }

    /** {@code DATA} without bytes that doesn't end its stream. */
    public int emptyData() {
        return values.emptyData;
    }

    /** {@code PRIORITY} and frames of unknown types. */
    public int priorities() {
        return values.priorities;
    }

    /** {@code WINDOW_UPDATE}; each 1 KiB sent to the client allows one more, and each {@code DATA} four more. */
    public int windowUpdates() {
        return values.windowUpdates;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Http2Limits limits && values.all().equals(limits.values.all());
    }

    @Override
    public int hashCode() {
        return values.all().hashCode();
    }

    @Override
    public String toString() {
        return "Http2Limits[streams=" + streams() + ", resets=" + resets() + ", refusals=" + refusals() + ", pings="
                + pings() + ", settings=" + settings() + ", emptyData=" + emptyData() + ", priorities=" + priorities()
                + ", windowUpdates=" + windowUpdates() + "]";
    }

    private Http2Limits with(Consumer<Values> change) {
        Values changed = new Values(values);
        change.accept(changed);
        return new Http2Limits(changed);
    }

    private static int rate(String name, int perSecond) {
        return checked(name, perSecond, 0, MOST_FRAMES);
    }

    private static int checked(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "http2." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
        return value;
    }

    /** The values, which are changed only before they are in limits. */
    private static final class Values {
        private int streams = 128;
        private int resets = 200;
        private int refusals = 1000;
        private int pings = 500;
        private int settings = 50;
        private int emptyData = 100;
        private int priorities = 1000;
        private int windowUpdates = 1000;

        Values() {}

        Values(Values from) {
            streams = from.streams;
            resets = from.resets;
            refusals = from.refusals;
            pings = from.pings;
            settings = from.settings;
            emptyData = from.emptyData;
            priorities = from.priorities;
            windowUpdates = from.windowUpdates;
        }

        List<Integer> all() {
            return List.of(streams, resets, refusals, pings, settings, emptyData, priorities, windowUpdates);
        }
    }
}
