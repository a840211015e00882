package io.webproxy.undertow.http1;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.ImmediatePooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.StreamSourceConduit;

/**
 * The input of a client's connection: up to one buffer of bytes that were read ahead, then the socket.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class ClientBytes {
    private final StreamSourceConduit socket;
    private final ByteBufferPool pool;
    private @Nullable PooledByteBuffer held;
    /** The thread's own buffer with bytes read in this call, see {@link #keep()}. */
    private @Nullable ByteBuffer fresh;

    private boolean full;
    private boolean ended;
    private boolean broken;

    /** {@code socket}: as HTTP sees it, through TLS if there is any. */
    ClientBytes(StreamSourceConduit socket, ByteBufferPool pool) {
        this.socket = socket;
        this.pool = pool;
    }

    /** Takes over bytes that were read before. */
    void start(PooledByteBuffer read) {
        if (read.getBuffer().hasRemaining()) {
            held = read;
        } else {
            read.close();
        }
    }

    /** Whether there are bytes without reading the socket. */
    boolean isHeld() {
        return held != null || fresh != null;
    }

    /** Whether more can be read ahead. */
    boolean hasRoom() {
        return held == null || held.getBuffer().remaining() < held.getBuffer().capacity();
    }

    /** Whether the last read filled its buffer: a TLS engine may hold more than that. */
    boolean isFull() {
        return full;
    }

    /** The engine may have to be read again. */
    void forgetFull() {
        full = false;
    }

    /** Whether the client has closed its direction, or the connection is broken; bytes may still be held. */
    boolean isEnded() {
        return ended;
    }

    /** Whether the end was an error. */
    boolean isBroken() {
        return broken;
    }

    /** The available bytes for a parser; null for none. Call {@link #keep()} afterwards. */
    @Nullable ByteBuffer forParser() {
        return held == null ? fresh : held.getBuffer();
    }

    /** Keeps the bytes that weren't consumed. */
    void keep() {
        ByteBuffer rest = fresh;
        if (rest == null) {
            taken();
            return;
        }
        fresh = null;
        if (rest.hasRemaining()) {
            PooledByteBuffer kept = pool.allocate();
            kept.getBuffer().clear().put(rest).flip();
            held = kept;
        }
    }

    private void taken() {
        if (held != null && !held.getBuffer().hasRemaining()) {
            drop();
        }
    }

    /** Discards the bytes. */
    void drop() {
        fresh = null;
        if (held != null) {
            held.close();
            held = null;
        }
    }

    /** Hands on the held bytes; null if there are none. */
    @Nullable PooledByteBuffer release() {
        PooledByteBuffer released = held;
        held = null;
        return released;
    }

    /**
     * Reads from the socket while nothing is held, for a parser; returns the result of the read, or -1 if the
     * connection is broken.
     */
    int read() {
        ByteBuffer into = ThreadBuffer.in(pool.getBufferSize());
        int read = read(into);
        if (read > 0) {
            fresh = into.flip();
        }
        return read;
    }

    /**
     * Reads from the socket, after the held bytes; returns the result of the read, or -1 if the connection is broken.
     */
    int readAhead() {
        if (held == null) {
            int read = read();
            keep();
            return read;
        }
        ByteBuffer bytes = held.getBuffer();
        if (bytes.limit() == bytes.capacity()) {
            bytes.compact().flip();
        }
        int from = bytes.position();
        bytes.position(bytes.limit()).limit(bytes.capacity());
        int read = read(bytes);
        bytes.limit(bytes.position()).position(from);
        return read;
    }

    private int read(ByteBuffer into) {
        int read = -1;
        try {
            read = socket.read(into);
        } catch (IOException e) {
            broken = true;
        }
        full = read > 0 && !into.hasRemaining();
        ended |= read < 0;
        return read;
    }

    /** Takes the next available bytes; -1 if there won't be any. */
    int take(ByteBuffer dst) throws IOException {
        if (!dst.hasRemaining()) {
            return 0;
        }
        if (held != null) {
            ByteBuffer bytes = held.getBuffer();
            int count = Math.min(bytes.remaining(), dst.remaining());
            int limit = bytes.limit();
            dst.put(bytes.limit(bytes.position() + count));
            bytes.limit(limit);
            taken();
            return count;
        }
        if (ended) {
            return -1;
        }
        int read = socket.read(dst);
        full = read > 0 && !dst.hasRemaining();
        ended = read < 0;
        return read;
    }

    /** Returns the last bytes that were taken. */
    void giveBack(ByteBuffer rest) {
        if (held != null) {
            // they are still there
            held.getBuffer().position(held.getBuffer().position() - rest.remaining());
            return;
        }
        PooledByteBuffer into = rest.remaining() <= pool.getBufferSize()
                ? pool.allocate()
                : new ImmediatePooledByteBuffer(ByteBuffer.allocate(rest.remaining()));
        into.getBuffer().clear().put(rest).flip();
        held = into;
    }
}
