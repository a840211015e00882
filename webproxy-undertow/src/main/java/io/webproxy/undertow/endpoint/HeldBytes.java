package io.webproxy.undertow.endpoint;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What a connection has sent while it waits for more: kept on the heap in as much memory as it needs, so that no
 * connection keeps a pooled buffer for a few bytes. Not thread-safe.
 */
final class HeldBytes {
    private static final byte[] NONE = new byte[0];

    private byte[] bytes = NONE;
    private int length;

    /** A buffer to read into, behind what is held: a pooled one, if that has room for more. */
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

    /** What is held, to be read, in memory that no pool owns; nothing is held any more. */
    PooledByteBuffer all() {
        PooledByteBuffer all = new HeapBuffer(ByteBuffer.wrap(bytes, 0, length));
        clear();
        return all;
    }

    /** Holds nothing any more. */
    void clear() {
        bytes = NONE;
        length = 0;
    }

    /** The bytes of a buffer, which is closed, in memory that no pool owns: for who may have to wait with them. */
    static PooledByteBuffer unpooled(PooledByteBuffer read) {
        if (read instanceof HeapBuffer) {
            return read;
        }
        ByteBuffer copy = ByteBuffer.allocate(read.getBuffer().remaining());
        copy.put(read.getBuffer()).flip();
        read.close();
        return new HeapBuffer(copy);
    }

    /** Holds the bytes up to the limit of a buffer that begins with what is held already. */
    void hold(ByteBuffer all) {
        int count = all.limit();
        if (count > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(count, 2 * bytes.length));
        }
        all.get(length, bytes, length, count - length);
        length = count;
    }

    /** Memory that no pool owns. */
    private record HeapBuffer(ByteBuffer buffer) implements PooledByteBuffer {
        @Override
        public ByteBuffer getBuffer() {
            return buffer;
        }

        @Override
        public void close() {
            // the collector's
        }

        @Override
        public boolean isOpen() {
            return true;
        }
    }
}
