package io.webproxy.undertow.http1;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A direct buffer of each thread for what is read or written at once, as nearly everything is: the pool is asked only for what has to be kept. Nobody may use it
 * beyond the call in which it was taken.
 */
final class ThreadBuffer {
    /** For what comes. */
    static final ThreadBuffer IN = new ThreadBuffer();
    /** For what goes. */
    static final ThreadBuffer OUT = new ThreadBuffer();

    private final ThreadLocal<@Nullable ByteBuffer> buffers = new ThreadLocal<>();

    private ThreadBuffer() {}

    /** That of this thread, empty, with room for so many bytes. */
    ByteBuffer take(int size) {
        ByteBuffer buffer = buffers.get();
        if (buffer == null || buffer.capacity() != size) {
            buffer = ByteBuffer.allocateDirect(size);
            buffers.set(buffer);
        }
        return buffer.clear();
    }
}
