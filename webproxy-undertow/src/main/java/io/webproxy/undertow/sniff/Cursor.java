package io.webproxy.undertow.sniff;

import java.nio.charset.StandardCharsets;

/**
 * Goes over numbers and vectors in the presentation language of TLS (RFC 8446 section 3). Once something isn't there it
 * has failed for good: there is nothing left, and numbers are 0.
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

    /** Whether something of the vector that was entered last is left. */
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

    /** Goes over the rest of the vector. */
    void skipRest() {
        at = limit;
    }

    /**
     * Goes into a vector whose length stands in so many bytes.
     *
     * @return what {@link #leave} wants
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

    /** Goes out of a vector, of which nothing may be left. */
    void leave(int outer) {
        failed |= at != limit;
        limit = outer;
    }

    /** Reads a vector of bytes, one at least, as ISO-8859-1. */
    String text(int width) {
        int length = number(width);
        int start = at;
        skip(length);
        failed |= length == 0;
        return failed ? "" : new String(bytes, start, length, StandardCharsets.ISO_8859_1);
    }
}
