package io.webproxy.undertow.http2;

import io.webproxy.http.Http2Limits;
import io.webproxy.undertow.deadline.TokenBucket;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Limits the frames of one HTTP/2 connection that cost this side more than the peer (RFC 9113 section 10.5): a token
 * bucket for each kind, sized and refilled for one second.
 *
 * <p>Not thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class FloodMeter {
    private static final long SECOND = 1_000_000_000L;
    private static final int BYTES_FOR_A_WINDOW_UPDATE = 1024;
    private static final int BYTES_FOR_A_PING = 16 * 1024;
    /** gRPC servers and clients update windows and measure round trips with each message, however small. */
    private static final int FRAMES_FOR_A_MESSAGE = 4;

    private static final long MOST_EARNED = 1 << 20;

    /** The kinds of frames that are counted. */
    enum Kind {
        RESET,
        REFUSAL,
        PING,
        SETTINGS,
        EMPTY_DATA,
        PRIORITY,
        WINDOW_UPDATE
    }

    private final Map<Kind, Bucket> buckets = new EnumMap<>(Kind.class);
    private final LongSupplier nanoClock;
    private long sent;
    private long messages;
    private long pieces;

    FloodMeter(Http2Limits limits, LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        put(Kind.RESET, limits.resets());
        put(Kind.REFUSAL, limits.refusals());
        put(Kind.PING, limits.pings());
        put(Kind.SETTINGS, limits.settings());
        put(Kind.EMPTY_DATA, limits.emptyData());
        put(Kind.PRIORITY, limits.priorities());
        put(Kind.WINDOW_UPDATE, limits.windowUpdates());
    }

    private void put(Kind kind, int perSecond) {
        if (perSecond > 0) {
            buckets.put(kind, new Bucket(perSecond, nanoClock.getAsLong()));
        }
    }

    /** Counts a frame; returns whether it exceeds the limit. */
    boolean exceeds(Kind kind) {
        Bucket bucket = buckets.get(kind);
        return bucket != null && !bucket.take(nanoClock.getAsLong()) && !takeEarned(kind, bucket);
    }

    /** This side, a client, has sent a head or a piece of a body, which the peer will answer. */
    void asked() {
        messages++;
    }

    /** A piece of a body was sent to the peer, which will update windows and measure round trips for it. */
    void sent(long bytes) {
        sent += bytes;
        pieces++;
    }

    private boolean takeEarned(Kind kind, Bucket bucket) {
        long earned = switch (kind) {
            case WINDOW_UPDATE -> sent / BYTES_FOR_A_WINDOW_UPDATE + (messages + pieces) * FRAMES_FOR_A_MESSAGE;
            case PING -> sent / BYTES_FOR_A_PING + (messages + pieces) * FRAMES_FOR_A_MESSAGE;
            case EMPTY_DATA, RESET -> messages * FRAMES_FOR_A_MESSAGE;
            default -> 0;
        };
        if (earned - bucket.spent > MOST_EARNED) {
            bucket.spent = earned - MOST_EARNED;
        }
        if (bucket.spent >= earned) {
            return false;
        }
        bucket.spent++;
        return true;
    }

    /** The bucket of one kind; its size is the number of frames allowed in a second. */
    private static final class Bucket {
        private final TokenBucket tokens;
        private final int perSecond;
        /** How many of the tokens earned by what was sent were spent. */
        private long spent;

        Bucket(int perSecond, long now) {
            this.tokens = new TokenBucket(now);
            this.perSecond = perSecond;
        }

        boolean take(long now) {
            return tokens.take(perSecond, SECOND / perSecond, now) == 0;
        }
    }
}
