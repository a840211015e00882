package io.webproxy.undertow.tls.engine;

import java.nio.ByteBuffer;
import org.conscrypt.AllocatedBuffer;
import org.conscrypt.BufferAllocator;

/**
 * Direct buffers for one TLS record during a call: two per thread instead of one per connection. Conscrypt (2.9.0)
 * keeps one in each engine that was given a heap buffer, or several buffers. Canary:
 * {@code ConscryptDefectsTest.enginesKeepADirectBufferForHeapBuffers}.
 */
final class RecordBuffers {
    /** The largest plaintext of a record in bytes (RFC 8446 section 5.1). */
    static final int MAX_PLAINTEXT = 16 * 1024;

    // larger than the pipe within an engine, 17 KB: one wrap empties it
    private static final int CAPACITY = 18 * 1024;

    private static final ThreadLocal<ByteBuffer> GATHERED =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(CAPACITY));
    private static final ThreadLocal<ByteBuffer> BRIDGED =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(CAPACITY));

    /** Lends Conscrypt a direct buffer when it gets a heap buffer; otherwise it would keep one for each engine. */
    static final BufferAllocator BRIDGE = new BufferAllocator() {
        @Override
        public AllocatedBuffer allocateDirectBuffer(int capacity) {
            return AllocatedBuffer.wrap(
                    capacity > CAPACITY
                            ? ByteBuffer.allocateDirect(capacity)
                            : BRIDGED.get().clear());
        }
    };

    private RecordBuffers() {}

    /** This thread's buffer, cleared; valid until the next call on this thread. */
    static ByteBuffer scratch() {
        return GATHERED.get().clear();
    }
}
