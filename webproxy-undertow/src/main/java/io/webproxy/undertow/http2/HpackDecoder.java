package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the HPACK field blocks (RFC 7541) of one direction of a connection, in order.
 *
 * <p>Total: it throws for no input, and its memory is bounded by the block's length and the table's limit. Not
 * thread-safe.
 */
final class HpackDecoder {
    /** No valid integer is larger; it takes at most five more bytes, the last of which may be zero only. */
    private static final int MOST = 1 << 28;

    private static final int MOST_SHIFT = 28;
    private static final int BAD = -1;
    /** How much memory the scratch buffer keeps between blocks. */
    private static final int KEPT = 4096;

    private final int mostTableBytes;
    private final HpackTable table;
    private byte[] scratch = new byte[256];
    private int at;
    private int end;
    private byte[] text = scratch;
    private int textFrom;
    private int textTo;

    /** A decoder with an empty table, limited to this side's SETTINGS_HEADER_TABLE_SIZE. */
    HpackDecoder(int mostTableBytes) {
        this.mostTableBytes = mostTableBytes;
        this.table = new HpackTable(mostTableBytes);
    }

    /**
     * Decodes one complete field block.
     *
     * @return whether it is valid; if not, the table is unreliable from now on, and the connection ends with
     *     COMPRESSION_ERROR
     */
    boolean decode(byte[] block, int from, int to, FieldSink into) {
        at = from;
        end = to;
        boolean valid = fields(block, into);
        if (scratch.length > KEPT) {
            scratch = new byte[KEPT];
        }
        text = scratch;
        return valid;
    }

    /** The dynamic table; for reading only. */
    HpackTable table() {
        return table;
    }

    private boolean fields(byte[] block, FieldSink into) {
        boolean start = true;
        while (at < end) {
            int first = block[at];
            boolean valid;
            if (first < 0) {
                valid = indexed(integer(block, 7), into);
            } else if (first >= 0x40) {
                valid = literal(block, 6, into);
            } else if (first >= 0x20) {
                valid = start && limit(integer(block, 5));
            } else {
                valid = literal(block, 4, into);
            }
            start &= (first & 0xe0) == 0x20;
            if (!valid) {
                return false;
            }
        }
        return true;
    }

    private boolean indexed(int index, FieldSink into) {
        if (index <= 0 || index > HpackStatic.LAST + table.count()) {
            return false;
        }
        if (index <= HpackStatic.LAST) {
            into.field(HpackStatic.name(index), HpackStatic.value(index));
        } else {
            int entry = index - HpackStatic.LAST - 1;
            into.field(table.name(entry), table.value(entry));
        }
        return true;
    }

    private boolean limit(int bytes) {
        if (bytes < 0 || bytes > mostTableBytes) {
            return false;
        }
        table.limit(bytes);
        return true;
    }

    /** A literal; a 6-bit prefix adds it to the table (RFC 7541 section 6.2.1). */
    private boolean literal(byte[] block, int prefix, FieldSink into) {
        HttpString name = name(block, integer(block, prefix));
        if (name == null || !string(block)) {
            return false;
        }
        String value =
                textFrom == textTo ? "" : new String(text, textFrom, textTo - textFrom, StandardCharsets.ISO_8859_1);
        if (prefix == 6) {
            table.add(name, value);
        }
        into.field(name, value);
        return true;
    }

    private @Nullable HttpString name(byte[] block, int index) {
        if (index < 0 || index > HpackStatic.LAST + table.count()) {
            return null;
        }
        if (index > HpackStatic.LAST) {
            return table.name(index - HpackStatic.LAST - 1);
        }
        if (index > 0) {
            return HpackStatic.name(index);
        }
        if (!string(block)) {
            return null;
        }
        HpackName known = HpackNames.find(text, textFrom, textTo);
        return known != null ? known.name : unknown();
    }

    private HttpString unknown() {
        for (int i = textFrom; i < textTo; i++) {
            if (text[i] == '\r' || text[i] == '\n') {
                return withoutLineEnds();
            }
        }
        return new HttpString(text, textFrom, textTo - textFrom);
    }

    private HttpString withoutLineEnds() {
        return new HttpString(new String(text, textFrom, textTo - textFrom, StandardCharsets.ISO_8859_1)
                .replace('\r', ' ')
                .replace('\n', ' '));
    }

    /** Reads a string literal into {@code text}; false if it is malformed. */
    private boolean string(byte[] block) {
        if (at >= end) {
            return false;
        }
        boolean huffman = block[at] < 0;
        int length = integer(block, 7);
        if (length < 0 || length > end - at) {
            return false;
        }
        int from = at;
        at += length;
        if (!huffman) {
            text = block;
            textFrom = from;
            textTo = at;
            return true;
        }
        int most = Huffman.mostDecoded(length);
        if (scratch.length < most) {
            scratch = new byte[Math.max(most, 2 * scratch.length)];
        }
        text = scratch;
        textFrom = 0;
        textTo = Huffman.decode(block, from, at, scratch);
        return textTo >= 0;
    }

    /** Reads an integer whose first byte is available (RFC 7541 section 5.1). */
    private int integer(byte[] block, int prefix) {
        int mask = (1 << prefix) - 1;
        int first = block[at++] & mask;
        if (first < mask) {
            return first;
        }
        long value = mask;
        for (int shift = 0; shift <= MOST_SHIFT && at < end; shift += 7) {
            int next = block[at++];
            value += (next & 0x7fL) << shift;
            if (next >= 0) {
                return value <= MOST ? (int) value : BAD;
            }
        }
        return BAD;
    }
}
