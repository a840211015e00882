package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.ImmediatePooledByteBuffer;
import io.webproxy.undertow.deadline.BodyRoom;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The body bytes of a stream that were received and not read yet, in pooled buffers. The stream's window and the memory
 * budget of all bodies limit them. Not thread-safe.
 */
final class ReceivedBytes {
    /** Up to this size bytes are kept outside of the pool, in buffers of {@link #SMALL} bytes. */
    static final int FEW = 2048;

    private static final int SMALL = 512;

    private final ByteBufferPool pool;
    private final BodyRoom room;
    /** All but the last can be read; the last is being filled. */
    private final ArrayDeque<PooledByteBuffer> buffers = new ArrayDeque<>(2);
    /** Index where reading of the first continues. */
    private int readAt;

    private int size;

    ReceivedBytes(ByteBufferPool pool, BodyRoom room) {
        this.pool = pool;
        this.room = room;
    }

    int size() {
        return size;
    }

    /** Takes all bytes; false if there is no memory for the rest. */
    boolean add(ByteBuffer bytes) {
        makeRoom(bytes.remaining());
        while (bytes.hasRemaining()) {
            PooledByteBuffer last = buffers.peekLast();
            if (last == null || !last.getBuffer().hasRemaining()) {
                last = allocate(bytes.remaining());
                if (last == null) {
                    return false;
                }
                buffers.addLast(last);
            }
            ByteBuffer into = last.getBuffer();
            int length = Math.min(into.remaining(), bytes.remaining());
            into.put(into.position(), bytes, bytes.position(), length);
            into.position(into.position() + length);
            bytes.position(bytes.position() + length);
            size += length;
        }
        return true;
    }

    /** Moves the rest of the only buffer to its start if the new bytes fit then: a slow reader shouldn't hold two. */
    private void makeRoom(int bytes) {
        PooledByteBuffer only = buffers.size() == 1 ? buffers.getFirst() : null;
        if (only == null || readAt == 0) {
            return;
        }
        ByteBuffer buffer = only.getBuffer();
        if (bytes > buffer.remaining() && size + bytes <= buffer.capacity()) {
            buffer.limit(buffer.position()).position(readAt).compact();
            readAt = 0;
        }
    }

    /**
     * A buffer for new bytes; null if there is no memory. A few bytes don't take a whole buffer, of which many streams
     * could have one each.
     */
    private @Nullable PooledByteBuffer allocate(int bytes) {
        if (size + bytes <= FEW) {
            return new ImmediatePooledByteBuffer(ByteBuffer.allocate(SMALL));
        }
        if (!room.take(pool.getBufferSize())) {
            return null;
        }
        PooledByteBuffer buffer = pool.allocate();
        buffer.getBuffer().clear();
        return buffer;
    }

    private void giveBack(PooledByteBuffer buffer) {
        if (!(buffer instanceof ImmediatePooledByteBuffer)) {
            room.give(pool.getBufferSize());
        }
        buffer.close();
    }

    /** Moves as many bytes as fit; returns their number. */
    int read(ByteBuffer into) {
        int moved = 0;
        while (into.hasRemaining() && size > 0) {
            PooledByteBuffer first = buffers.getFirst();
            ByteBuffer from = first.getBuffer();
            int length = Math.min(from.position() - readAt, into.remaining());
            into.put(into.position(), from, readAt, length);
            into.position(into.position() + length);
            readAt += length;
            moved += length;
            size -= length;
            if (readAt == from.position()) {
                readAt = 0;
                buffers.removeFirst();
                giveBack(first);
            }
        }
        return moved;
    }

    /** Frees the buffers; returns the number of unread bytes. */
    int release() {
        int unread = size;
        buffers.forEach(this::giveBack);
        buffers.clear();
        readAt = 0;
        size = 0;
        return unread;
    }
}
