package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A name that is well known: its spelling in lower case, its place in the static table, and how fields of that name are
 * encoded.
 */
final class HpackName {
    /** What an encoder does with a field (RFC 7541 section 7.1). */
    enum Indexing {
        /** It repeats, so it goes into the dynamic table. */
        INDEXED,
        /** It changes each time, so it would only drive others out of the table. */
        LITERAL,
        /** It is secret and may be short enough to be guessed by what it compresses to. */
        NEVER
    }

    final HttpString name;
    final Indexing indexing;
    /** The first entry of that name in the static table, 0 if there is none. */
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

    /** Whether it is spelt exactly so. */
    boolean is(byte[] in, int from, int to) {
        return Arrays.equals(bytes, 0, bytes.length, in, from, to);
    }

    int hash() {
        return HpackNames.hash(bytes, 0, bytes.length);
    }

    /** Puts it as a string literal with its length. */
    int put(byte[] out, int at) {
        System.arraycopy(literal, 0, out, at, literal.length);
        return at + literal.length;
    }
}
