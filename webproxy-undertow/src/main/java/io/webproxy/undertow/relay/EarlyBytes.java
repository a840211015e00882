package io.webproxy.undertow.relay;

import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;

/**
 * What a client has sent before its target is connected to, in memory that no pool owns: as much as it needs. Not
 * thread-safe.
 */
record EarlyBytes(ByteBuffer bytes) implements PooledByteBuffer {
    @Override
    public ByteBuffer getBuffer() {
        return bytes;
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
