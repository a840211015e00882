package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.HeaderMap;
import io.webproxy.undertow.conduit.PlainSource;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Turn;
import io.webproxy.undertow.exchange.BrokenOff;
import io.webproxy.undertow.message.ChunkedDecoder;
import io.webproxy.undertow.message.Leniency;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.ReadReadyHandler;

/**
 * The response body from the upstream, without its framing. Bytes that arrived with the head come first; all others are
 * read directly into the reader's buffer. Not thread-safe.
 */
final class ResponseBodySource implements PlainSource {
    private final UpstreamConnection connection;
    private final ConduitStreamSourceChannel source;
    private final ParsedHead.Framing framing;
    private final Leniency leniency;
    private final @Nullable ChunkedDecoder decoder;
    private final Turn turn = new Turn();

    private @Nullable ResponseListener listener;
    private boolean resting;
    private long remaining;
    private @Nullable PooledByteBuffer early;
    private boolean ended;
    private @Nullable IOException failure;
    private boolean readsResumed;
    private @Nullable ReadReadyHandler handler;

    ResponseBodySource(
            UpstreamConnection connection,
            ConduitStreamSourceChannel source,
            ParsedHead head,
            Leniency leniency,
            @Nullable PooledByteBuffer early) {
        this.connection = connection;
        this.source = source;
        this.framing = head.framing();
        this.leniency = leniency;
        this.remaining = framing == ParsedHead.Framing.LENGTH ? head.contentLength() : 0;
        this.decoder = framing == ParsedHead.Framing.CHUNKED ? new ChunkedDecoder(leniency) : null;
        this.early = early;
    }

    /** Sets the listener of the body's events, before the first read. */
    void listener(ResponseListener who) {
        listener = who;
    }

    private ResponseListener listener() {
        return Objects.requireNonNull(listener, "listener");
    }

    boolean isEnded() {
        return ended;
    }

    /** Makes every later read throw, and wakes a waiting reader. */
    void fail(IOException why) {
        if (failure == null && !ended) {
            failure = why;
            releaseEarly();
            wakeupReads();
        }
    }

    /** Unread bytes that arrived with the head, or null; the caller closes them. */
    @Nullable PooledByteBuffer takeEarly() {
        PooledByteBuffer taken = early;
        early = null;
        return taken;
    }

    /**
     * Looks at what has arrived before the first read, which gets it: the listener hears if the body is broken already.
     */
    void lookAhead(ByteBufferPool buffers) {
        if (failure == null && !ended && !isEmpty()) {
            LookAhead seen = new LookAhead(source, early, buffers);
            early = seen.bytes();
            String problem = seen.problem(framing, remaining, leniency);
            if (problem != null) {
                broken(problem);
            } else if (!early.getBuffer().hasRemaining()) {
                releaseEarly();
            }
        }
    }

    /** The socket is readable. */
    void readable() {
        if (readsResumed && handler != null) {
            handler.readReady();
        } else {
            source.suspendReads();
        }
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (!ended && isEmpty()) {
            end();
        }
        if (ended) {
            return -1;
        }
        if (!dst.hasRemaining()) {
            return 0;
        }
        if (early == null && turn.isOver()) {
            rest();
            listener().responsePaused();
            return 0;
        }
        int read;
        try {
            read = decoder != null ? readChunked(dst, decoder) : readPlain(dst);
        } catch (IOException e) {
            throw broken("the upstream's connection failed within the response body");
        } catch (RuntimeException | Error e) {
            Guard.failed("reading a response body", e);
            throw broken("an internal error within the response body");
        }
        if (failure != null) {
            throw failure;
        }
        if (read > 0) {
            turn.moved(read);
            listener().responseBytes(read);
        } else if (read == 0 && !ended) {
            listener().responsePaused();
        }
        return read == 0 && ended ? -1 : read;
    }

    /**
     * A cleartext socket reports at once that it is readable, after all other sockets; one under TLS would be read
     * again before them.
     */
    private void rest() {
        if (connection.isSecure()) {
            resting = true;
            source.suspendReads();
            IoTasks.executeAfter(getReadThread(), this::rested, Turn.TLS_REST_MILLIS);
        }
    }

    private void rested() {
        resting = false;
        if (readsResumed && !ended && failure == null) {
            source.resumeReads();
        }
    }

    private boolean isEmpty() {
        return framing == ParsedHead.Framing.NONE || (framing == ParsedHead.Framing.LENGTH && remaining == 0);
    }

