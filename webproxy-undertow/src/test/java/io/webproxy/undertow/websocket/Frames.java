package io.webproxy.undertow.websocket;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Random;

/** WebSocket frames in bytes (RFC 6455 section 5.2). */
final class Frames {
    /** How a length can be written. */
    enum Length {
        SEVEN_BITS(126),
        SIXTEEN_BITS(1 << 16),
        SIXTY_FOUR_BITS(1 << 20);

        /** The first length that is too long. */
        final int end;

        Length(int end) {
            this.end = end;
        }

        static Length shortest(int length) {
            return length < SEVEN_BITS.end ? SEVEN_BITS : length < SIXTEEN_BITS.end ? SIXTEEN_BITS : SIXTY_FOUR_BITS;
        }
    }

    private Frames() {}

    /** A frame without a mask. */
    static byte[] plain(int first, byte[] payload) {
        return frame(first, Length.shortest(payload.length), null, payload);
    }

    /** A frame with its payload under a mask. */
    static byte[] masked(int first, int mask, byte[] payload) {
        return frame(first, Length.shortest(payload.length), mask, payload);
    }

    /** A frame whose length is written in a form of choice. */
    static byte[] frame(int first, Length form, Integer mask, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(14 + payload.length).put((byte) first);
        int masked = mask == null ? 0 : 0x80;
        switch (form) {
            case SEVEN_BITS -> frame.put((byte) (masked | payload.length));
            case SIXTEEN_BITS -> frame.put((byte) (masked | 126)).putShort((short) payload.length);
            case SIXTY_FOUR_BITS -> frame.put((byte) (masked | 127)).putLong(payload.length);
        }
        byte[] key = ByteBuffer.allocate(4).putInt(mask == null ? 0 : mask).array();
        if (mask != null) {
            frame.put(key);
        }
        for (int i = 0; i < payload.length; i++) {
            frame.put((byte) (payload[i] ^ key[i % 4]));
        }
        byte[] bytes = new byte[frame.flip().remaining()];
        frame.get(bytes);
        return bytes;
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    static byte[] random(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
