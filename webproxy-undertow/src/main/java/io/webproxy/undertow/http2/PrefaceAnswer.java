package io.webproxy.undertow.http2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Recognises by an upstream's first bytes that it answers HTTP/2's preface in HTTP/1.1. */
final class PrefaceAnswer {
    /** The start of an HTTP/1.1 response; as the head of a frame its length is too large. */
    private static final byte[] HTTP_1 = "HTTP/1.".getBytes(StandardCharsets.US_ASCII);

    private boolean begun;
    private boolean http11;

    /** Bytes were read, for watching only. */
    void read(ByteBuffer bytes) {
        if (!begun) {
            begun = true;
            http11 = startsWith(bytes, HTTP_1);
        }
    }

    private static boolean startsWith(ByteBuffer bytes, byte[] text) {
        for (int i = 0; i < text.length; i++) {
            if (i >= bytes.remaining() || bytes.get(bytes.position() + i) != text[i]) {
                return false;
            }
        }
        return true;
    }

    boolean isHttp11() {
        return http11;
    }
}
