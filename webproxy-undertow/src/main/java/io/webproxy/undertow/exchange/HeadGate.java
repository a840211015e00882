package io.webproxy.undertow.exchange;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.StatusCodes;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * What every byte of an HTTP/1.1 client passes before Undertow's parser: request heads that come too slowly or are far too large are answered here, because
 * Undertow would close without a word; what else is wrong is noted for the exchange. Bodies pass untouched.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
public final class HeadGate extends AbstractStreamSourceConduit<StreamSourceConduit> {
    private static final Logger LOG = LoggerFactory.getLogger(HeadGate.class);
    private static final int LINGER_BYTES = 1 << 20;
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long FAREWELL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final StreamConnection connection;
    private final Origin origin;
    /** The channel's own: while an exchange ends, the channel still has that of the exchange. */
    private final StreamSinkConduit sink;

    private final Sweeper sweeper;
    private final Supplier<HttpLimits> limits;
    private final HeadScanner scanner = new HeadScanner();
    private @Nullable Wait wait;
    private @Nullable Farewell farewell;
    private boolean leaving;
    private long idleSince;
    private boolean refused;
    private int discarded;

    private HeadGate(StreamConnection connection, Origin origin, Sweeper sweeper, Supplier<HttpLimits> limits) {
        super(connection.getSourceChannel().getConduit());
        this.connection = connection;
        this.origin = origin;
        this.sink = connection.getSinkChannel().getConduit();
        this.sweeper = sweeper;
        this.limits = limits;
        this.idleSince = sweeper.now();
    }

    /**
     * Puts a gate before a connection that speaks HTTP/1.1.
     *
     * @param origin where it comes from
     * @param read what was read of it already, or null; the gate may take bytes out of it, and all of them
     */
    public static HeadGate install(
            StreamConnection connection,
            Origin origin,
            Sweeper sweeper,
            Supplier<HttpLimits> limits,
            @Nullable PooledByteBuffer read) {
        HeadGate gate = new HeadGate(connection, origin, sweeper, limits);
        connection.getSourceChannel().setConduit(gate);
        gate.next(read);
        return gate;
    }

    Origin origin() {
        return origin;
    }

    /** What is wrong with the head that is complete, or null. */
    @Nullable HeadProblem problem() {
        HeadProblem found = scanner.problem();
        return found == null && scanner.bytes() > limits.get().requestHeadBytes() ? HeadProblem.TOO_LARGE : found;
    }

    /** The exchange is complete, the next head comes; of {@code read}, which was read of it already and may be null, the gate may take bytes out. */
    void next(@Nullable PooledByteBuffer read) {
        scanner.reset();
        idleSince = sweeper.now();
        if (read != null) {
            ByteBuffer bytes = read.getBuffer();
            int leading = scanner.scan(bytes, bytes.position(), bytes.limit());
            bytes.position(scanned() ? bytes.position() + leading : bytes.limit());
        }
        if (leaving) {
            awaitFarewell();
        }
    }

    /** The endpoint goes away: the connection ends behind the exchange that is under way, or once no request comes any more. */
    public void leave() {
        leaving = true;
        awaitFarewell();
    }

    /** Whether the connection ends behind the exchange that is under way. */
    boolean isLeaving() {
        return leaving;
    }

    private boolean isIdle() {
        return !scanner.hasBegun() && !refused && connection.isOpen();
    }

    private void awaitFarewell() {
        if (farewell == null && isIdle()) {
            farewell = new Farewell();
            sweeper.watch(farewell);
        }
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        if (refused) {
            return discard(dst);
        }
        if (scanner.isComplete()) {
            return next.read(dst);
        }
        int start = dst.position();
        int read = next.read(dst);
        if (read > 0) {
            int leading = scanner.scan(dst, start, dst.position());
            if (leading > 0) {
                ByteBuffer rest = dst.duplicate().flip().position(start + leading);
                dst.position(start);
                dst.put(rest);
                read -= leading;
            }
            if (!scanned()) {
                dst.position(start);
                return 0;
            }
        }
        return read;
    }

