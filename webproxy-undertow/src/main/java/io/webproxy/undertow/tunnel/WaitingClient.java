package io.webproxy.undertow.tunnel;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.deadline.Guard;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * A client that waits for its agent: buffers what it sends for the target, and notices when it leaves. The end of its
 * direction may be a half-close, so it still waits a while: shorter for TLS, which can't start without the rest of the
 * handshake, longer for a client of a port, which may have sent everything.
 *
 * <p>Not thread-safe: it belongs to the client's IO thread. Times are nanoseconds of the sweeper's clock.
 */
final class WaitingClient {
    /** How much a client of a port may send, or a TLS client after its ClientHello. */
    private static final int ROOM = 4096;

    private static final long ENDED_TLS_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long ENDED_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final ConduitStreamSourceChannel source;
    private final boolean tls;
    private final ByteBufferPool buffers;
    private final Runnable left;
    private ByteBuffer early;
    private int room = ROOM;
    private boolean listening;
    private boolean ended;
    private boolean over;
    private long deadline = Long.MAX_VALUE;

    /**
     * A client that isn't read yet.
     *
     * @param early bytes that were read already
     * @param tls whether it speaks TLS
     * @param left runs when it has left
     */
    WaitingClient(StreamConnection connection, ByteBuffer early, boolean tls, ByteBufferPool buffers, Runnable left) {
        this.source = connection.getSourceChannel();
        this.early = early;
        this.tls = tls;
        this.buffers = buffers;
        this.left = left;
    }

    /** Called on each sweep; reads from the first one on, because most agents have answered before. */
    void seen(long now) {
        if (ended && deadline == Long.MAX_VALUE) {
            deadline = now + (tls ? ENDED_TLS_NANOS : ENDED_NANOS);
        }
        if (!listening && !over) {
            listening = true;
            source.setReadListener(ready -> Guard.run("the wait for an agent", this::read, left));
            source.resumeReads();
        }
    }

    /** When it is given up because it has ended its direction. */
    long deadline() {
        return deadline;
    }

    boolean isGivenUp(long now) {
        return deadline != Long.MAX_VALUE && now - deadline >= 0;
    }

    private void read() {
        if (over || ended || room == 0) {
            source.suspendReads();
            return;
        }
        try (PooledByteBuffer pooled = buffers.allocate()) {
            ByteBuffer bytes = pooled.getBuffer();
            bytes.limit(Math.min(room, bytes.remaining()));
            int read = source.read(bytes);
            if (read > 0) {
                bytes.flip();
                early = ByteBuffer.allocate(early.remaining() + read)
                        .put(early)
                        .put(bytes)
                        .flip();
                room -= read;
            } else if (read < 0) {
                ended = true;
                source.suspendReads();
            }
        } catch (IOException e) {
            left.run();
        }
    }

    /** It no longer waits: stops reading, and hands over what it has sent. */
    ByteBuffer take() {
        ByteBuffer taken = early;
        early = NOTHING;
        stop();
        return taken;
    }

    /** Stops reading. */
    void stop() {
        over = true;
        if (listening) {
            source.suspendReads();
            source.setReadListener(null);
        }
    }
}
