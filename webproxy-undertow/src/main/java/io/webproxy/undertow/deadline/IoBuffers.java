package io.webproxy.undertow.deadline;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.DefaultByteBufferPool;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * The direct buffers of a server. Each thread keeps a few that it was given back; others are freed at once. Calls that
 * move much data may have large ones, as long as some are left. Thread-safe.
 *
 * <p>Undertow's own pool (2.4.4) looks for a thread's buffers in a synchronised weak map, for each buffer that is taken
 * and for each that is given back.
 */
public final class IoBuffers implements ByteBufferPool {
    private static final int KEPT = 4;

    private final ByteBufferPool others;
    private final BulkBuffers large;
    private final ThreadLocal<OfThread> ofThread = ThreadLocal.withInitial(OfThread::new);

    /** What a thread keeps, and whether its current call may have large buffers. */
    private static final class OfThread {
        final @Nullable PooledByteBuffer[] kept = new PooledByteBuffer[KEPT];
        int count;
        boolean bulk;
    }

    /** Buffers of {@code size} bytes, and a few large ones. */
    public IoBuffers(int size, BulkBuffers large) {
        this.others = new DefaultByteBufferPool(true, size, -1, 0);
        this.large = large;
    }

    @Override
    public PooledByteBuffer allocate() {
        OfThread mine = ofThread.get();
        if (mine.bulk) {
            PooledByteBuffer taken = large.take();
            if (taken != null) {
                return taken;
            }
        }
        if (mine.count == 0) {
            return new Lent(others.allocate());
        }
        PooledByteBuffer kept = mine.kept[--mine.count];
        mine.kept[mine.count] = null;
        return new Lent(kept == null ? others.allocate() : kept);
    }

    private void give(PooledByteBuffer buffer) {
        OfThread mine = ofThread.get();
        if (mine.count < KEPT) {
            mine.kept[mine.count++] = buffer;
        } else {
            buffer.close();
        }
    }

    /** The same buffers for a transfer of much data: large ones, as long as some are left. */
    public ByteBufferPool forBulk() {
        return new ByteBufferPool() {
            @Override
            public PooledByteBuffer allocate() {
                PooledByteBuffer taken = large.take();
                return taken == null ? IoBuffers.this.allocate() : taken;
            }

            @Override
            public ByteBufferPool getArrayBackedPool() {
                return IoBuffers.this.getArrayBackedPool();
            }

            @Override
            public void close() {
                // they are the server's
            }

            @Override
            public int getBufferSize() {
                return IoBuffers.this.getBufferSize();
            }

            @Override
            public boolean isDirect() {
                return true;
            }
        };
    }

    /** From now on this thread gets large buffers, as long as some are left; until {@link #endBulk()}. */
    public void beginBulk() {
        ofThread.get().bulk = true;
    }

    /** This thread gets ordinary buffers again. */
    public void endBulk() {
        ofThread.get().bulk = false;
    }

    @Override
    public ByteBufferPool getArrayBackedPool() {
        return others.getArrayBackedPool();
    }

    @Override
    public void close() {
        others.close();
    }

    @Override
    public int getBufferSize() {
        return others.getBufferSize();
    }

    @Override
    public boolean isDirect() {
        return true;
    }

    /** An ordinary buffer in use. */
    private final class Lent implements PooledByteBuffer {
        private static final AtomicReferenceFieldUpdater<Lent, @Nullable PooledByteBuffer> BUFFER =
                AtomicReferenceFieldUpdater.newUpdater(Lent.class, PooledByteBuffer.class, "buffer");

        private volatile @Nullable PooledByteBuffer buffer;

        Lent(PooledByteBuffer buffer) {
            this.buffer = buffer;
            buffer.getBuffer().clear();
        }

        @Override
        public ByteBuffer getBuffer() {
            PooledByteBuffer mine = buffer;
            if (mine == null) {
                throw new IllegalStateException("the buffer was given back");
            }
            return mine.getBuffer();
        }

        @Override
        public void close() {
            PooledByteBuffer mine = BUFFER.getAndSet(this, null);
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
