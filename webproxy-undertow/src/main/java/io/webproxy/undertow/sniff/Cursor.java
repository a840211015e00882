package io.webproxy.undertow.sniff;

import java.nio.charset.StandardCharsets;

/**
 * Reads numbers and vectors in the presentation language of TLS (RFC 8446 section 3). When something is missing it
 * fails for good: nothing is left, and numbers are 0.
 */
final class Cursor {
    private final byte[] bytes;
    private int at;
    private int limit;
    private boolean failed;

    Cursor(byte[] bytes, int start, int end) {
        this.bytes = bytes;
        this.at = start;
        this.limit = end;
    }

    boolean hasFailed() {
        return failed;
    }

    /** Whether the current vector has bytes left. */
    boolean hasRemaining() {
        return !failed && at < limit;
    }

    int remaining() {
        return failed ? 0 : limit - at;
    }

    /** Reads a number of so many bytes. */
    int number(int width) {
        if (failed || limit - at < width) {
            failed = true;
            return 0;
        }
        int number = 0;
        for (int i = 0; i < width; i++) {
            number = number << 8 | (bytes[at++] & 0xff);
        }
        return number;
    }

    void skip(int count) {
        if (failed || limit - at < count) {
            failed = true;
        } else {
            at += count;
        }
    }

    /** Skips the rest of the vector. */
    void skipRest() {
        at = limit;
    }

    /**
     * Enters a vector whose length has this many bytes.
     *
     * @return the argument for {@link #leave}
     */
    int enter(int width) {
        int length = number(width);
        int outer = limit;
        if (failed || length > limit - at) {
            failed = true;
        } else {
            limit = at + length;
        }
        return outer;
    }

    /** Leaves a vector; it fails if any bytes of it are left. */
    void leave(int outer) {
        failed |= at != limit;
        limit = outer;
    }

    /** Reads a vector of at least one byte as ISO-8859-1. */
    String text(int width) {
        int length = number(width);
        int start = at;
        skip(length);
        failed |= length == 0;
        return failed ? "" : new String(bytes, start, length, StandardCharsets.ISO_8859_1);
    }
}