    /** Whether the head may go on. */
    private boolean scanned() {
        HttpLimits now = limits.get();
        if (scanner.bytes() > 2 * now.requestHeadBytes()) {
            // up to twice the limits the guard answers, and the exchange has a record; behind that Undertow's parser
            // would, without a reason
            refuse(scanner.isInRequestLine() ? 414 : 431, "The request head is too large.");
            return false;
        } else if (scanner.fields() > now.fields()) {
            // before the parser, which closes at the 128th field of one name
            refuse(431, "The request has more than " + now.fields() + " fields.");
            return false;
        }
        if (scanner.isComplete()) {
            stopWaiting();
        } else if (scanner.hasBegun() && wait == null) {
            wait = new Wait(sweeper.now() + now.headTime().toNanos());
            sweeper.watch(wait);
        }
        return true;
    }

    private void stopWaiting() {
        if (wait != null) {
            sweeper.forget(wait);
            wait = null;
        }
    }

    private void refuse(int status, String detail) {
        LOG.debug("{}: {}", origin.client(), detail);
        refused = true;
        answer(status, detail);
        stopWaiting();
        wait = new Wait(sweeper.now() + LINGER_NANOS);
        sweeper.watch(wait);
    }

    private void answer(int status, String detail) {
        byte[] text = (status + " " + StatusCodes.getReason(status) + ": " + detail + "\n")
                .getBytes(StandardCharsets.US_ASCII);
        String head = "HTTP/1.1 " + status + " " + StatusCodes.getReason(status)
                + "\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: " + text.length + "\r\n\r\n";
        ByteBuffer bytes = ByteBuffer.allocate(head.length() + text.length);
        bytes.put(head.getBytes(StandardCharsets.US_ASCII)).put(text).flip();
        try {
            // a socket that takes nothing now has a client that reads nothing
            if (sink.write(bytes) > 0) {
                sink.flush();
            }
        } catch (IOException e) {
            LOG.debug("The client didn't wait for its {}", status);
        }
    }

    /** Read and thrown away, so that the kernel doesn't reset the connection before the client has read the answer (RFC 9112 section 9.6). */
    private int discard(ByteBuffer dst) throws IOException {
        int start = dst.position();
        int read;
        do {
            read = next.read(dst);
            dst.position(start);
            discarded += Math.max(read, 0);
        } while (read > 0 && discarded < LINGER_BYTES);
        if (discarded >= LINGER_BYTES) {
            close();
        } else if (wait != null) {
            wait.quietSince = sweeper.now();
        }
        return read > 0 ? 0 : read;
    }

    private void close() {
        stopWaiting();
        IoUtils.safeClose(connection);
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        if (scanner.isComplete() && !refused) {
            return next.read(dsts, offset, length);
        }
        for (int i = offset; i < offset + length; i++) {
            if (dsts[i].hasRemaining()) {
                return read(dsts[i]);
            }
        }
        return 0;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return next.transferTo(position, count, target);
    }

    @Override
    public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target) throws IOException {
        return next.transferTo(count, throughBuffer, target);
    }

    /**
     * The close of an idle connection. A client that has just had an answer is about to ask again, most likely, and would lose what it asks: it has half a second
     * to be told that the connection closes (RFC 9112 section 9.5).
     */
    private final class Farewell extends Watched {
        @Override
        protected long deadline() {
            return idleSince + FAREWELL_NANOS;
        }

        @Override
        protected void seen(long now) {
            if (!isIdle()) {
                end();
            }
        }

        @Override
        protected void expired(long now) {
            end();
            // what has come by now is served
            connection.getSourceChannel().wakeupReads();
            IoTasks.execute(sweeper.thread(), () -> {
                if (isIdle()) {
                    HeadGate.this.close();
                }
            });
        }

        @Override
        protected void cut() {
            end();
            HeadGate.this.close();
        }

        private void end() {
            sweeper.forget(this);
            farewell = null;
        }
    }

    /** For the rest of a head, or for a client to read its answer. */
    private final class Wait extends Watched {
        private final long deadline;
        private long quietSince;

        Wait(long deadline) {
            this.deadline = deadline;
            this.quietSince = sweeper.now();
        }

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void seen(long now) {
            if (!connection.isOpen()) {
                stopWaiting();
            } else if (refused && now - quietSince > QUIET_NANOS) {
                close();
            }
        }

        @Override
        protected void expired(long now) {
            if (!refused) {
                answer(408, "The request head didn't come in time.");
            }
            close();
        }

        @Override
        protected void cut() {
            close();
        }
    }
}
