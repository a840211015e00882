package io.webproxy.undertow.http2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Tells by the first bytes of an upstream whether it answers HTTP/2's preface as a server of HTTP/1.1. */
final class PrefaceAnswer {
    /** What the first line of an HTTP/1.1 response begins with; as the head of a frame, it is one that is too long. */
    private static final byte[] HTTP_1 = "HTTP/1.".getBytes(StandardCharsets.US_ASCII);

    private boolean begun;
    private boolean http11;

    /** Bytes have come, which are only looked at. */
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
