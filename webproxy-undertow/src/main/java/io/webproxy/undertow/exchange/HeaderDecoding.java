package io.webproxy.undertow.exchange;

import io.undertow.protocols.http2.HPackHuffman;
import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackDecoder.HeaderEmitter;
import io.undertow.protocols.http2.HpackException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Decodes field blocks of HPACK (RFC 7541) by Undertow's decoder, which gives up on a name that is empty or holds CR or LF, although the block is in order: only its
 * request is malformed (RFC 9113 section 8.2.1). Such a name is read once more as another one that no field can have, so that the table stays that of the client.
 */
final class HeaderDecoding {
    private static final int INDEXED = 0x80;
    private static final int WITH_INDEXING = 0x40;
    private static final int SIZE_UPDATE = 0x20;
    private static final int NEVER_INDEXED = 0x10;
    private static final int HUFFMAN = 0x80;
    private static final int LENGTH_PREFIX = 7;
    private static final int MOST_SHIFT = 21;
    /** Each costs a copy of the rest of the block. */
    private static final int MOST_REPAIRS = 16;
    /** Is no token, and as long as what it stands for. */
    private static final char NO_NAME = ' ';

    private HeaderDecoding() {}

    /**
     * Gives the fields of a whole block to {@code fields}.
     *
     * @throws HpackException if the block can't be decoded, or has more than 16 such names; the decoder is of no use then
     */
    static void decode(HpackDecoder decoder, ByteBuffer block, HeaderEmitter fields) throws HpackException {
        decoder.setHeaderEmitter(fields);
        ByteBuffer rest = block;
        for (int repairs = 0; ; repairs++) {
            int start = rest.position();
            try {
                decoder.decode(rest, false);
                block.position(rest.hasRemaining() ? block.position() : block.limit());
                return;
            } catch (HpackException | RuntimeException e) {
                ByteBuffer repaired = repairs < MOST_REPAIRS ? repaired(rest, start) : null;
                if (repaired == null) {
                    throw e;
                }
                rest = repaired;
            }
        }
    }

    /** What is left of a block, from the field whose name the decoder has given up on, which gets another name; null if the name isn't why. */
    private static @Nullable ByteBuffer repaired(ByteBuffer failed, int start) throws HpackException {
        ByteBuffer block = failed.duplicate().position(start);
        while (block.position() < failed.position()) {
            int kind = block.get(block.position()) & 0xff;
            if ((kind & INDEXED) != 0) {
                integer(block, 7);
            } else if ((kind & (WITH_INDEXING | SIZE_UPDATE)) == SIZE_UPDATE) {
                integer(block, 5);
            } else {
                boolean named = integer(block, (kind & WITH_INDEXING) != 0 ? 6 : 4) != 0;
                String name = named ? "" : string(block);
                if (!named && block.position() == failed.position()) {
                    return isRefused(name) ? renamed(kind, name, block) : null;
                }
                string(block);
            }
        }
        return null;
    }

    private static boolean isRefused(String name) {
        return name.isEmpty() || name.indexOf('\r') >= 0 || name.indexOf('\n') >= 0;
    }

    /** A field that takes as much room in the table (RFC 7541 section 4.1), and what follows; {@code rest} begins with its value. */
    private static @Nullable ByteBuffer renamed(int kind, String name, ByteBuffer rest) throws HpackException {
        String value = string(rest);
        boolean indexed = (kind & WITH_INDEXING) != 0;
        if (name.isEmpty() && indexed) {
            if (value.isEmpty()) {
                return null;
            }
            value = value.substring(1);
        }
        String other =
                name.isEmpty() ? "" + NO_NAME : name.replace('\r', NO_NAME).replace('\n', NO_NAME);
        ByteBuffer out = ByteBuffer.allocate(11 + other.length() + value.length() + rest.remaining());
        out.put((byte) (indexed ? WITH_INDEXING : kind & NEVER_INDEXED));
        put(out, other);
        put(out, value);
        return out.put(rest).flip();
    }

    private static void put(ByteBuffer out, String text) {
        int length = text.length();
        int most = (1 << LENGTH_PREFIX) - 1;
        if (length < most) {
            out.put((byte) length);
        } else {
            out.put((byte) most);
            int left = length - most;
            while (left > 127) {
                out.put((byte) (left & 127 | 128));
                left >>= 7;
            }
            out.put((byte) left);
        }
        out.put(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String string(ByteBuffer in) throws HpackException {
        if (!in.hasRemaining()) {
            throw new HpackException();
        }
        boolean huffman = (in.get(in.position()) & HUFFMAN) != 0;
        int length = integer(in, LENGTH_PREFIX);
        if (length > in.remaining()) {
            throw new HpackException();
        }
        if (huffman) {
            StringBuilder text = new StringBuilder();
            HPackHuffman.decode(in, length, text);
            return text.toString();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** RFC 7541 section 5.1. */
    private static int integer(ByteBuffer in, int prefix) throws HpackException {
        int most = (1 << prefix) - 1;
        int value = in.get() & most;
        if (value < most) {
            return value;
        }
        for (int shift = 0; shift <= MOST_SHIFT && in.hasRemaining(); shift += 7) {
            int b = in.get();
            value += (b & 127) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new HpackException();
    }
}
