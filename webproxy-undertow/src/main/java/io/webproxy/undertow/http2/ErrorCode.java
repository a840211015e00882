package io.webproxy.undertow.http2;

import java.util.List;

/** Error codes of {@code RST_STREAM} and {@code GOAWAY} (RFC 9113 section 7). */
final class ErrorCode {
    static final int NO_ERROR = 0;
    static final int PROTOCOL_ERROR = 1;
    static final int INTERNAL_ERROR = 2;
    static final int FLOW_CONTROL_ERROR = 3;
    static final int STREAM_CLOSED = 5;
    static final int FRAME_SIZE_ERROR = 6;
    static final int REFUSED_STREAM = 7;
    static final int CANCEL = 8;
    static final int COMPRESSION_ERROR = 9;
    static final int ENHANCE_YOUR_CALM = 0xb;
    static final int HTTP_1_1_REQUIRED = 0xd;

    /** By number (RFC 9113 section 7). */
    private static final List<String> NAMES = List.of(
            "NO_ERROR",
            "PROTOCOL_ERROR",
            "INTERNAL_ERROR",
            "FLOW_CONTROL_ERROR",
            "SETTINGS_TIMEOUT",
            "STREAM_CLOSED",
            "FRAME_SIZE_ERROR",
            "REFUSED_STREAM",
            "CANCEL",
            "COMPRESSION_ERROR",
            "CONNECT_ERROR",
            "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY",
            "HTTP_1_1_REQUIRED");

    private ErrorCode() {}

    /** The name of a code for logs, or its number if RFC 9113 doesn't define it. */
    static String name(int code) {
        return code >= 0 && code < NAMES.size() ? NAMES.get(code) : "code " + Integer.toUnsignedString(code);
    }
}
