package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.ErrorCode.FRAME_SIZE_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.PROTOCOL_ERROR;

import java.nio.charset.StandardCharsets;

/** Validates frames by their head alone (RFC 9113 sections 4.2 and 6). Pure. */
final class FrameRules {
    /** The longest payload in bytes, unless a peer has announced another. */
    static final int LONGEST = 16_384;

    /** The client's connection preface (RFC 9113 section 3.4). */
    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    private FrameRules() {}

    /** The client's connection preface. */
    static byte[] preface() {
        return PREFACE.getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * The connection error of a frame, else -1.
     *
     * @param newest the highest stream that the client has opened
     * @param fromClient whether the client sent it; only clients open streams
     */
    static int problem(FrameHead head, int newest, boolean fromClient) {
        if (head.length() > LONGEST) {
            return FRAME_SIZE_ERROR;
        }
        boolean idle = head.stream() > newest || (head.stream() != 0 && head.stream() % 2 == 0);
        return switch (head.type()) {
            case FrameHead.SETTINGS ->
                head.stream() != 0
                        ? PROTOCOL_ERROR
                        : head.length() % 6 != 0 || (head.has(FrameHead.ACK) && head.length() != 0)
                                ? FRAME_SIZE_ERROR
                                : -1;
            case FrameHead.PING -> head.stream() != 0 ? PROTOCOL_ERROR : sized(head, 8);
            case FrameHead.GOAWAY -> head.stream() != 0 ? PROTOCOL_ERROR : head.length() < 8 ? FRAME_SIZE_ERROR : -1;
            case FrameHead.WINDOW_UPDATE -> idle ? PROTOCOL_ERROR : sized(head, 4);
            case FrameHead.RST_STREAM -> head.stream() == 0 || idle ? PROTOCOL_ERROR : sized(head, 4);
            case FrameHead.DATA ->
                head.stream() == 0 || idle || (head.has(FrameHead.PADDED) && head.length() == 0) ? PROTOCOL_ERROR : -1;
            case FrameHead.HEADERS -> head.stream() % 2 == 0 || (idle && !fromClient) ? PROTOCOL_ERROR : -1;
            case FrameHead.PRIORITY -> head.stream() == 0 ? PROTOCOL_ERROR : -1;
            case FrameHead.PUSH_PROMISE -> PROTOCOL_ERROR;
            default -> -1;
        };
    }

    private static int sized(FrameHead head, int length) {
        return head.length() == length ? -1 : FRAME_SIZE_ERROR;
    }
}
