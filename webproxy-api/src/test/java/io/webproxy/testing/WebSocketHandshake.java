package io.webproxy.testing;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The opening handshake of a WebSocket (RFC 6455 section 4), as texts of a {@link RawConnection}. */
public final class WebSocketHandshake {
    /** Asks for {@code /ws}, with the key of the RFC's example. */
    public static final String REQUEST =
            "GET /ws HTTP/1.1¶Host: localhost¶Upgrade: websocket¶Connection: keep-alive, Upgrade¶"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==¶Sec-WebSocket-Version: 13¶¶";

    /** Agrees to that request, and to any with its key. */
    public static final String ACCEPTED = "HTTP/1.1 101 Switching Protocols¶Upgrade: websocket¶Connection: Upgrade¶"
            + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=¶¶";

    private static final Pattern KEY = Pattern.compile("\r\nSec-WebSocket-Key: (\\S+)\r\n");

    private WebSocketHandshake() {}

    /** Agrees to the request with this head, whatever its key is; each of {@code fields} is {@code name: value}. */
    public static String answerTo(String head, String... fields) {
        Matcher key = KEY.matcher(head);
        if (!key.find()) {
            throw new AssertionError("no key: " + head);
        }
        StringBuilder answer =
                new StringBuilder("HTTP/1.1 101 Switching Protocols¶Upgrade: websocket¶Connection: Upgrade¶");
        for (String field : fields) {
            answer.append(field).append('¶');
        }
        return answer.append("Sec-WebSocket-Accept: ")
                .append(accept(key.group(1)))
                .append("¶¶")
                .toString();
    }

    /** What {@code Sec-WebSocket-Accept} has for a key. */
    public static String accept(String key) {
        try {
            byte[] text = (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(StandardCharsets.US_ASCII);
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("SHA-1").digest(text));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
