package io.webproxy.undertow.forward;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.relay.BulkBuffers;

/** The buffers of a long response: large ones while some are left, else those of the connection. Thread-safe. */
final class DownloadBuffers implements ByteBufferPool {
    private final BulkBuffers large;
    private final ByteBufferPool usual;

    DownloadBuffers(BulkBuffers large, ByteBufferPool usual) {
        this.large = large;
        this.usual = usual;
    }

    @Override
    public PooledByteBuffer allocate() {
        PooledByteBuffer taken = large.take();
        return taken == null ? usual.allocate() : taken;
    }

    @Override
    public ByteBufferPool getArrayBackedPool() {
        return usual.getArrayBackedPool();
    }

    @Override
    public int getBufferSize() {
        return usual.getBufferSize();
    }

    @Override
    public boolean isDirect() {
        return usual.isDirect();
    }

    @Override
    public void close() {
        // neither is its own
    }
}
