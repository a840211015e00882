package io.webproxy.undertow.websocket;

import java.nio.ByteBuffer;

/**
 * Follows one direction of a WebSocket to find the gaps between frames (RFC 6455 section 5.2), where a control frame
 * may be inserted, even within a fragmented message (section 5.4).
 *
 * <p>Takes any bytes, in pieces of any size, in constant memory. Not thread-safe.
 */
public final class FrameTracker {
    private static final int SHORTEST_HEADER = 2;
    private static final int MASK = 4;

    private int headerSeen;
    private int headerLength = SHORTEST_HEADER;
    private int lengthEnd = SHORTEST_HEADER;
    private long payload;

    /** Whether the last byte ended a frame, or there was none yet. */
    public boolean isBetweenFrames() {
        return headerSeen == 0;
    }

    /** At least how many bytes are left until the end of the current frame; 0 between frames. */
    public long untilGap() {
        if (headerSeen == 0) {
            return 0;
        }
        return headerSeen < headerLength ? headerLength - headerSeen : payload;
    }

    /** Follows the bytes of a buffer, up to its limit. */
    public void pass(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            passFrame(bytes);
        }
    }

    /** Follows the bytes of a buffer, up to the end of the current frame or the buffer's limit. */
    public void passFrame(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            if (headerSeen < headerLength) {
                header(bytes.get() & 0xff);
            } else {
                int step = (int) Math.min(payload, bytes.remaining());
                bytes.position(bytes.position() + step);
                payload -= step;
            }
            if (headerSeen == headerLength && payload == 0) {
                headerSeen = 0;
                headerLength = SHORTEST_HEADER;
                return;
            }
        }
    }

    private void header(int b) {
        headerSeen++;
        if (headerSeen == SHORTEST_HEADER) {
            int length = b & 0x7f;
            payload = length < 126 ? length : 0;
            lengthEnd = SHORTEST_HEADER + (length < 126 ? 0 : length == 126 ? 2 : 8);
            headerLength = lengthEnd + ((b & 0x80) != 0 ? MASK : 0);
        } else if (headerSeen > SHORTEST_HEADER && headerSeen <= lengthEnd) {
            payload = payload << 8 | b;
        }
        if (headerSeen == headerLength && payload < 0) {
            // a length above 2^63 is invalid: the frame never ends
            payload = Long.MAX_VALUE;
        }
    }
}
