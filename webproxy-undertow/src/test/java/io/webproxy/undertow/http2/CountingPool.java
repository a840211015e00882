package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;

/** A pool that knows how many of its buffers are out. */
final class CountingPool implements ByteBufferPool {
    private final int bytes;
    private int out;

    CountingPool(int bytes) {
        this.bytes = bytes;
    }

    int out() {
        return out;
    }

    @Override
    public PooledByteBuffer allocate() {
        out++;
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        return new PooledByteBuffer() {
            private boolean open = true;

            @Override
            public ByteBuffer getBuffer() {
                if (!open) {
                    throw new IllegalStateException("used after it was given back");
                }
                return buffer;
            }

            @Override
            public void close() {
                if (open) {
                    open = false;
                    out--;
                }
            }

            @Override
            public boolean isOpen() {
                return open;
            }
        };
    }

    @Override
    public ByteBufferPool getArrayBackedPool() {
        return this;
    }

    @Override
    public void close() {
        // heap
    }

    @Override
    public int getBufferSize() {
        return bytes;
    }

    @Override
    public boolean isDirect() {
        return false;
    }
}
