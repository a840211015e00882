package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.ContentLength;
import io.webproxy.undertow.message.FieldLines;

/** The fields of one response head, or of the trailer section of a response (RFC 9113 section 8.3.2). */
final class ResponseFields extends FieldBlock {
    private static final int NONE = -1;
    private static final int LEAST = 100;
    private static final int MOST = 599;
    private static final int SWITCHING_PROTOCOLS = 101;

    private int status = NONE;
    private long contentLength = NONE;

    /** An empty block; {@code mostBytes} counts names, values and separators. */
    ResponseFields(int mostBytes, int mostFields) {
        super(mostBytes, mostFields);
    }

    @Override
    boolean pseudo(String name, String value) {
        if (!name.equals(":status") || status != NONE || value.length() != 3) {
            return false;
        }
        int code = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < '0' || c > '9') {
                return false;
            }
            code = 10 * code + c - '0';
        }
        status = code;
        return code >= LEAST && code <= MOST;
    }

    @Override
    void add(HeaderMap to, HttpString name, String value) {
        FieldLines.addOfResponse(to, name, value);
    }

    /** Whether it is a valid head; HTTP/2 has no 101 (RFC 9113 section 8.6). */
    boolean isHead() {
        if (isMalformed() || status == NONE || status == SWITCHING_PROTOCOLS) {
            return false;
        }
        HeaderMap fields = fields();
        HeaderValues lengths = fields.get(Headers.CONTENT_LENGTH);
        if (lengths != null) {
            for (String value : lengths) {
                long parsed = ContentLength.parse(value);
                if (parsed < 0 || (contentLength != NONE && parsed != contentLength)) {
                    return false;
                }
                contentLength = parsed;
            }
            fields.put(Headers.CONTENT_LENGTH, Long.toString(contentLength));
        }
        return true;
    }

    /** The status, after {@link #isHead} has returned true. */
    int status() {
        return status;
    }

    /** The announced length of the body, -1 if there is none; after {@link #isHead} has returned true. */
    long contentLength() {
        return contentLength;
    }
}
