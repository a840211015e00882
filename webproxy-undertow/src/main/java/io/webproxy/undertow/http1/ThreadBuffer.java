package io.webproxy.undertow.http1;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Direct buffers of each thread for what is read or written at once, as nearly everything is: the pool is asked only
 * for what has to be kept. They are for use within the call in which they were taken.
 */
final class ThreadBuffer {
    private static final ThreadLocal<@Nullable ByteBuffer> IN = new ThreadLocal<>();
    private static final ThreadLocal<@Nullable ByteBuffer> OUT = new ThreadLocal<>();

    private ThreadBuffer() {}

    /** For what comes: empty, with room for so many bytes. */
    static ByteBuffer in(int size) {
        return take(IN, size);
    }

    /** For what goes: empty, with room for so many bytes. */
    static ByteBuffer out(int size) {
        return take(OUT, size);
    }

    private static ByteBuffer take(ThreadLocal<@Nullable ByteBuffer> buffers, int size) {
        ByteBuffer buffer = buffers.get();
        if (buffer == null || buffer.capacity() != size) {
            buffer = ByteBuffer.allocateDirect(size);
            buffers.set(buffer);
        }
        return buffer.clear();
    }
}
