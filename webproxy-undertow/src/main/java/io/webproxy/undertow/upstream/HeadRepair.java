package io.webproxy.undertow.upstream;

import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.message.Deviation;
import io.webproxy.undertow.message.FieldParser;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.message.Leniency;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Writes a response head anew whose lines end with LF alone or are folded: each line ends with CRLF, and the lines of a
 * field are joined by one space (RFC 9112 sections 2.2 and 5.2). What else is wrong stays, for the parser to find. Pure
 * and total.
 */
final class HeadRepair {
    private final byte[] from;
    private final int end;
    private final Leniency leniency;
    private byte[] bytes;
    private int length;
    /** Where the field that a fold would continue starts; -1 for none. */
    private int field = -1;

    private @Nullable String problem;

    /** A head that ends with an empty line. */
    HeadRepair(byte[] from, int end, Leniency leniency) {
        this.from = from;
        this.end = end;
        this.leniency = leniency;
        this.bytes = new byte[end + 64];
        int line = 0;
        while (line < end && problem == null) {
            line = line(line);
        }
    }

    /** Whether a head has such lines. */
    static boolean isNeeded(byte[] head, int end) {
        for (int i = 1; i < end; i++) {
            if ((head[i] == '\n' && head[i - 1] != '\r') || (head[i - 1] == '\n' && isSpace(head[i]))) {
                return true;
            }
        }
        return end > 0 && head[0] == '\n';
    }

    /** What can't be repaired; null if nothing. */
    @Nullable String problem() {
        return problem;
    }

    /** The head as it should have been, from index 0 on. */
    byte[] bytes() {
        return bytes;
    }

    /** How many bytes that has. */
    int length() {
        return length;
    }

    /** Takes over a line; returns the start of the next one. */
    private int line(int start) {
        int lf = start;
        while (lf < end - 1 && from[lf] != '\n') {
            lf++;
        }
        int to = lf;
        if (lf > start && from[lf - 1] == '\r') {
            to--;
        } else if (!leniency.admits(Deviation.BARE_LF)) {
            problem = "a line doesn't end with CRLF";
        }
        int at = start;
        if (start > 0 && isSpace(from[start])) {
            at = fold(start, to);
        } else {
            // the first line is no field
            field = start > 0 ? length : -1;
        }
        append(at, to);
        return lf + 1;
    }

    /** Removes the end of the line before; returns where the rest of the value starts. */
    private int fold(int start, int to) {
        if (field < 0) {
            problem = "a folded line that continues no field";
        } else if (isFraming() || !leniency.admits(Deviation.FOLDED_FIELD)) {
            problem = "a fold in a field that frames the message, or has no valid name";
        } else {
            length -= 2;
            while (isSpace(bytes[length - 1])) {
                length--;
            }
            bytes[length++] = ' ';
        }
        int at = start;
        while (at < to && isSpace(from[at])) {
            at++;
        }
        return at;
    }

    /** Whether the field decides on the message's end or on the connection, or has no valid name. */
    private boolean isFraming() {
        int colon = field;
        while (colon < length && bytes[colon] != ':') {
            colon++;
        }
        String text = new String(bytes, field, colon - field, StandardCharsets.ISO_8859_1);
        if (!FieldParser.isToken(text)) {
            return true;
        }
        HttpString name = new HttpString(text);
        return FieldRules.isHopByHop(name) || name.equals(Headers.CONTENT_LENGTH) || name.equals(Headers.TRAILER);
    }

    private void append(int start, int to) {
        int room = length + to - start + 2;
        if (room > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(room, bytes.length * 2));
        }
        System.arraycopy(from, start, bytes, length, to - start);
        length = room;
        bytes[length - 2] = '\r';
        bytes[length - 1] = '\n';
    }

    private static boolean isSpace(byte b) {
        return b == ' ' || b == '\t';
    }
}
