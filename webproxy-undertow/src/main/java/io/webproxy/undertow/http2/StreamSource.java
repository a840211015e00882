package io.webproxy.undertow.http2;

import io.webproxy.undertow.conduit.PlainSource;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.exchange.BrokenOff;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.conduits.ReadReadyHandler;

/**
 * What comes on a stream: a body, or what a tunnel carries. Bytes that are read open the windows again.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
abstract class StreamSource implements PlainSource {
    private final Http2Link<?> link;
    private final LinkStream stream;
    private final ReceivedBytes received;
    private @Nullable ReadReadyHandler handler;
    private boolean resumed;
    private boolean scheduled;
    /** Nothing comes after what was received. */
    private boolean ended;

    private boolean endRead;
    private boolean discarding;
    private boolean broken;

    StreamSource(Http2Link<?> link, LinkStream stream) {
        this.link = link;
        this.stream = stream;
        this.received = new ReceivedBytes(link.buffers(), link.bodies());
    }

    /** Bytes were read. */
    abstract void consumed(int bytes);

    /** Bytes that nobody has read, and nobody will. */
    abstract void unread(int bytes);

    /** There is no memory for what comes. */
    abstract void overflowed();

    /** Nothing was there to be read. */
    abstract void paused();

    /** Whether somebody will read the end. */
    abstract boolean isEndAwaited();

    /** The end was read, or nobody will read it. */
    abstract void completed();

    /** How many bytes wait to be read. */
    final int waiting() {
        return received.size();
    }

    /** Bytes have come; {@code last}: and nothing comes after them. */
    final void received(ByteBuffer bytes, boolean last) {
        if (broken || discarding) {
            consumed(bytes.remaining());
        } else if (!received.add(bytes)) {
            unread(bytes.remaining());
            overflowed();
            return;
        }
        if (last) {
            end();
        } else {
            wake();
        }
    }

    /** Nothing comes any more. */
    final void end() {
        ended = true;
        if (discarding || (received.size() == 0 && !isEndAwaited())) {
            completed();
        }
        wake();
    }

    final boolean isEnded() {
        return ended;
    }

    /** What comes is thrown away from now on. */
    final void discard() {
        discarding = true;
        consumed(received.release());
        if (ended) {
            completed();
        }
    }

    /** Neither side expects anything more of it. */
    final void release() {
        unread(received.release());
    }

    /** The stream is over: whoever reads is told so by an exception. */
    final void breakOff() {
        if (!broken) {
            broken = true;
            release();
            wake();
        }
    }

    @Override
    public final int read(ByteBuffer dst) throws IOException {
        if (broken) {
            throw new BrokenOff("the stream was reset");
        }
        int read = received.read(dst);
        if (read > 0) {
            consumed(read);
            return read;
        }
        if (ended && received.size() == 0) {
            endRead = true;
            completed();
            return -1;
        }
        if (dst.hasRemaining()) {
            paused();
        }
        return 0;
    }

    @Override
    public final long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        long sum = 0;
        for (int i = offset; i < offset + length; i++) {
            if (dsts[i].hasRemaining()) {
                int read = read(dsts[i]);
                if (read <= 0) {
                    return sum > 0 ? sum : read;
                }
                sum += read;
            }
        }
        return sum;
    }

    private boolean isReadable() {
        return received.size() > 0 || broken || (ended && !endRead);
    }

    private void wake() {
        if (resumed && !scheduled && isReadable()) {
            schedule();
        }
    }

    private void schedule() {
        scheduled = true;
        link.later(this::ready);
    }

    private void ready() {
        scheduled = false;
        ReadReadyHandler told = handler;
        if (resumed && told != null) {
            boolean lastWord = received.size() == 0;
            Guard.run("the reading of a body", told::readReady, stream::failed);
            // one that doesn't fetch the end, or the failure, is told once: Undertow may have taken its listener away
            if (!lastWord) {
                wake();
            }
        }
    }

    @Override
    public final void resumeReads() {
        resumed = true;
        wake();
    }

    @Override
    public final void wakeupReads() {
        resumed = true;
        if (!scheduled) {
            schedule();
        }
    }

    @Override
    public final void suspendReads() {
        resumed = false;
    }

    @Override
    public final boolean isReadResumed() {
        return resumed;
    }

    @Override
    public final boolean isReadShutdown() {
        return broken || endRead;
    }

    @Override
    public final void terminateReads() {
        discard();
    }

    @Override
    public final void awaitReadable() {
        throw new IllegalStateException("nothing waits on an IO thread");
    }

    @Override
    public final void awaitReadable(long time, TimeUnit timeUnit) {
        awaitReadable();
    }

    @Override
    public final XnioIoThread getReadThread() {
        return link.socket().getIoThread();
    }

    @Override
    public final void setReadReadyHandler(@Nullable ReadReadyHandler told) {
        handler = told;
    }

    @Override
    public final XnioWorker getWorker() {
        return link.socket().getWorker();
    }
}
