package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * The {@code Sec-WebSocket-Accept} field: proof in a 101 that the upstream understood the WebSocket handshake (RFC 6455
 * section 4.2.2).
 */
final class WebSocketAccept {
    static final HttpString KEY = new HttpString("Sec-WebSocket-Key");
    private static final HttpString ACCEPT = new HttpString("Sec-WebSocket-Accept");
    private static final String MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    private WebSocketAccept() {}

    /** Whether a response has the right one for the request's key. */
    static boolean isAnswer(HeaderMap request, HeaderMap answer) {
        String key = request.getFirst(KEY);
        return key != null && of(key).equals(answer.getFirst(ACCEPT));
    }

    /** Adds the right one: an HTTP/2 upstream has no key to prove anything with (RFC 8441 section 5). */
    static void addTo(HeaderMap answer, HeaderMap request) {
        String key = request.getFirst(KEY);
        if (key != null) {
            answer.put(ACCEPT, of(key));
        }
    }

    private static String of(String key) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-1").digest((key + MAGIC).getBytes(StandardCharsets.US_ASCII));
            return Base64.getEncoder().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
