package io.webproxy.undertow.deadline;

import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * A few large buffers for relays and downloads that move much data: with eight times the bytes per system call they
 * take a fifth less CPU time. Their number is fixed: if slow peers hold all of them, others use ordinary buffers.
 * Thread-safe.
 */
public final class BulkBuffers {
    /** The usual size in bytes. */
    public static final int SIZE = 128 * 1024;

    /** The usual number. */
    public static final int MOST = 16;

    private final int size;
    private final Deque<ByteBuffer> free = new ArrayDeque<>(MOST);
    private int made;
    /** Fewer once memory had no room: each attempt would stop the thread for half a second. */
    private int most;

    /** Buffers of the usual size; none is allocated yet. */
    public BulkBuffers() {
        this(SIZE, MOST);
    }

    /** At most so many buffers of this size; none is allocated yet. */
    public BulkBuffers(int size, int most) {
        this.size = size;
        this.most = most;
    }

    /** An empty buffer, or null if all are in use, or if memory has no room for one more. */
    public @Nullable PooledByteBuffer take() {
        ByteBuffer buffer;
        synchronized (this) {
            buffer = free.poll();
            if (buffer == null && made == most) {
                return null;
            }
            made += buffer == null ? 1 : 0;
        }
        if (buffer == null) {
            buffer = allocate();
        }
        return buffer == null ? null : new Taken(buffer.clear());
    }

    private @Nullable ByteBuffer allocate() {
        try {
            return ByteBuffer.allocateDirect(size);
        } catch (OutOfMemoryError e) {
            synchronized (this) {
                made--;
                most = made;
            }
            return null;
        }
    }

    private synchronized void give(ByteBuffer buffer) {
        free.push(buffer);
    }

    /** A buffer in use. */
    private final class Taken implements PooledByteBuffer {
        private static final AtomicReferenceFieldUpdater<Taken, @Nullable ByteBuffer> BUFFER =
                AtomicReferenceFieldUpdater.newUpdater(Taken.class, ByteBuffer.class, "buffer");

        private volatile @Nullable ByteBuffer buffer;

        Taken(ByteBuffer buffer) {
            this.buffer = buffer;
        }

        @Override
        public ByteBuffer getBuffer() {
            ByteBuffer mine = buffer;
            if (mine == null) {
                throw new IllegalStateException("the buffer was given back");
            }
            return mine;
        }

        @Override
        public void close() {
            ByteBuffer mine = BUFFER.getAndSet(this, null);
            if (mine != null) {
                give(mine);
            }
        }

        @Override
        public boolean isOpen() {
            return buffer != null;
        }
    }
}
