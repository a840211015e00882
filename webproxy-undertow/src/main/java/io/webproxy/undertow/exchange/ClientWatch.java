package io.webproxy.undertow.exchange;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.StreamSourceConduit;

/**
 * Notices that an HTTP/1.1 client has gone while its connection isn't read otherwise: before its request body is, and after. What it sends
 * meanwhile, of that body or of the next request, is kept for the next reader, as far as it fits one pooled buffer. Once that buffer is full the
 * watch is over: a departure after those bytes is seen by the next reader.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class ClientWatch {
    /** What a watch finds out. */
    interface Listener {
        /** The client has ended its direction. */
        void ended();

        /** The connection is broken. */
        void broken();
    }

    private final HttpServerConnection connection;
    private final ConduitStreamSourceChannel channel;

    /** The connection's own: what the channel has of an exchange does nothing any more once the request body is complete. */
    private final StreamSourceConduit source;

    private final Listener listener;
    private boolean started;

    ClientWatch(HttpServerConnection connection, Listener listener) {
        this.connection = connection;
        this.channel = connection.getChannel().getSourceChannel();
        this.source = connection.getOriginalSourceConduit();
        this.listener = listener;
    }

    /** Starts to watch unless it does already, or can't keep any more bytes. The channel's read listener is replaced. */
    void start() {
        if (!started && hasRoom()) {
            started = true;
            channel.setReadListener(ready -> look());
            source.resumeReads();
        }
    }

    /** Ends; what was read is the connection's extra bytes. Idempotent. */
    void stop() {
        if (started) {
            started = false;
            channel.setReadListener(null);
            source.suspendReads();
        }
    }

    private boolean hasRoom() {
        PooledByteBuffer kept = connection.getExtraBytes();
        return kept == null
                || kept.getBuffer().remaining() < connection.getByteBufferPool().getBufferSize();
    }

    private void look() {
        if (!started) {
            source.suspendReads();
            return;
        }
        try {
            if (readAhead() < 0) {
                stop();
                listener.ended();
            } else if (!hasRoom()) {
                stop();
            }
        } catch (IOException e) {
            stop();
            listener.broken();
        }
    }

    /** Reads as much as there is and fits; returns what the last read did. */
    private int readAhead() throws IOException {
        ByteBufferPool pool = connection.getByteBufferPool();
        PooledByteBuffer kept = connection.getExtraBytes();
        PooledByteBuffer pooled = pool.allocate();
        try {
            ByteBuffer buffer = pooled.getBuffer();
            if (kept != null) {
                buffer.put(kept.getBuffer().duplicate());
            }
            int before = buffer.position();
            int read = 1;
            while (read > 0 && buffer.hasRemaining()) {
                read = source.read(buffer);
            }
            if (buffer.position() > before) {
                buffer.flip();
                connection.setExtraBytes(pooled);
                pooled = kept;
            }
            return read;
        } finally {
            if (pooled != null) {
                pooled.close();
            }
        }
    }
}
