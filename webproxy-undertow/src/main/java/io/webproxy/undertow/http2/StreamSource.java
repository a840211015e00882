package io.webproxy.undertow.http2;

import io.undertow.server.Connectors;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.exchange.BrokenOff;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/**
 * What comes on a stream: the body of a request, or what a tunnel carries. Bytes that are read open the windows again.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class StreamSource implements StreamSourceConduit {
    private final Http2Stream stream;
    private final ReceivedBytes received;
    private @Nullable ReadReadyHandler handler;
    private boolean resumed;
    private boolean scheduled;
    /** Nothing comes after what was received. */
    private boolean ended;

    private boolean endRead;
    private boolean discarding;
    private boolean broken;

    StreamSource(Http2Stream stream) {
        this.stream = stream;
        this.received = new ReceivedBytes(
                stream.connection().buffers(), stream.connection().bodies());
    }

    /** Bytes have come; {@code last}: and nothing comes after them. */
    void received(ByteBuffer bytes, boolean last) {
        if (broken || discarding) {
            stream.connection().consumed(stream, bytes.remaining());
        } else if (!received.add(bytes)) {
            stream.connection().unread(bytes.remaining());
            stream.connection().overflowed(stream);
            return;
        }
        if (last) {
            end();
        } else {
            wake();
        }
    }

    /** Nothing comes any more. Undertow forgets who waits to read when a request is complete: so that waits for the reader, if there is one. */
    void end() {
        ended = true;
        if (discarding || (received.size() == 0 && stream.http().isRequestChannelAvailable())) {
            complete();
        }
        wake();
    }

    boolean isEnded() {
        return ended;
    }

    /** What comes is thrown away from now on. */
    void discard() {
        discarding = true;
        stream.connection().consumed(stream, received.release());
        if (ended) {
            complete();
        }
    }

    /** Neither side expects anything more of it. */
    void release() {
        stream.connection().unread(received.release());
    }

    /** The stream is over: whoever reads is told so by an exception. */
    void breakOff() {
        if (!broken) {
            broken = true;
            release();
            wake();
        }
    }

    private void complete() {
        Connectors.terminateRequest(stream.http());
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        if (broken) {
            throw new BrokenOff("the stream was reset");
        }
        int read = received.read(dst);
        if (read > 0) {
            stream.connection().consumed(stream, read);
            return read;
        }
        if (ended && received.size() == 0) {
            endRead = true;
            complete();
            return -1;
        }
        return 0;
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
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

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target) throws IOException {
        return IoUtils.transfer(new ConduitReadableByteChannel(this), count, throughBuffer, target);
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
        stream.connection().later(this::ready);
    }

    private void ready() {
        scheduled = false;
        ReadReadyHandler told = handler;
        if (resumed && told != null) {
            boolean lastWord = received.size() == 0;
            Guard.run(
                    "the reading of a request body",
                    told::readReady,
                    () -> stream.connection().failed(stream));
            // one that doesn't fetch the end, or the failure, is told once: Undertow may have taken its listener away
            if (!lastWord) {
                wake();
            }
        }
    }

    @Override
    public void resumeReads() {
        resumed = true;
        wake();
    }

    @Override
    public void wakeupReads() {
        resumed = true;
        if (!scheduled) {
            schedule();
        }
    }

    @Override
    public void suspendReads() {
        resumed = false;
    }

    @Override
    public boolean isReadResumed() {
        return resumed;
    }

    @Override
    public boolean isReadShutdown() {
        return broken || endRead;
    }

    @Override
    public void terminateReads() {
        discard();
    }

    @Override
    public void awaitReadable() {
        throw new IllegalStateException("nothing waits on an IO thread");
    }

    @Override
    public void awaitReadable(long time, TimeUnit timeUnit) {
        awaitReadable();
    }

    @Override
    public XnioIoThread getReadThread() {
        return stream.getIoThread();
    }

    @Override
    public void setReadReadyHandler(@Nullable ReadReadyHandler told) {
        handler = told;
    }

    @Override
    public XnioWorker getWorker() {
        return stream.getWorker();
    }
}
