package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.http2.HpackName.Indexing;
import io.webproxy.undertow.message.FieldLines;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Encodes field blocks by HPACK (RFC 7541), all those of one direction of a connection: {@link #start}, the fields,
 * then {@link #length} of {@link #bytes} are the block. Each block that was started has to reach the peer, in that
 * order, or the tables differ.
 *
 * <p>Names are written in lower case. CR, LF and NUL in values become spaces, what ISO-8859-1 hasn't becomes a question
 * mark. Not thread-safe.
 */
final class HpackEncoder {
    /** The table is never larger, whatever the peer allows. */
    static final int MOST_TABLE_BYTES = 4096;

    /** What is for a connection of HTTP/1.1 only (RFC 9113 section 8.2.2). */
    private static final Set<HttpString> OF_ONE_CONNECTION = Set.of(
            Headers.CONNECTION,
            Headers.TRANSFER_ENCODING,
            Headers.UPGRADE,
            new HttpString("Keep-Alive"),
            new HttpString("Proxy-Connection"));

    /** Room for the integers of a field. */
    private static final int INTEGERS = 16;
    /** A field that takes more than this part of the table isn't worth those that it would drive out. */
    private static final int LARGE_PART = 4;
    /** What the buffers may keep from one block to the next. */
    private static final int KEPT = 16 * 1024;

    private final HpackTable table = new HpackTable(MOST_TABLE_BYTES);
    private int limit = MOST_TABLE_BYTES;
    private int leastLimit = MOST_TABLE_BYTES;
    private byte[] out = new byte[512];
    private byte[] plain = new byte[256];
    private int length;

    /** The peer's SETTINGS_HEADER_TABLE_SIZE; it holds from the next block on. A negative number is one above 2^31. */
    void tableLimit(int bytes) {
        limit = bytes < 0 ? MOST_TABLE_BYTES : Math.min(bytes, MOST_TABLE_BYTES);
        leastLimit = Math.min(leastLimit, limit);
    }

    /**
     * Starts a block. If the limit of the table has changed, it says so: the least that it was, then the last (RFC 7541
     * section 4.2).
     */
    void start() {
        length = 0;
        if (out.length > KEPT) {
            out = new byte[KEPT];
        }
        if (plain.length > KEPT) {
            plain = new byte[KEPT];
        }
        resize(leastLimit, leastLimit < table.limit());
        resize(limit, limit != table.limit());
        leastLimit = limit;
    }

    private void resize(int bytes, boolean changed) {
        if (changed) {
            integer(0x20, 5, bytes);
            table.limit(bytes);
        }
    }

    /** How long the block is. */
    int length() {
        return length;
    }

    /** Holds the block until the next one is started. */
    byte[] bytes() {
        return out;
    }

    /** The status of a response, three digits. */
    void status(int code) {
        room(INTEGERS);
        int index = switch (code) {
            case 200 -> 8;
            case 204 -> 9;
            case 206 -> 10;
            case 304 -> 11;
            case 400 -> 12;
            case 404 -> 13;
            case 500 -> 14;
            default -> 0;
        };
        if (index > 0) {
            integer(0x80, 7, index);
            return;
        }
        integer(0, 4, 8);
        out[length++] = 3;
        out[length++] = (byte) ('0' + code / 100 % 10);
        out[length++] = (byte) ('0' + code / 10 % 10);
        out[length++] = (byte) ('0' + code % 10);
    }

    /** A field, perhaps a pseudo-header field. */
    void field(HttpString name, String value) {
        room(name.length() + value.length() + INTEGERS);
        HpackName known = HpackNames.find(name);
        Indexing indexing = known == null ? Indexing.INDEXED : known.indexing;
        int index = known == null ? 0 : HpackStatic.find(known, value);
        if (index > 0 && indexing != Indexing.NEVER) {
            integer(0x80, 7, index);
            return;
        }
        switch (indexing) {
            case INDEXED -> repeating(known, name, value);
            case LITERAL -> literal(0, 4, known, name, value);
            case NEVER -> literal(0x10, 4, known, name, value);
        }
    }

    /** Fields of a message, without those that are for a connection of HTTP/1.1 only. */
    void fields(HeaderMap fields) {
        for (long i = fields.fastIterateNonEmpty(); i != -1; i = fields.fiNextNonEmpty(i)) {
            HeaderValues all = fields.fiCurrent(i);
            HttpString name = all.getHeaderName();
            if (!OF_ONE_CONNECTION.contains(name)) {
                List<String> values = FieldLines.lines(all);
                for (int v = 0; v < values.size(); v++) {
                    field(name, values.get(v));
                }
            }
        }
    }

    private void repeating(@Nullable HpackName known, HttpString name, String value) {
        int entry = table.find(name, value);
        if (entry >= 0) {
            integer(0x80, 7, HpackStatic.LAST + 1 + entry);
        } else if (HpackTable.size(name, value) > table.limit() / LARGE_PART) {
            literal(0, 4, known, name, value);
        } else {
            literal(0x40, 6, known, name, value);
            table.add(name, value);
        }
    }

    private void literal(int first, int prefix, @Nullable HpackName known, HttpString name, String value) {
        int index = known == null ? 0 : known.index;
        if (index == 0 && (known == null || known.indexing == Indexing.INDEXED)) {
            int entry = table.find(name);
            index = entry < 0 ? 0 : HpackStatic.LAST + 1 + entry;
        }
        integer(first, prefix, index);
        if (index == 0) {
            if (known != null) {
                length = known.put(out, length);
            } else {
                string(name);
            }
        }
        string(value);
    }

    private void string(HttpString name) {
        int bits = 0;
        for (int i = 0; i < name.length(); i++) {
            byte b = name.byteAt(i);
            plain[i] = b >= 'A' && b <= 'Z' ? (byte) (b | 0x20) : b;
            bits += Huffman.bits(plain[i]);
        }
        string(name.length(), bits);
    }

    private void string(String value) {
        int bits = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c > 0xff) {
                c = '?';
            } else if (c == '\r' || c == '\n' || c == 0) {
                c = ' ';
            }
            plain[i] = (byte) c;
            bits += Huffman.bits(plain[i]);
        }
        string(value.length(), bits);
    }

    /** The first bytes of {@code plain} as a string literal, by the shorter form. */
    private void string(int count, int bits) {
        int encoded = (bits + 7) >> 3;
        if (encoded < count) {
            integer(0x80, 7, encoded);
            length = Huffman.encode(plain, 0, count, out, length);
        } else {
            integer(0, 7, count);
            System.arraycopy(plain, 0, out, length, count);
            length += count;
        }
    }

    private void room(int more) {
        if (out.length - length < more) {
            out = Arrays.copyOf(out, Math.max(length + more, 2 * out.length));
        }
        if (plain.length < more) {
            plain = new byte[Math.max(more, 2 * plain.length)];
        }
    }

    /** An integer after the bits of {@code first} (RFC 7541 section 5.1). */
    private void integer(int first, int prefix, int value) {
        int mask = (1 << prefix) - 1;
        if (value < mask) {
            out[length++] = (byte) (first | value);
            return;
        }
        out[length++] = (byte) (first | mask);
        int rest = value - mask;
        while (rest >= 0x80) {
            out[length++] = (byte) (rest | 0x80);
            rest >>= 7;
        }
        out[length++] = (byte) rest;
    }
}
