package io.webproxy.undertow.http2;

import java.nio.ByteBuffer;

/**
 * The nine-byte head of an HTTP/2 frame (RFC 9113 section 4.1).
 *
 * @param length of the payload
 */
record FrameHead(int length, int type, int flags, int stream) {
    static final int BYTES = 9;

    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int ACK = 1;
    static final int END_STREAM = 1;
    static final int END_HEADERS = 4;
    static final int PADDED = 8;
    static final int WITH_PRIORITY = 32;

    static FrameHead of(ByteBuffer bytes) {
        int lengthAndType = bytes.getInt();
        int flags = bytes.get() & 0xff;
        return new FrameHead(lengthAndType >>> 8, lengthAndType & 0xff, flags, bytes.getInt() & Integer.MAX_VALUE);
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** A frame with this head, and room for the payload after it. */
    ByteBuffer frame() {
        return ByteBuffer.allocate(BYTES + length)
                .putInt(length << 8 | type)
                .put((byte) flags)
                .putInt(stream);
    }
}
