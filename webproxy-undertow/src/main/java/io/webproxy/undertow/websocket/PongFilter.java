package io.webproxy.undertow.websocket;

import java.nio.ByteBuffer;

/**
 * Removes the pongs to the proxy's own pings from what a client sends: the upstream sent no pings.
 *
 * <p>It holds back up to 13 bytes that may be the start of such a pong until the rest has arrived. Not thread-safe.
 */
public final class PongFilter {
    private static final int LENGTH = 2 + 4 + ControlFrames.TOKEN;

    private final long token;
    private final FrameTracker frames = new FrameTracker();
    private final byte[] held = new byte[LENGTH];
    private int heldCount;

    /** For pongs with this payload. */
    public PongFilter(long token) {
        this.token = token;
    }

    /** Puts the held bytes before the next ones. */
    public void restore(ByteBuffer into) {
        into.put(held, 0, heldCount);
        heldCount = 0;
    }

    /**
     * Removes pongs from a buffer that is ready to be read, in place.
     *
     * @param last whether nothing follows, so that nothing may be held back
     */
    public void filter(ByteBuffer bytes, boolean last) {
        int kept = bytes.position();
        ByteBuffer rest = bytes.duplicate();
        while (rest.hasRemaining()) {
            int start = rest.position();
            if (frames.isBetweenFrames() && mayBePong(rest)) {
                if (rest.remaining() >= LENGTH) {
                    rest.position(start + LENGTH);
                    continue;
                }
                if (!last) {
                    heldCount = rest.remaining();
                    rest.get(held, 0, heldCount);
                    break;
                }
            }
            frames.passFrame(rest);
            kept = move(bytes, start, rest.position(), kept);
        }
        bytes.limit(kept);
    }

    /** Whether the next bytes are such a pong, as far as they have arrived. */
    private boolean mayBePong(ByteBuffer rest) {
        int start = rest.position();
        int there = Math.min(LENGTH, rest.remaining());
        for (int i = 0; i < there; i++) {
            int b = rest.get(start + i) & 0xff;
            boolean fits = switch (i) {
                case 0 -> b == ControlFrames.PONG;
                case 1 -> b == (ControlFrames.MASKED | ControlFrames.TOKEN);
                case 2, 3, 4, 5 -> true;
                default -> {
                    int mask = rest.get(start + 2 + (i - 6) % 4) & 0xff;
                    yield (b ^ mask) == (int) ((token >>> (8 * (ControlFrames.TOKEN - 1 - (i - 6)))) & 0xff);
                }
            };
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    private static int move(ByteBuffer bytes, int from, int end, int to) {
        if (from != to) {
            bytes.put(to, bytes, from, end - from);
        }
        return to + end - from;
    }
}