    private int readPlain(ByteBuffer dst) throws IOException {
        boolean bounded = framing == ParsedHead.Framing.LENGTH;
        int limit = dst.limit();
        if (bounded && dst.remaining() > remaining) {
            dst.limit(dst.position() + (int) remaining + 1);
        }
        int read;
        try {
            read = early != null ? takeEarly(early, dst) : source.read(dst);
        } finally {
            dst.limit(limit);
        }
        if (read < 0) {
            if (bounded) {
                throw broken("the upstream closed " + remaining + " bytes before the end of the response body");
            }
            end();
            return -1;
        }
        if (bounded) {
            if (read > remaining) {
                connection.surplus();
                dst.position(dst.position() - 1);
                read--;
            }
            remaining -= read;
            if (remaining == 0) {
                end();
            }
        }
        return read;
    }

    private int takeEarly(PooledByteBuffer pooled, ByteBuffer dst) {
        ByteBuffer from = pooled.getBuffer();
        int count = Math.min(from.remaining(), dst.remaining());
        int start = from.position();
        int end = dst.position();
        dst.put(end, from, start, count).position(end + count);
        from.position(start + count);
        if (!from.hasRemaining()) {
            releaseEarly();
        }
        return count;
    }

    private int readChunked(ByteBuffer dst, ChunkedDecoder chunks) throws IOException {
        while (true) {
            int moved;
            if (early != null) {
                moved = chunks.decode(early.getBuffer(), dst);
                if (!early.getBuffer().hasRemaining()) {
                    releaseEarly();
                }
            } else {
                int start = dst.position();
                int read = source.read(dst);
                if (read < 0) {
                    throw broken("the upstream closed within a chunked response body");
                }
                if (read == 0) {
                    return 0;
                }
                ByteBuffer rest = chunks.decodeInPlace(dst, start);
                moved = dst.position() - start;
                if (rest.hasRemaining() && chunks.isEnd()) {
                    connection.surplus();
                }
            }
            String problem = chunks.problem();
            if (problem != null) {
                throw broken("the upstream's chunked framing is broken: "
                        + (problem.equals(ChunkedDecoder.PADDED) ? problem + ResponseParser.REMEDY : problem));
            }
            leniency.forwarded();
            if (chunks.isEnd()) {
                end();
                return moved;
            }
            if (moved > 0) {
                return moved;
            }
        }
    }

    private IOException broken(String why) {
        if (failure == null) {
            failure = new BrokenOff(why);
            releaseEarly();
            listener().responseBroken(why);
        }
        return failure;
    }

    private void end() {
        ended = true;
        if (early != null && early.getBuffer().hasRemaining()) {
            connection.surplus();
        }
        releaseEarly();
        HeaderMap trailers = decoder == null ? null : decoder.trailers();
        connection.responseEnded();
        listener().responseEnded(trailers == null ? new HeaderMap() : trailers);
    }

    private void releaseEarly() {
        if (early != null) {
            early.close();
            early = null;
        }
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (dsts[i].hasRemaining()) {
                return read(dsts[i]);
            }
        }
        return 0;
    }

    @Override
    public void terminateReads() {
        if (!ended) {
            connection.close();
        }
    }

    @Override
    public boolean isReadShutdown() {
        return ended;
    }

    @Override
    public void resumeReads() {
        if (ended || failure != null || early != null) {
            wakeupReads();
        } else {
            readsResumed = true;
            if (!resting) {
                source.resumeReads();
            }
        }
    }

    @Override
    public void suspendReads() {
        // the socket's own interest stays on until it is ready in vain: most pauses are over before that
        readsResumed = false;
    }

    @Override
    public void wakeupReads() {
        readsResumed = true;
        IoTasks.execute(getReadThread(), () -> {
            if (readsResumed && handler != null) {
                handler.readReady();
                if (readsResumed && !ended && failure == null && early == null && !resting) {
                    source.resumeReads();
                }
            }
        });
    }

    @Override
    public boolean isReadResumed() {
        return readsResumed;
    }

    @Override
    public void awaitReadable() throws IOException {
        source.awaitReadable();
    }

    @Override
    public void awaitReadable(long time, TimeUnit unit) throws IOException {
        source.awaitReadable(time, unit);
    }

    @Override
    public XnioIoThread getReadThread() {
        return source.getIoThread();
    }

    @Override
    public void setReadReadyHandler(ReadReadyHandler other) {
        handler = other;
    }

    @Override
    public XnioWorker getWorker() {
        return source.getWorker();
    }
}
