package io.webproxy.samples.demo;

import java.nio.ByteBuffer;
import java.util.Random;

/**
 * The bytes of every download: the same at each position, whatever the size and the range. Each block of 64 KiB starts
 * with its number (8 bytes, big-endian), so that no two blocks are alike.
 */
final class Content {
    static final int BLOCK = 64 * 1024;

    private static final byte[] PATTERN = new byte[BLOCK];

    static {
        new Random(1).nextBytes(PATTERN);
    }

    private Content() {}

    /**
     * Fills a buffer with the bytes from {@code position} to the end of its block, or to {@code end} if that is
     * earlier.
     */
    static void read(ByteBuffer block, long position, long end) {
        long number = position / BLOCK;
        block.clear();
        block.put(PATTERN);
        block.putLong(0, number);
        block.position((int) (position % BLOCK));
        block.limit((int) Math.min(BLOCK, end - number * BLOCK));
    }
}
