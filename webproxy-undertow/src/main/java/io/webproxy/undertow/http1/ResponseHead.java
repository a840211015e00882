package io.webproxy.undertow.http1;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import io.webproxy.undertow.message.FieldLines;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes response heads and trailers in HTTP/1.1 form (RFC 9112 sections 4 and 5). Control characters become spaces, so
 * that no upstream or handler can start a line. One instance per IO thread.
 */
final class ResponseHead {
    private static final ThreadLocal<ResponseHead> OF_THREAD = ThreadLocal.withInitial(ResponseHead::new);
    private static final int LOWEST = 100;
    private static final int HIGHEST = 599;
    private static final byte[] @Nullable [] LINES = new byte[HIGHEST + 1][];

    private byte[] bytes = new byte[2048];
    private int length;

    private ResponseHead() {}

    /** The instance of this thread, emptied. */
    static ResponseHead empty() {
        ResponseHead head = OF_THREAD.get();
        head.length = 0;
        return head;
    }

    /** The bytes, from index 0 on. */
    byte[] bytes() {
        return bytes;
    }

    /** How many bytes there are. */
    int length() {
        return length;
    }

    /**
     * The first line.
     *
     * @param reason null or empty for the usual one
     */
    ResponseHead status(HttpString protocol, int status, @Nullable String reason) {
        text(protocol);
        boolean usual = reason == null || reason.isEmpty() || reason.equals(usualReason(status));
        if (usual && status >= LOWEST && status <= HIGHEST) {
            byte[] line = LINES[status];
            if (line == null) {
                line = (" " + status + " " + usualReason(status) + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
                LINES[status] = line;
            }
            room(line.length);
            System.arraycopy(line, 0, bytes, length, line.length);
            length += line.length;
        } else {
            text(" " + status + " " + (reason == null ? "" : reason));
            lineEnd();
        }
        return this;
    }

    private static String usualReason(int status) {
        // RFC 8297, which Undertow 2.4.4 doesn't know; canary: UndertowDefectsTest.statusesOfLaterRfcsAreUnknown
        return status == 103 ? "Early Hints" : StatusCodes.getReason(status);
    }

    /** Field lines. */
    ResponseHead fields(HeaderMap fields) {
        for (long i = fields.fastIterateNonEmpty(); i != -1; i = fields.fiNextNonEmpty(i)) {
            HeaderValues all = fields.fiCurrent(i);
            HttpString name = all.getHeaderName();
            List<String> values = FieldLines.lines(all);
            for (int v = 0; v < values.size(); v++) {
                text(name);
                room(2);
                bytes[length++] = ':';
                bytes[length++] = ' ';
                text(values.get(v));
                lineEnd();
            }
        }
        return this;
    }

    /** The end of a line, or of all lines. */
    ResponseHead lineEnd() {
        room(2);
        bytes[length++] = '\r';
        bytes[length++] = '\n';
        return this;
    }

    private void text(HttpString name) {
        room(name.length());
        name.copyTo(bytes, length);
        length += name.length();
    }

    /** One byte for each character. */
    ResponseHead text(String text) {
        int count = text.length();
        room(count);
        lowBytes(text, count, bytes, length);
        for (int end = length + count; length < end; length++) {
            byte b = bytes[length];
            if ((b >= 0 && b < ' ' && b != '\t') || b == 0x7f) {
                bytes[length] = ' ';
            }
        }
        return this;
    }

    @SuppressWarnings("deprecation") // the only way without an array for each text
    private static void lowBytes(String text, int count, byte[] into, int at) {
        text.getBytes(0, count, into, at);
    }

    private void room(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
        }
    }
}
