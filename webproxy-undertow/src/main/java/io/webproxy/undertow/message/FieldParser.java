package io.webproxy.undertow.message;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Parses field lines (RFC 9112 section 5), strictly: a name is a token, a value has no control character but the tab,
 * and lines can't be folded. Bounded and total; reuses the names it has seen. Not thread-safe.
 */
public final class FieldParser {
    private static final boolean[] TOKEN = new boolean[128];
    private static final int CACHE = 128;

    /** The problem of a line that continues the one before. */
    public static final String FOLDED = "a folded field";

    static {
        for (char c = '0'; c <= 'z'; c++) {
            TOKEN[c] = Character.isLetterOrDigit(c);
        }
        for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
            TOKEN[c] = true;
        }
    }

    private final boolean ofResponses;
    private final byte[] @Nullable [] cachedBytes = new byte[CACHE][];
    private final @Nullable HttpString[] cachedNames = new HttpString[CACHE];

    /** One for trailers. */
    public FieldParser() {
        this(false);
    }

    private FieldParser(boolean ofResponses) {
        this.ofResponses = ofResponses;
    }

    /** One for response heads, which removes white space between a name and its colon (RFC 9112 section 5.1). */
    public static FieldParser ofResponseHeads() {
        return new FieldParser(true);
    }

    /** Whether a byte may stand in a token (RFC 9110 section 5.6.2). */
    public static boolean isToken(int b) {
        return b > 0 && b < 128 && TOKEN[b];
    }

    /** Whether a text is a token, and not empty. */
    public static boolean isToken(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (!isToken(text.charAt(i))) {
                return false;
            }
        }
        return !text.isEmpty();
    }

    /** Whether a byte may stand in a field value (RFC 9110 section 5.5). */
    public static boolean isValueByte(int b) {
        return b == '\t' || (b >= ' ' && b != 0x7f) || b < 0;
    }

    /** Whether a text can be sent as a field value: every character is a byte, none a control but the tab. */
    public static boolean isValue(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c > 0xff || c == 0x7f || (c < ' ' && c != '\t')) {
                return false;
            }
        }
        return true;
    }

    /**
     * Parses field lines up to an empty line into a map.
     *
     * @param bytes holds lines that all end with CRLF
     * @param start start of the first line
     * @param end end of the empty line's CRLF
     * @return the problem, or null
     */
    public @Nullable String parse(byte[] bytes, int start, int end, int maxFields, HeaderMap into) {
        int fields = 0;
        int line = start;
        while (line < end && bytes[line] != '\r' && ++fields <= maxFields) {
            int next = field(bytes, line, end, fields, into);
            if (next < 0) {
                break;
            }
            line = next;
        }
        return problem(bytes, line, end, fields > maxFields ? maxFields : Integer.MAX_VALUE);
    }

    /** What is wrong with the line where parsing stopped, unless it is the empty line at the end. */
    private static @Nullable String problem(byte[] bytes, int line, int end, int exceeded) {
        if (line >= end) {
            return "no empty line at the end";
        }
        int lineEnd = lineEnd(bytes, line, end);
        if (lineEnd < 0) {
            return "a line doesn't end with CRLF";
        }
        if (lineEnd == line) {
            return lineEnd + 2 == end ? null : "bytes after the empty line";
        }
        if (exceeded != Integer.MAX_VALUE) {
            return "more than " + exceeded + " fields";
        }
        if (bytes[line] == ' ' || bytes[line] == '\t') {
            return FOLDED;
        }
        int colon = line;
        while (isToken(bytes[colon])) {
            colon++;
        }
        return colon == line || bytes[colon] != ':'
                ? "a field has no valid name"
                : "a field value has a control character";
    }

    /** Index of the CRLF that ends a line, or -1 if a CR or LF stands alone. */
    public static int lineEnd(byte[] bytes, int start, int end) {
        for (int i = start; i < end; i++) {
            if (bytes[i] == '\r') {
                return i + 1 < end && bytes[i + 1] == '\n' ? i : -1;
            }
            if (bytes[i] == '\n') {
                return -1;
            }
        }
        return -1;
    }

    /** Parses the line of the {@code nth} field; returns the start of the next line, or -1 if it is malformed. */
    private int field(byte[] bytes, int start, int end, int nth, HeaderMap into) {
        int colon = start;
        int hash = 0;
        while (colon < end && isToken(bytes[colon])) {
            hash = 31 * hash + bytes[colon++];
        }
        int nameEnd = colon;
        while (ofResponses && colon < end && (bytes[colon] == ' ' || bytes[colon] == '\t')) {
            colon++;
        }
        if (nameEnd == start || colon == end || bytes[colon] != ':') {
            return -1;
        }
        int from = colon + 1;
        while (from < end && (bytes[from] == ' ' || bytes[from] == '\t')) {
            from++;
        }
        int lineEnd = from;
        while (lineEnd < end && isValueByte(bytes[lineEnd])) {
            lineEnd++;
        }
        if (lineEnd + 1 >= end || bytes[lineEnd] != '\r' || bytes[lineEnd + 1] != '\n') {
            return -1;
        }
        int to = lineEnd;
        while (to > from && (bytes[to - 1] == ' ' || bytes[to - 1] == '\t')) {
            to--;
        }
        HttpString name = name(bytes, start, nameEnd, hash);
        String value = new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
        if (nth <= FieldLines.MOST) {
            into.add(name, value);
        } else {
            FieldLines.addOfResponse(into, name, value);
        }
        return lineEnd + 2;
    }

    private HttpString name(byte[] bytes, int start, int end, int hash) {
        int place = (hash ^ hash >>> 7) & CACHE - 1;
        byte[] known = cachedBytes[place];
        HttpString name = cachedNames[place];
        if (known != null && name != null && Arrays.equals(known, 0, known.length, bytes, start, end)) {
            return name;
        }
        byte[] copy = Arrays.copyOfRange(bytes, start, end);
        String text = new String(copy, StandardCharsets.ISO_8859_1);
        // one object for a name in its usual spelling: nearly all comparisons are then by identity
        HttpString usual = HttpString.tryFromString(text);
        name = usual.toString().equals(text) ? usual : new HttpString(copy);
        cachedBytes[place] = copy;
        cachedNames[place] = name;
        return name;
    }
}
