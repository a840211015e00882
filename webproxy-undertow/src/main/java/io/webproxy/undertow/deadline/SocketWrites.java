package io.webproxy.undertow.deadline;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;

/**
 * Writes to a socket under TLS. When a write fails, TLS closes both directions at once, and loses what the peer sent
 * before it left. So once {@link #over} is used, only its user sees the failure; TLS continues, and what can't be
 * written is discarded.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class SocketWrites extends AbstractStreamSinkConduit<StreamSinkConduit> {
    private boolean bears;
    private @Nullable IOException failure;

    private SocketWrites(StreamSinkConduit socket) {
        super(socket);
    }

    /** Takes over the writes of a socket before TLS is put on it. */
    static SocketWrites of(StreamConnection socket) {
        SocketWrites writes = new SocketWrites(socket.getSinkChannel().getConduit());
        socket.getSinkChannel().setConduit(writes);
        return writes;
    }

    /** The sink to write to instead of that of TLS, which is on top of this. */
    StreamSinkConduit over(StreamSinkConduit tls) {
        bears = true;
        return new AbstractStreamSinkConduit<>(tls) {
            @Override
            public int write(ByteBuffer src) throws IOException {
                int count = next.write(src);
                check();
                return count;
            }

            @Override
            public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
                long count = next.write(srcs, offset, length);
                check();
                return count;
            }

            @Override
            public boolean flush() throws IOException {
                boolean flushed = next.flush();
                check();
                return flushed;
            }
        };
    }

    private void check() throws IOException {
        if (failure != null) {
            throw failure;
        }
    }

    private void failed(IOException why) throws IOException {
        if (!bears) {
            throw why;
        }
        failure = why;
    }

    private static int discard(ByteBuffer src) {
        int count = src.remaining();
        src.position(src.limit());
        return count;
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        if (failure == null) {
            try {
                return next.write(src);
            } catch (IOException e) {
                failed(e);
            }
        }
        return discard(src);
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        if (failure == null) {
            try {
                return next.write(srcs, offset, length);
            } catch (IOException e) {
                failed(e);
            }
        }
        long count = 0;
        for (int i = offset; i < offset + length; i++) {
            count += discard(srcs[i]);
        }
        return count;
    }

    @Override
    public boolean flush() throws IOException {
        if (failure == null) {
            try {
                return next.flush();
            } catch (IOException e) {
                failed(e);
            }
        }
        return true;
    }
}
