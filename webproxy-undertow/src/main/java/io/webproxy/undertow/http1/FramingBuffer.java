package io.webproxy.undertow.http1;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.StreamSinkConduit;

/**
 * The heads, chunk sizes and line ends of one connection's responses that the socket hasn't taken yet; they go out
 * before anything else. Within a call they are in the thread's own buffer; {@link #keep} moves them to one of the pool.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class FramingBuffer {
    /** Room for the size of a chunk. */
    private static final int CHUNK_SIZE = 32;

    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

    private final ByteBufferPool pool;
    private @Nullable ByteBuffer bytes;
    private @Nullable PooledByteBuffer pooled;
    /** The bytes are in the thread's own buffer, until the end of the call. */
    private boolean lent;

    FramingBuffer(ByteBufferPool pool) {
        this.pool = pool;
    }

    /** What waits; null if nothing does. */
    @Nullable ByteBuffer waiting() {
        return bytes;
    }

    /** What waits, also if that is nothing, with room for a chunk's size and the end of its line. */
    ByteBuffer open() {
        return room(CHUNK_SIZE);
    }

    void append(ResponseHead text) {
        append(text.bytes(), text.length());
    }

    void append(byte[] more, int count) {
        ByteBuffer into = room(count);
        int at = into.limit();
        into.limit(at + count).put(at, more, 0, count);
    }

    /** Appends the line before a chunk of so many bytes (RFC 9112 section 7.1). */
    void appendChunkSize(int size) {
        ByteBuffer into = room(CHUNK_SIZE);
        int at = into.limit();
        into.limit(into.capacity());
        for (int shift = (Integer.SIZE - 1 - Integer.numberOfLeadingZeros(size)) & ~3; shift >= 0; shift -= 4) {
            into.put(at++, HEX[size >>> shift & 15]);
        }
        into.put(at++, (byte) '\r').put(at++, (byte) '\n').limit(at);
    }

    private ByteBuffer room(int count) {
        ByteBuffer known = bytes;
        if (known == null) {
            known = ThreadBuffer.out(pool.getBufferSize()).limit(0);
            lent = true;
        }
        if (known.capacity() - known.limit() < count) {
            ByteBuffer larger = ByteBuffer.allocate(known.remaining() + count + CHUNK_SIZE);
            larger.put(known).flip();
            release();
            known = larger;
        }
        bytes = known;
        return known;
    }

    /** Writes what waits; returns whether all of it was written. */
    boolean writeTo(StreamSinkConduit socket) throws IOException {
        ByteBuffer rest = bytes;
        if (rest != null) {
            while (rest.hasRemaining()) {
                if (socket.write(rest) == 0) {
                    return false;
                }
            }
            release();
        }
        return true;
    }

    /** The call ends: keeps what the socket hasn't taken. */
    void keep() {
        ByteBuffer rest = bytes;
        if (rest != null && lent) {
            lent = false;
            bytes = null;
            if (rest.hasRemaining()) {
                PooledByteBuffer kept = pool.allocate();
                bytes = kept.getBuffer().clear().put(rest).flip();
                pooled = kept;
            }
        }
    }

    /** Drops what waits. */
    void release() {
        bytes = null;
        lent = false;
        if (pooled != null) {
            pooled.close();
            pooled = null;
        }
    }
}
