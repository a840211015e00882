package io.webproxy.undertow.http2;

import io.webproxy.undertow.conduit.PlainSink;
import io.webproxy.undertow.deadline.Guard;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.conduits.WriteReadyHandler;

/**
 * Sends bytes on a stream, as far as the peer's windows and the output have room. It buffers nothing: the writer keeps
 * what doesn't fit.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
abstract class StreamSink implements PlainSink {
    private final Http2Link<?> link;
    private final LinkStream stream;
    private @Nullable WriteReadyHandler handler;
    /** How many bytes the peer accepts on this stream. */
    private long window;

    private boolean resumed;
    private boolean queued;
    /** Nothing can be sent any more. */
    boolean broken;
    /** The writer waits for a flush. */
    boolean flushWaits;

    StreamSink(Http2Link<?> link, LinkStream stream, long window) {
        this.link = link;
        this.stream = stream;
        this.window = window;
    }

    // --- called by the connection ---

    /** How many bytes the peer accepts now; may be negative (RFC 9113 section 6.9.2). */
    final long window() {
        return window;
    }

    /** The peer accepts more, or fewer, bytes; false if that exceeds the maximum. */
    final boolean widen(long bytes) {
        window += bytes;
        return window <= Integer.MAX_VALUE;
    }

    final boolean isResumed() {
        return resumed;
    }

    /** Whether it waits in the connection's queue of writers. */
    final boolean isQueued() {
        return queued;
    }

    final void queued(boolean waits) {
        queued = waits;
    }

    /** Writing is possible, the output was flushed, or the stream has ended. */
    final void ready() {
        // a writer that waits for the flush will ask for it again
        flushWaits = false;
        WriteReadyHandler told = handler;
        if (resumed && told != null) {
            Guard.run("the writing of a body", told::writeReady, stream::failed);
        }
    }

    /** The stream is over: tells the writer. */
    final void breakOff() {
        if (!broken) {
            broken = true;
            if (resumed) {
                link.later(this::ready);
            }
        }
    }

    /** Whether nothing will be written any more; a waiting writer is told once. */
    abstract boolean isOver();

    /** Whether no more bytes follow, and only the rest is to be sent. */
    abstract boolean isTerminated();

    /** Whether a write or a flush would do something now. */
    final boolean isWritable() {
        Http2Sender sender = link.sender();
        return !isOver() && !sender.isBlocked() && (isTerminated() || flushWaits || (window > 0 && sender.hasWindow()));
    }

    /**
     * Sends as many of the bytes as there is room for; returns how many. {@code last}: how many bytes there are to the
     * end of the stream, else -1.
     */
    final int send(ByteBuffer src, long last) {
        int length = link.sender().allowed(this, src.remaining());
        if (length <= 0) {
            return 0;
        }
        window -= length;
        link.sender().data(stream.id(), src, length, length == last);
        return length;
    }

    // --- the conduit ---

    @Override
    public final void resumeWrites() {
        resumed = true;
        if (broken) {
            link.later(this::ready);
        } else {
            link.sender().queue(this);
        }
    }

    @Override
    public final void wakeupWrites() {
        resumeWrites();
        if (!broken) {
            link.later(this::ready);
        }
    }

    @Override
    public final void suspendWrites() {
        resumed = false;
    }

    @Override
    public final boolean isWriteResumed() {
        return resumed;
    }

    @Override
    public final void awaitWritable() {
        throw new IllegalStateException("nothing waits on an IO thread");
    }

    @Override
    public final void awaitWritable(long time, TimeUnit timeUnit) {
        awaitWritable();
    }

    @Override
    public final XnioIoThread getWriteThread() {
        return link.socket().getIoThread();
    }

    @Override
    public final void setWriteReadyHandler(@Nullable WriteReadyHandler told) {
        handler = told;
    }

    @Override
    public final XnioWorker getWorker() {
        return link.socket().getWorker();
    }
}
