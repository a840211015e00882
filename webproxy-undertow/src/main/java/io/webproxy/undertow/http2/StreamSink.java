package io.webproxy.undertow.http2;

import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.exchange.BrokenOff;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * What goes out on a stream: the head and the body of a response, or what a tunnel carries. The head goes with the first bytes of the body, the end with the last where the length
 * is known. It holds no bytes: what neither the windows nor the output take is the writer's to keep.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class StreamSink implements StreamSinkConduit {
    private final Http2Stream stream;
    private final Http2Connection connection;
    private final Http2Sender sender;
    private @Nullable WriteReadyHandler handler;
    /** How many bytes the client takes on this stream. */
    private long window;

    private boolean resumed;
    private boolean queued;
    private boolean headSent;
    private boolean bodiless;
    /** What is missing of a body whose length the head says, else -1. */
    private long missing = -1;

    private boolean terminated;
    /** The end is in the output. */
    private boolean ended;

    private boolean finished;
    private boolean broken;
    private boolean flushWaits;
    private boolean tunnel;

    StreamSink(Http2Stream stream, long window) {
        this.stream = stream;
        this.connection = stream.connection();
        this.sender = connection.sender();
        this.window = window;
    }

    // --- what the connection does with it ---

    /** How many bytes the client takes now; may be below zero (RFC 9113 section 6.9.2). */
    long window() {
        return window;
    }

    /** The client takes more, or less; false if that is more than there can be. */
    boolean widen(long bytes) {
        window += bytes;
        return window <= Integer.MAX_VALUE;
    }

    boolean isResumed() {
        return resumed;
    }

    /** Whether it waits in the connection's queue of those who want to write. */
    boolean isQueued() {
        return queued;
    }

    void queued(boolean waits) {
        queued = waits;
    }

    /** There is room, or the output is flushed, or an exception to be met. */
    void ready() {
        // whoever waits for the flush asks for it again
        flushWaits = false;
        WriteReadyHandler told = handler;
        if (resumed && told != null) {
            Guard.run("the writing of a response", told::writeReady, () -> connection.failed(stream));
        }
    }

    /** The stream is over: whoever writes is told so by an exception. */
    void breakOff() {
        if (!broken) {
            broken = true;
            if (resumed) {
                connection.later(this::ready);
            }
        }
    }

    /** Whether nothing will be written any more; those who wait are told once. */
    boolean isOver() {
        return broken || (finished && !tunnel);
    }

    /** Whether writing, or flushing, would do something now. */
    boolean isWritable() {
        return !isOver() && !sender.isBlocked() && (terminated || flushWaits || (window > 0 && sender.hasWindow()));
    }

    boolean isEnded() {
        return ended;
    }

    /** From now on it carries a tunnel's bytes. */
    void tunnel() {
        tunnel = true;
        terminated = false;
        missing = -1;
    }

    /** An answer starts: looks at what it will be. */
    void begin(HttpServerExchange http) {
        HeaderMap fields = http.getResponseHeaders();
        int status = http.getStatusCode();
        if (stream.isTunnelRequest() && status >= 200 && status < 300) {
            // the client would take it for an open tunnel (RFC 8441 section 4)
            status = StatusCodes.NOT_IMPLEMENTED;
            http.setStatusCode(status);
            fields.remove(Headers.CONTENT_LENGTH);
            fields.remove(Headers.CONTENT_TYPE);
            bodiless = true;
        }
        boolean none = status == StatusCodes.NO_CONTENT || status == StatusCodes.NOT_MODIFIED;
        bodiless |= none || http.getRequestMethod().equals(Methods.HEAD);
        String length = bodiless ? null : fields.getFirst(Headers.CONTENT_LENGTH);
        missing = length == null ? -1 : Long.parseLong(length);
        if (status == StatusCodes.NO_CONTENT) {
            fields.remove(Headers.CONTENT_LENGTH);
        }
    }

    // --- the conduit ---

    private void check() throws IOException {
        if (broken) {
            throw new BrokenOff("the stream was reset");
        }
        if (terminated) {
            throw new ClosedChannelException();
        }
    }

    private void head(boolean end) {
        if (!headSent) {
            headSent = true;
            ended = end;
            sender.head(stream.id(), stream.http(), end);
        }
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        check();
        int wanted = src.remaining();
        if (wanted == 0) {
            return 0;
        }
        if (bodiless) {
            src.position(src.limit());
            return wanted;
        }
        if (missing >= 0 && wanted > missing) {
            throw new IOException("more bytes than Content-Length says");
        }
        head(false);
        int length = sender.allowed(this, wanted);
        if (length <= 0) {
            return 0;
        }
        boolean last = length == missing;
        window -= length;
        sender.data(stream.id(), src, length, last);
        ended = last;
        if (missing >= 0) {
            missing -= length;
        }
        return length;
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        long sum = 0;
        for (int i = offset; i < offset + length; i++) {
            if (srcs[i].hasRemaining()) {
                sum += write(srcs[i]);
                if (srcs[i].hasRemaining()) {
                    break;
                }
            }
        }
        return sum;
    }

    @Override
    public int writeFinal(ByteBuffer src) throws IOException {
        return Conduits.writeFinalBasic(this, src);
    }

    @Override
    public long writeFinal(ByteBuffer[] srcs, int offset, int length) throws IOException {
        return Conduits.writeFinalBasic(this, srcs, offset, length);
    }

    @Override
    public long transferFrom(FileChannel src, long position, long count) throws IOException {
        return src.transferTo(position, count, new ConduitWritableByteChannel(this));
    }

    @Override
    public long transferFrom(StreamSourceChannel source, long count, ByteBuffer throughBuffer) throws IOException {
        return IoUtils.transfer(source, count, throughBuffer, new ConduitWritableByteChannel(this));
    }

    @Override
    public void terminateWrites() throws IOException {
        if (terminated || (finished && !tunnel)) {
            return;
        }
        if (broken) {
            throw new BrokenOff("the stream was reset");
        }
        terminated = true;
        if (stream.isUpgraded() && !tunnel) {
            head(false);
        } else if (!headSent) {
            HeaderMap trailers = trailers();
            boolean alone = missing <= 0 && trailers == null;
            head(alone);
            if (missing > 0) {
                cutShort();
            } else if (!alone) {
                end(trailers);
            }
        } else if (missing > 0) {
            cutShort();
        } else if (!ended) {
            end(trailers());
        }
    }

    private void end(@Nullable HeaderMap trailers) {
        ended = true;
        sender.end(stream.id(), trailers);
    }

    /** What was promised isn't all there: the client is to see that (RFC 9113 section 8.1.1). */
    private void cutShort() {
        connection.reset(stream, ErrorCode.INTERNAL_ERROR);
    }

    private @Nullable HeaderMap trailers() {
        HeaderMap trailers = tunnel || bodiless ? null : stream.http().getAttachment(HttpAttachments.RESPONSE_TRAILERS);
        return trailers == null || trailers.size() == 0 ? null : trailers;
    }

    @Override
    public boolean flush() throws IOException {
        if (finished && !tunnel) {
            return true;
        }
        if (broken) {
            if (!ended) {
                throw new BrokenOff("the stream was reset");
            }
            finish();
            return true;
        }
        head(false);
        sender.flushSoon();
        flushWaits = sender.isBlocked();
        if (flushWaits) {
            return false;
        }
        if (terminated) {
            finish();
        }
        return true;
    }

    private void finish() {
        if (!finished) {
            finished = true;
            Connectors.terminateResponse(stream.http());
        } else if (tunnel) {
            connection.tunnelWritten(stream);
        }
    }

    @Override
    public void truncateWrites() {
        if (!finished || tunnel) {
            terminated = true;
            if (!ended) {
                connection.reset(stream, ErrorCode.CANCEL);
            }
            finish();
        }
    }

    @Override
    public boolean isWriteShutdown() {
        return terminated || broken;
    }

    @Override
    public void resumeWrites() {
        resumed = true;
        if (broken) {
            connection.later(this::ready);
        } else {
            sender.queue(this);
        }
    }

    @Override
    public void wakeupWrites() {
        resumed = true;
        connection.later(this::ready);
    }

    @Override
    public void suspendWrites() {
        resumed = false;
    }

    @Override
    public boolean isWriteResumed() {
        return resumed;
    }

    @Override
    public void awaitWritable() {
        throw new IllegalStateException("nothing waits on an IO thread");
    }

    @Override
    public void awaitWritable(long time, TimeUnit timeUnit) {
        awaitWritable();
    }

    @Override
    public XnioIoThread getWriteThread() {
        return stream.getIoThread();
    }

    @Override
    public void setWriteReadyHandler(@Nullable WriteReadyHandler told) {
        handler = told;
    }

    @Override
    public XnioWorker getWorker() {
        return stream.getWorker();
    }
}
