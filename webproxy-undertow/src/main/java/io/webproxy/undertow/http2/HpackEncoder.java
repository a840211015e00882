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
 * Encodes the HPACK field blocks (RFC 7541) of one direction of a connection: call {@link #start}, add the fields, then
 * the first {@link #length} bytes of {@link #bytes} are the block. Each started block has to reach the peer, in order,
 * or the tables diverge.
 *
 * <p>Names are written in lower case. CR, LF and NUL in values become spaces, characters outside of ISO-8859-1 question
 * marks. Not thread-safe.
 */
final class HpackEncoder {
    /** The table's largest size, whatever the peer allows. */
    static final int MOST_TABLE_BYTES = 4096;

    /** Fields of HTTP/1.1 connections only (RFC 9113 section 8.2.2). */
    private static final Set<HttpString> OF_ONE_CONNECTION = Set.of(
            Headers.CONNECTION,
            Headers.TRANSFER_ENCODING,
            Headers.UPGRADE,
            new HttpString("Keep-Alive"),
            new HttpString("Proxy-Connection"));

    /** Room for the integers of a field. */
    private static final int INTEGERS = 16;
    /** A field that takes more than this fraction of the table isn't worth those that it would evict. */
    private static final int LARGE_PART = 4;
    /** How much memory the buffers keep between blocks. */
    private static final int KEPT = 16 * 1024;

    private final HpackTable table = new HpackTable(MOST_TABLE_BYTES);
    private int limit = MOST_TABLE_BYTES;
    private int leastLimit = MOST_TABLE_BYTES;
    private byte[] out = new byte[512];
    private byte[] plain = new byte[256];
    private int length;

    /**
     * The peer's SETTINGS_HEADER_TABLE_SIZE, in force from the next block on. Negative numbers are values above 2^31.
     */
    void tableLimit(int bytes) {
        limit = bytes < 0 ? MOST_TABLE_BYTES : Math.min(bytes, MOST_TABLE_BYTES);
        leastLimit = Math.min(leastLimit, limit);
    }

    /**
     * Starts a block. If the table's limit has changed, the block starts with its minimum since, then the last value
     * (RFC 7541 section 4.2).
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

    /** The length of the block in bytes. */
    int length() {
        return length;
    }

    /** The buffer that starts with the block, until the next one is started. */
    byte[] bytes() {
        return out;
    }

    /** Adds the status of a response, three digits. */
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

    /** Adds a field, possibly a pseudo-header field. */
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

    /** Adds the fields of a message, but for those of HTTP/1.1 connections. */
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

    /** Writes the first bytes of {@code plain} as a string literal, in the shorter form. */
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

    /** Writes an integer after the bits of {@code first} (RFC 7541 section 5.1). */
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
