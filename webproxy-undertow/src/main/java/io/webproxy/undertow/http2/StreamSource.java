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
 * Receives the bytes of a stream: a body, or those of a tunnel. Reading them updates the windows.
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
    /** No more bytes follow those received. */
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

    /** These bytes weren't read, and won't be. */
    abstract void unread(int bytes);

    /** There is no memory for received bytes. */
    abstract void overflowed();

    /** A read found nothing. */
    abstract void paused();

    /** Whether a reader waits for the end. */
    abstract boolean isEndAwaited();

    /** The end was read, or won't be read. */
    abstract void completed();

    /** How many bytes wait to be read. */
    final int waiting() {
        return received.size();
    }

    /** Bytes have arrived; {@code last}: they are the last ones. */
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

    /** No more bytes follow. */
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

    /** Discards all further bytes. */
    final void discard() {
        discarding = true;
        consumed(received.release());
        if (ended) {
            completed();
        }
    }

    /** Both sides are done with it. */
    final void release() {
        unread(received.release());
    }

    /** The stream is over: a reader gets an exception. */
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
            // a reader that doesn't read the end, or the failure, is called once: Undertow may have removed its
            // listener
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
