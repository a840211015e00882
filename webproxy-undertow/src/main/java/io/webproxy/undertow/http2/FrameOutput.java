package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.StreamSinkConduit;

/**
 * The outgoing frames of all streams of a connection, in order: they wait in pooled buffers, and are written together.
 * A buffer is filled as far as one TLS record holds; an idle connection has none.
 *
 * <p>Writers of bodies must check {@link #room} first, so that a peer that stops reading stops them; other frames
 * always fit.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class FrameOutput {
    /** How many bytes may wait before bodies have to wait. */
    static final int MOST_WAITING = 64 * 1024;
    /** The plaintext of one TLS record (RFC 8446 section 5.1). */
    private static final int RECORD = 16 * 1024;
    /** A smaller field block isn't split to fill up a buffer. */
    private static final int SMALL_BLOCK = 1024;

    private static final ByteBuffer EMPTY = ByteBuffer.allocate(0);

    private final StreamSinkConduit sink;
    private final ByteBufferPool pool;
    private final ArrayDeque<PooledByteBuffer> full = new ArrayDeque<>();
    private @Nullable PooledByteBuffer filling;
    private ByteBuffer buffer = EMPTY;
    private int waiting;
    private long written;
    private boolean blocked;
    private boolean unflushed;
    private boolean released;

    FrameOutput(StreamSinkConduit sink, ByteBufferPool pool) {
        this.sink = sink;
        this.pool = pool;
    }

    /** Reserves {@code bytes} contiguous bytes in the buffer. */
    private void reserve(int bytes) {
        if (buffer.remaining() < bytes) {
            turnOver();
            if (released) {
                // frames can't be sent any more
                buffer = ByteBuffer.allocate(RECORD);
                return;
            }
            PooledByteBuffer next = pool.allocate();
            filling = next;
            buffer = next.getBuffer();
            buffer.clear().limit(Math.min(RECORD, buffer.capacity()));
        }
    }

    private void turnOver() {
        PooledByteBuffer done = filling;
        if (done != null) {
            buffer.flip();
            full.addLast(done);
            filling = null;
            buffer = EMPTY;
        }
    }

    private void head(int length, int type, int flags, int stream) {
        buffer.putInt(length << 8 | type).put((byte) flags).putInt(stream);
        waiting += FrameHead.BYTES;
    }

    /** The client's connection preface. */
    void preface() {
        byte[] preface = FrameRules.preface();
        reserve(preface.length);
        buffer.put(preface);
        waiting += preface.length;
    }

    /** Adds a frame with an empty payload. */
    void frame(int type, int flags, int stream) {
        reserve(FrameHead.BYTES);
        head(0, type, flags, stream);
    }

    /** Adds a frame with a four-byte number. */
    void frame(int type, int flags, int stream, int payload) {
        reserve(FrameHead.BYTES + Integer.BYTES);
        head(Integer.BYTES, type, flags, stream);
        buffer.putInt(payload);
        waiting += Integer.BYTES;
    }

    /** Adds a frame with an eight-byte number. */
    void frame(int type, int flags, int stream, long payload) {
        reserve(FrameHead.BYTES + Long.BYTES);
        head(Long.BYTES, type, flags, stream);
        buffer.putLong(payload);
        waiting += Long.BYTES;
    }

    /** Adds settings, pairs of an identifier and a value. */
    void settings(int... pairs) {
        int length = pairs.length / 2 * 6;
        reserve(FrameHead.BYTES + length);
        head(length, FrameHead.SETTINGS, 0, 0);
        for (int i = 0; i < pairs.length; i += 2) {
            buffer.putShort((short) pairs[i]).putInt(pairs[i + 1]);
        }
        waiting += length;
    }

    /** Adds a field block in as many frames as it needs (RFC 9113 section 6.10). */
    void block(int stream, byte[] block, int length, boolean end) {
        int type = FrameHead.HEADERS;
        int from = 0;
        do {
            int piece = Math.min(length - from, RECORD - FrameHead.BYTES);
            if (from == 0 && buffer.remaining() < FrameHead.BYTES + piece && piece <= SMALL_BLOCK) {
                reserve(FrameHead.BYTES + piece);
            } else {
                reserve(FrameHead.BYTES + Math.min(piece, 1));
                piece = Math.min(piece, buffer.remaining() - FrameHead.BYTES);
            }
            boolean last = from + piece == length;
            int flags =
                    (last ? FrameHead.END_HEADERS : 0) | (end && type == FrameHead.HEADERS ? FrameHead.END_STREAM : 0);
            head(piece, type, flags, stream);
            buffer.put(block, from, piece);
            waiting += piece;
            from += piece;
            type = FrameHead.CONTINUATION;
        } while (from < length);
    }

    /** Adds the next {@code length} bytes of a body, in as many frames as the buffers need. */
    void data(int stream, ByteBuffer body, int length, boolean end) {
        int left = length;
        do {
            reserve(FrameHead.BYTES + Math.min(left, 1));
            int piece = Math.min(left, buffer.remaining() - FrameHead.BYTES);
            left -= piece;
            head(piece, FrameHead.DATA, end && left == 0 ? FrameHead.END_STREAM : 0, stream);
            buffer.put(buffer.position(), body, body.position(), piece);
            buffer.position(buffer.position() + piece);
            body.position(body.position() + piece);
            waiting += piece;
        } while (left > 0);
    }

    /** How many bytes of bodies fit now. */
    int room() {
        return Math.max(0, MOST_WAITING - waiting);
    }

    /** Number of bytes waiting. */
    int waiting() {
        return waiting;
    }

    /** Number of bytes that the socket has taken so far. */
    long written() {
        return written;
    }

    /** Whether the socket hasn't taken everything at the last flush. */
    boolean isBlocked() {
        return blocked;
    }

    /**
     * Writes what waits to the socket, as far as it takes it.
     *
     * @return whether nothing is left
     */
    boolean flush() throws IOException {
        turnOver();
        for (PooledByteBuffer first = full.peekFirst(); first != null; first = full.peekFirst()) {
            ByteBuffer bytes = first.getBuffer();
            while (bytes.hasRemaining()) {
                int count = sink.write(bytes);
                if (count == 0) {
                    blocked = true;
                    return false;
                }
                waiting -= count;
                written += count;
                unflushed = true;
            }
            full.removeFirst();
            first.close();
        }
        if (unflushed && !sink.flush()) {
            blocked = true;
            return false;
        }
        unflushed = false;
        blocked = false;
        return true;
    }

    /** Gives back the buffers; nothing is sent any more. */
    void release() {
        turnOver();
        full.forEach(PooledByteBuffer::close);
        full.clear();
        waiting = 0;
        released = true;
    }
}
