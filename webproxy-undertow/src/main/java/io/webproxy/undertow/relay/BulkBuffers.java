package io.webproxy.undertow.relay;

import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A few large buffers for relays that move much data: with eight times the bytes per system call they take a fifth less
 * CPU time. Their number is fixed: if slow relays hold all of them, others use ordinary buffers. Thread-safe.
 */
public final class BulkBuffers {
    private static final int SIZE = 128 * 1024;
    private static final int MOST = 16;

    private final Deque<ByteBuffer> free = new ArrayDeque<>(MOST);
    private int made;

    /** No buffer is allocated yet. */
    public BulkBuffers() {}

    /** An empty buffer, or null if all are in use. */
    @Nullable PooledByteBuffer take() {
        ByteBuffer buffer;
        synchronized (this) {
            buffer = free.poll();
            if (buffer == null && made < MOST) {
                made++;
            } else if (buffer == null) {
                return null;
            }
        }
        return new Taken(buffer == null ? made() : buffer.clear());
    }

    private ByteBuffer made() {
        ByteBuffer buffer = null;
        try {
            buffer = ByteBuffer.allocateDirect(SIZE);
            return buffer;
        } finally {
            if (buffer == null) {
                synchronized (this) {
                    made--;
                }
            }
        }
    }

    private synchronized void give(ByteBuffer buffer) {
        free.push(buffer);
    }

    /** A buffer in use. */
    private final class Taken implements PooledByteBuffer {
        private final ByteBuffer buffer;
        private boolean open = true;

        Taken(ByteBuffer buffer) {
            this.buffer = buffer;
        }

        @Override
        public ByteBuffer getBuffer() {
            return buffer;
        }

        @Override
        public void close() {
            if (open) {
                open = false;
                give(buffer);
            }
        }

        @Override
        public boolean isOpen() {
            return open;
        }
    }
}
