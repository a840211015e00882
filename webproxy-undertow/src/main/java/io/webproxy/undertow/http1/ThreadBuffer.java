package io.webproxy.undertow.http1;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One direct buffer per thread and direction for bytes that are consumed at once, as nearly all are; only bytes that
 * must be kept need a pooled buffer. Use them only within the call in which they were taken.
 */
final class ThreadBuffer {
    private static final ThreadLocal<@Nullable ByteBuffer> IN = new ThreadLocal<>();
    private static final ThreadLocal<@Nullable ByteBuffer> OUT = new ThreadLocal<>();

    private ThreadBuffer() {}

    /** A buffer for input: empty, with room for so many bytes. */
    static ByteBuffer in(int size) {
        return take(IN, size);
    }

    /** A buffer for output: empty, with room for so many bytes. */
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
