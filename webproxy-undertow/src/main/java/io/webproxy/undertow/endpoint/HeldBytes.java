package io.webproxy.undertow.endpoint;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The bytes that a connection has sent while more are needed: kept on the heap, in just enough memory, so that no
 * pooled buffer is held for a few bytes. Not thread-safe.
 */
final class HeldBytes {
    private static final byte[] NONE = new byte[0];

    private byte[] bytes = NONE;
    private int length;

    /** A buffer to read into, after the held bytes: a pooled one if it has room for more. */
    PooledByteBuffer restored(ByteBufferPool pool) {
        PooledByteBuffer buffer = pool.allocate();
        if (buffer.getBuffer().remaining() <= length) {
            buffer.close();
            buffer = new HeapBuffer(ByteBuffer.allocate(2 * length));
        }
        buffer.getBuffer().put(bytes, 0, length);
        return buffer;
    }

    boolean isEmpty() {
        return length == 0;
    }

    /** The held bytes, ready to be read, in unpooled memory; holds nothing afterwards. */
    PooledByteBuffer all() {
        PooledByteBuffer all = new HeapBuffer(ByteBuffer.wrap(bytes, 0, length));
        clear();
        return all;
    }

    /** Discards what is held. */
    void clear() {
        bytes = NONE;
        length = 0;
    }

    /** Closes a buffer and returns its bytes in unpooled memory, for a receiver that may have to wait with them. */
    static PooledByteBuffer unpooled(PooledByteBuffer read) {
        if (read instanceof HeapBuffer) {
            return read;
        }
        ByteBuffer copy = ByteBuffer.allocate(read.getBuffer().remaining());
        copy.put(read.getBuffer()).flip();
        read.close();
        return new HeapBuffer(copy);
    }

    /** Holds the bytes up to the limit of a buffer that begins with those held already. */
    void hold(ByteBuffer all) {
        int count = all.limit();
        if (count > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(count, 2 * bytes.length));
        }
        all.get(length, bytes, length, count - length);
        length = count;
    }

    /** Unpooled memory. */
    private record HeapBuffer(ByteBuffer buffer) implements PooledByteBuffer {
        @Override
        public ByteBuffer getBuffer() {
            return buffer;
        }

        @Override
        public void close() {
            // left to the garbage collector
        }

        @Override
        public boolean isOpen() {
            return true;
        }
    }
}
