package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.ContentLength;
import io.webproxy.undertow.message.Deviation;
import io.webproxy.undertow.message.FieldParser;
import io.webproxy.undertow.message.Leniency;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Parses HTTP/1.1 response heads (RFC 9112 sections 4 to 6) within limits, strictly but for what a leniency admits.
 *
 * <p>Pure and total: input may be split anywhere, and bad input is an answer, not an exception. One parser serves all
 * heads of a connection. Not thread-safe.
 */
final class ResponseParser {
    /** What {@link #feed} found. */
    enum Result {
        MORE,
        HEAD,
        INVALID,
        TOO_LARGE
    }

    private static final int USUAL_BYTES = 512;
    private static final int SWITCHING_PROTOCOLS = 101;
    private static final int HIGHEST_STATUS = 599;
    /** A frame of settings after its length: type, no flags, stream 0. */
    private static final byte[] SETTINGS = {4, 0, 0, 0, 0, 0};

    private static final String HTTP2 = "HTTP/2 in answer to HTTP/1.1"
            + " (expected: h2c:// for such an upstream, and extended CONNECT for its WebSockets)";

    /** What helps with the deviations that a leniency admits. */
    static final String REMEDY = " (expected: an update of the upstream, or Upstream.lenientResponses() for it)";

    private final FieldParser fields;
    private final int maxBytes;
    private final int maxFields;
    private final Leniency leniency;
    private byte[] bytes = new byte[USUAL_BYTES];
    private int length;
    private int matched;
    private String problem = "";
    private @Nullable ParsedHead head;

    /**
     * A parser of heads.
     *
     * @param fields parses the field lines; parsers of one thread may share it
     */
    ResponseParser(FieldParser fields, int maxBytes, int maxFields, Leniency leniency) {
        this.fields = fields;
        this.maxBytes = maxBytes;
        this.maxFields = maxFields;
        this.leniency = leniency;
    }

    /** What may be admitted, and was. */
    Leniency leniency() {
        return leniency;
    }

    /** Whether a byte of the head has arrived. */
    boolean hasBegun() {
        return length > 0;
    }

    /** The problem, after {@code INVALID} or {@code TOO_LARGE}. */
    String problem() {
        return problem;
    }

    /** No head follows: frees the memory. */
    void release() {
        bytes = new byte[0];
    }

    /** The head, after {@code HEAD}; the parser is ready for the next one. */
    ParsedHead take() {
        ParsedHead taken = head;
        if (taken == null) {
            throw new IllegalStateException("no complete head");
        }
        head = null;
        return taken;
    }

