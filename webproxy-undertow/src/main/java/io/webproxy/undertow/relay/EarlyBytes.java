package io.webproxy.undertow.relay;

import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;

/**
 * The bytes that a client sent before its target was connected, in unpooled memory of just their size. Not thread-safe.
 */
record EarlyBytes(ByteBuffer bytes) implements PooledByteBuffer {
    @Override
    public ByteBuffer getBuffer() {
        return bytes;
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
