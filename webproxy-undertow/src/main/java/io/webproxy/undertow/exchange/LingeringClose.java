package io.webproxy.undertow.exchange;

import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Turn;
import io.webproxy.undertow.deadline.Watched;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.ssl.SslConnection;

/**
 * Closes a connection whose client may still be sending after its last response. If unread bytes were left, the kernel
 * would reset the connection and the client could lose the response. So this ends the server's direction first, then
 * discards what arrives (RFC 9112 section 9.6), for 30 s at most and until 5 s of silence. Under TLS it reads the
 * socket directly: an engine that has sent its close_notify can't read any more.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
public final class LingeringClose extends Watched implements ReadReadyHandler {
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int BUFFER_BYTES = 64 * 1024;

    /** The buffer for discarded bytes, shared by all connections of a thread. */
    private static final ThreadLocal<ByteBuffer> DISCARDED =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(BUFFER_BYTES));

    private final StreamConnection connection;
    private final StreamConnection socket;
    private final StreamSourceConduit source;
    private final StreamSinkConduit sink;
    private final Sweeper sweeper;
    private final Origin origin;
    private final Runnable onEnd;
    private final long deadline;
    private final Turn turn = new Turn();
    private long lastByte;
    private boolean sending;
    private boolean flushed;
    private boolean sourceEnded;
    private boolean ended;

    /**
     * A close of a connection that is detached from all others.
     *
     * @param connection as HTTP sees it
     * @param origin where it comes from; is told about the close
     * @param source the socket's own conduit
     * @param sink of the connection
     * @param onEnd runs once, when the connection is closed
     */
    public LingeringClose(
            StreamConnection connection,
            Origin origin,
            StreamSourceConduit source,
            StreamSinkConduit sink,
            Sweeper sweeper,
            Runnable onEnd) {
        this.connection = connection;
        this.origin = origin;
        this.socket = origin.socket();
        this.source = source;
        this.sink = sink;
        this.sweeper = sweeper;
        this.onEnd = onEnd;
        this.lastByte = sweeper.now();
        this.deadline = lastByte + LONGEST_NANOS;
    }

    /** The client is still sending. */
    public void sending() {
        if (!sending) {
            sending = true;
            origin.onLinger().run();
        }
    }

    /** Starts it: the server's direction ends once the rest of the response is out. */
    public void start() {
        sweeper.watch(this);
        try {
            sink.terminateWrites();
        } catch (IOException e) {
            end();
            return;
        }
        flush();
        if (!ended) {
            source.setReadReadyHandler(this);
            source.resumeReads();
            readReady();
        }
    }

    private void flush() {
        try {
            flushed = sink.flush();
        } catch (IOException e) {
            end();
            return;
        }
        if (!flushed) {
            connection.getSinkChannel().setWriteListener(ready -> flush());
            connection.getSinkChannel().resumeWrites();
            return;
        }
        connection.getSinkChannel().suspendWrites();
        releaseEngine();
        origin.onAnswered().run();
        if (sourceEnded) {
            end();
        }
    }

    /** Frees the TLS engine: it holds memory, with Conscrypt two descriptors, and isn't used any more. */
    private void releaseEngine() {
        if (connection instanceof SslConnection secure) {
            try {
                UndertowXnioSsl.getSslEngine(secure).closeInbound();
            } catch (SSLException e) {
                // the client has sent no close_notify, which is expected here
            }
        }
    }

    @Override
    public void readReady() {
        if (ended || sourceEnded) {
            return;
        }
        ByteBuffer discarded = DISCARDED.get();
        try {
            int read;
            do {
                read = source.read(discarded.clear());
                if (read > 0) {
                    turn.moved(read);
                    lastByte = sweeper.now();
                    sending();
                }
                // if there is more, the selector reports it at once
            } while (read > 0 && !turn.isOver());
            if (read < 0) {
                sourceEnded = true;
                source.suspendReads();
                if (flushed) {
                    end();
                }
            }
        } catch (IOException e) {
            end();
        }
    }

    private void end() {
        if (!ended) {
            ended = true;
            sweeper.forget(this);
            IoUtils.safeClose(connection);
            IoUtils.safeClose(socket);
            onEnd.run();
        }
    }

    @Override
    protected long deadline() {
        return Math.min(deadline, lastByte + SILENCE_NANOS);
    }

    @Override
    protected void expired(long now) {
        end();
    }

    @Override
    protected void seen(long now) {
        if (!socket.isOpen()) {
            end();
        }
    }

    @Override
    protected void cut() {
        end();
    }

    @Override
    public void forceTermination() {
        end();
    }

    @Override
    public void terminated() {
        // end() has done so already, or seen() will find out
    }
}
