package io.webproxy.undertow.forward;

import io.webproxy.undertow.conduit.PlainSink;
import io.webproxy.undertow.deadline.BodyRoom;
import io.webproxy.undertow.deadline.Guard;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * A request body for an upstream that may refuse the request after taking part of it (RFC 9113 section 8.7), or whose
 * answer may lead to another attempt. It buffers the first bytes, so that the request can be sent again as long as
 * there were no more. Not thread-safe: it belongs to the exchange's IO thread.
 */
final class ResendableBody implements PlainSink, WriteReadyHandler {
    /** How many bytes may be buffered at least, whatever else takes memory. */
    static final int LEAST = 16 * 1024;

    private static final byte[] NOTHING = {};

    private final int most;
    private final BodyRoom room;
    private StreamSinkConduit to;
    private int taken;
    private byte[] kept = NOTHING;
    private int length;
    private boolean whole = true;
    private @Nullable ByteBuffer again;
    private boolean terminated;
    private boolean resumed;
    /** The request was refused, and isn't sent again yet. */
    private boolean waits;

    private @Nullable WriteReadyHandler handler;

    /**
     * A body.
     *
     * @param most how many bytes are buffered at most
     * @param room where memory for more than {@link #LEAST} bytes is taken
     */
    ResendableBody(StreamSinkConduit to, int most, BodyRoom room) {
        this.to = to;
        this.most = most;
        this.room = room;
        to.setWriteReadyHandler(this);
    }

    /** Whether all that was written so far could be sent again. */
    boolean isWhole() {
        return whole;
    }

    /** How many bytes could be sent again. */
    int length() {
        return length;
    }

    /** Whether buffered bytes are being sent again. */
    boolean isReplaying() {
        return again != null;
    }

    /** The upstream has responded: the request won't be sent again. What is being sent again goes on. */
    void settle() {
        whole = false;
        kept = NOTHING;
        if (again == null) {
            giveRoom();
        }
    }

    private void giveRoom() {
        room.give(taken);
        taken = 0;
    }

    /**
     * The request was refused and will be sent again: takes no more bytes until then, because it could buffer only
     * some.
     */
    void await() {
        waits = true;
        // its upstream may go on to read, and would be writable all the time
        to.suspendWrites();
    }

    /**
     * The request won't be sent again. A sink that waits goes on, because its answer may be the client's after all; any
     * other doesn't get what is still to be sent again.
     */
    void giveUp() {
        if (waits) {
            waits = false;
            settle();
            to.wakeupWrites();
            return;
        }
        boolean cut = again != null;
        again = null;
        settle();
        if (cut) {
            truncate();
        }
    }

    /** The sink won't get all of the body: it discards the rest. */
    private void truncate() {
        try {
            to.truncateWrites();
        } catch (IOException e) {
            // the failure comes from the reading side
            Guard.broken("giving up a request body", e);
        }
    }

    /** Continues with another sink, from the first byte. */
    void restart(StreamSinkConduit other) {
        waits = false;
        to = other;
        again = length == 0 ? null : ByteBuffer.wrap(kept, 0, length);
        other.setWriteReadyHandler(this);
        if (resumed || terminated || again != null) {
            other.wakeupWrites();
        }
    }

    /** Whether the buffered bytes were sent again. While a sink is written to, the request may move on to another. */
    @SuppressWarnings("ReferenceEquality") // the very buffer: that of another sink may hold the same bytes
    private boolean isCaughtUp() throws IOException {
        while (!waits) {
            ByteBuffer rest = again;
            if (rest == null) {
                return true;
            }
            if (rest.hasRemaining()) {
                if (to.write(rest) == 0 && again == rest) {
                    return false;
                }
            } else {
                again = null;
                if (!whole) {
                    giveRoom();
                }
                if (terminated) {
                    to.terminateWrites();
                }
            }
        }
        return false;
    }

    private void keep(ByteBuffer written, int start) {
        int more = written.position() - start;
        if (!whole || more == 0) {
            return;
        }
        if (length + more > most || !grow(length + more)) {
            settle();
            return;
        }
        written.duplicate().position(start).get(kept, length, more);
        length += more;
    }

    /** Makes the buffer so large at least; false if there is no memory for it. */
    private boolean grow(int least) {
        if (least > kept.length) {
            int size = Math.min(least <= LEAST ? LEAST : most, Math.max(least, 2 * kept.length));
            int more = Math.max(0, size - LEAST) - taken;
            if (more > 0 && !room.take(more)) {
                return false;
            }
            taken += more;
            kept = Arrays.copyOf(kept, size);
        }
        return true;
    }

    // --- events of the sink ---

    @Override
    public void writeReady() {
        if (waits) {
            return;
        }
        try {
            if (!isCaughtUp()) {
                to.resumeWrites();
                return;
            }
            if (terminated) {
                to.terminateWrites();
                if (!to.flush()) {
                    to.resumeWrites();
                    return;
                }
            }
        } catch (IOException | RuntimeException e) {
            // the failure comes from the reading side
            Guard.broken("sending a request body again", e);
        }
        WriteReadyHandler told = handler;
        if (resumed && told != null) {
            told.writeReady();
        } else {
            to.suspendWrites();
        }
    }

    @Override
    public void forceTermination() {
        if (handler != null) {
            handler.forceTermination();
        }
    }

    @Override
    public void terminated() {
        if (handler != null) {
            handler.terminated();
        }
    }

    // --- the conduit ---

    @Override
    public int write(ByteBuffer src) throws IOException {
        if (!isCaughtUp()) {
            return 0;
        }
        StreamSinkConduit first = to;
        int start = src.position();
        int written = first.write(src);
        if (waits || to != first) {
            // the next one hasn't got these bytes
            src.position(start);
            return 0;
        }
        keep(src, start);
        return written;
    }

    @Override
    public void terminateWrites() throws IOException {
        terminated = true;
        if (again == null && !waits) {
            to.terminateWrites();
        }
    }

    @Override
    public void truncateWrites() throws IOException {
        terminated = true;
        to.truncateWrites();
    }

    @Override
    public boolean flush() throws IOException {
        return isCaughtUp() && to.flush();
    }

    @Override
    public boolean isWriteShutdown() {
        return terminated;
    }

    @Override
    public void resumeWrites() {
        resumed = true;
        if (!waits) {
            to.resumeWrites();
        }
    }

    @Override
    public void wakeupWrites() {
        resumed = true;
        if (!waits) {
            to.wakeupWrites();
        }
    }

    @Override
    public void suspendWrites() {
        resumed = false;
        if (again == null) {
            to.suspendWrites();
        }
    }

    @Override
    public boolean isWriteResumed() {
        return resumed;
    }

    @Override
    public void awaitWritable() throws IOException {
        to.awaitWritable();
    }

    @Override
    public void awaitWritable(long time, TimeUnit unit) throws IOException {
        to.awaitWritable(time, unit);
    }

    @Override
    public XnioIoThread getWriteThread() {
        return to.getWriteThread();
    }

    @Override
    public void setWriteReadyHandler(WriteReadyHandler other) {
        handler = other;
    }

    @Override
    public XnioWorker getWorker() {
        return to.getWorker();
    }
}