    /**
     * Consumes bytes up to the end of a head; what follows stays in the buffer.
     *
     * @param noBody whether the request was HEAD, so that no body follows whatever the fields say
     */
    Result feed(ByteBuffer buffer, boolean noBody) {
        while (buffer.hasRemaining()) {
            if (length == maxBytes) {
                problem = "the response head is above " + maxBytes + " bytes";
                return Result.TOO_LARGE;
            }
            if (length == bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.min(maxBytes, Math.max(USUAL_BYTES, length * 2)));
            }
            int from = length;
            int room = Math.min(maxBytes, bytes.length) - from;
            int count = Math.min(buffer.remaining(), Math.min(room, USUAL_BYTES));
            buffer.get(buffer.position(), bytes, from, count);
            boolean isClean = look(from + count);
            buffer.position(buffer.position() + length - from);
            if (!isClean) {
                return invalid(
                        isSettings(from + count)
                                ? HTTP2
                                : bytes[length - 1] == '\n'
                                        ? "a line that ends with LF alone" + REMEDY
                                        : "a control character in the response head");
            }
            if (matched == 4) {
                return complete(noBody);
            }
        }
        return Result.MORE;
    }

    /** Checks bytes up to the end of the head, if it has arrived; returns false at an invalid byte. */
    private boolean look(int end) {
        byte[] in = bytes;
        int found = matched;
        int at = length;
        boolean isClean = true;
        while (at < end && found < 4 && isClean) {
            byte b = in[at++];
            if (b > '\r') {
                found = 0;
            } else if (b == (found % 2 == 0 ? '\r' : '\n')) {
                found++;
            } else if (b == '\n' && leniency.isLenient()) {
                found = found == 0 ? 2 : 4;
            } else {
                found = b == '\r' ? 1 : 0;
                isClean = b != '\n' && b != 0;
            }
        }
        matched = found;
        length = at;
        return isClean;
    }

    /** Whether it starts with the frame that every HTTP/2 server sends first (RFC 9113 section 3.4). */
    private boolean isSettings(int end) {
        int from = 3;
        int until = from + SETTINGS.length;
        return end >= until && bytes[0] == 0 && Arrays.equals(bytes, from, until, SETTINGS, 0, SETTINGS.length);
    }

    private Result complete(boolean noBody) {
        int end = length;
        length = 0;
        matched = 0;
        if (leniency.isLenient() && HeadRepair.isNeeded(bytes, end)) {
            HeadRepair repair = new HeadRepair(bytes, end, leniency);
            String left = repair.problem();
            return left == null ? parse(repair.bytes(), repair.length(), noBody) : invalid(left);
        }
        return parse(bytes, end, noBody);
    }

    private Result parse(byte[] bytes, int end, boolean noBody) {
        int lineEnd = FieldParser.lineEnd(bytes, 0, end);
        if (lineEnd < 12
                || !startsWith(bytes, "HTTP/1.")
                || !isDigit(bytes[7])
                || bytes[8] != ' '
                || !isDigit(bytes[9])
                || !isDigit(bytes[10])
                || !isDigit(bytes[11])
                || (lineEnd > 12 && bytes[12] != ' ')) {
            return invalid("no HTTP/1.1 status line");
        }
        for (int i = 12; i < lineEnd; i++) {
            if (!FieldParser.isValueByte(bytes[i])) {
                return invalid("a control character in the status line");
            }
        }
        int status = (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + bytes[11] - '0';
        if (status < 100 || (status > HIGHEST_STATUS && !leniency.admits(Deviation.STATUS_ABOVE_599))) {
            return invalid("status " + status + (status < 100 ? "" : REMEDY));
        }
        String reason = lineEnd > 13 ? new String(bytes, 13, lineEnd - 13, StandardCharsets.ISO_8859_1) : "";
        HeaderMap map = new HeaderMap();
        String wrong = fields.parse(bytes, lineEnd + 2, end, maxFields, map);
        if (wrong != null) {
            if (map.size() > maxFields || wrong.startsWith("more than")) {
                problem = wrong;
                return Result.TOO_LARGE;
            }
            return invalid(wrong.equals(FieldParser.FOLDED) ? wrong + REMEDY : wrong);
        }
        return framed(status, reason, bytes[7] == '0', map, noBody);
    }

    private Result framed(int status, String reason, boolean http10, HeaderMap map, boolean noBody) {
        HeaderValues encoding = map.get(Headers.TRANSFER_ENCODING);
        HeaderValues lengths = map.get(Headers.CONTENT_LENGTH);
        long contentLength = -1;
        if (lengths != null) {
            for (int i = 0; i < lengths.size(); i++) {
                long parsed = number(lengths.get(i));
                if (parsed < 0 || (contentLength >= 0 && parsed != contentLength)) {
                    return invalid("a Content-Length that isn't one number");
                }
                contentLength = parsed;
            }
            String first = lengths.getFirst();
            if (lengths.size() > 1 || first.charAt(0) == '0' || first.indexOf(',') > 0) {
                map.put(Headers.CONTENT_LENGTH, Long.toString(contentLength));
            }
        }
        if (encoding != null) {
            if (encoding.size() != 1 || !encoding.getFirst().equalsIgnoreCase("chunked")) {
                return invalid("a Transfer-Encoding other than chunked");
            }
            if (contentLength >= 0 && !isChunked(status, Deviation.LENGTH_BESIDE_CHUNKS)) {
                return invalid("both Content-Length and Transfer-Encoding" + REMEDY);
            }
            if (http10 && !isChunked(status, Deviation.CHUNKS_OF_HTTP_1_0)) {
                return invalid("a Transfer-Encoding with HTTP/1.0" + REMEDY);
            }
            if (contentLength >= 0) {
                // it would be forwarded as a second framing, or alone with the answer to HEAD
                map.remove(Headers.CONTENT_LENGTH);
                contentLength = -1;
            }
        }
        boolean bodyless = noBody || status < 200 || status == 204 || status == 304;
        ParsedHead.Framing framing = bodyless
                ? ParsedHead.Framing.NONE
                : encoding != null
                        ? ParsedHead.Framing.CHUNKED
                        : contentLength >= 0 ? ParsedHead.Framing.LENGTH : ParsedHead.Framing.CLOSE;
        head = new ParsedHead(status, reason, http10, map, framing, contentLength);
        return Result.HEAD;
    }

    /** Whether the chunks count in spite of a deviation; what follows a 101 must not be in doubt. */
    private boolean isChunked(int status, Deviation deviation) {
        return status != SWITCHING_PROTOCOLS && leniency.admits(deviation);
    }

    /** The number of a {@code Content-Length}, or -1; a list of equal ones may be admitted. */
    private long number(String value) {
        long only = ContentLength.parse(value);
        if (only >= 0 || value.indexOf(',') < 0) {
            return only;
        }
        for (String element : value.split(",", -1)) {
            long parsed = ContentLength.parse(element.strip());
            if (parsed < 0 || (only >= 0 && parsed != only)) {
                return -1;
            }
            only = parsed;
        }
        return leniency.admits(Deviation.REPEATED_LENGTH) ? only : -1;
    }

    private static boolean startsWith(byte[] bytes, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (bytes[i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private Result invalid(String what) {
        problem = what;
        return Result.INVALID;
    }
}
