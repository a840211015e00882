package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A well-known name: its lower-case spelling, its index in the static table, and how fields of that name are encoded.
 */
final class HpackName {
    /** What an encoder does with a field (RFC 7541 section 7.1). */
    enum Indexing {
        /** It often repeats, so it is put into the dynamic table. */
        INDEXED,
        /** It changes each time, and would only evict others from the table. */
        LITERAL,
        /** It is secret, and may be short enough to be guessed by its compressed size. */
        NEVER
    }

    final HttpString name;
    final Indexing indexing;
    /** Index of the first entry of that name in the static table, 0 if there is none. */
    final int index;

    private final byte[] bytes;
    private final byte[] literal;

    HpackName(HttpString name, Indexing indexing, int index) {
        this.name = name;
        this.indexing = indexing;
        this.index = index;
        this.bytes = name.toString().getBytes(StandardCharsets.ISO_8859_1);
        byte[] out = new byte[1 + bytes.length * 4];
        int end = Huffman.encode(bytes, 0, bytes.length, out, 1);
        out[0] = (byte) (0x80 | (end - 1));
        this.literal = Arrays.copyOf(out, end);
    }

    /** Whether this is its exact spelling. */
    boolean is(byte[] in, int from, int to) {
        return Arrays.equals(bytes, 0, bytes.length, in, from, to);
    }

    int hash() {
        return HpackNames.hash(bytes, 0, bytes.length);
    }

    /** Writes it as a string literal with its length. */
    int put(byte[] out, int at) {
        System.arraycopy(literal, 0, out, at, literal.length);
        return at + literal.length;
    }
}
