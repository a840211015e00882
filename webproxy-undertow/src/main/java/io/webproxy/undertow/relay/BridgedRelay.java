package io.webproxy.undertow.relay;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.deadline.BulkBuffers;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Reset;
import io.webproxy.undertow.deadline.Turn;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * Copies bytes in both directions between two cleartext connections, which may belong to different IO threads. The end
 * of one direction becomes a half-close of the other side; a failure resets both. A direction holds one pooled buffer,
 * and only while the slower side can't take its bytes.
 *
 * <p>A direction belongs to the thread of its source, which reads and writes straight into the other thread's socket:
 * any thread may use XNIO's sinks, one at a time. The sink's own thread is only involved when its socket is full: it
 * reports when there is room again. It may seem simpler to hand buffers over, but that wakes a thread for each of them.
 */
public final class BridgedRelay {
    /** Hears from a relay. */
    @FunctionalInterface
    public interface Listener {
        /** Both directions have ended. Called once, on the thread of either side, or of the caller that cut it. */
        void ended(ByteRelay.Ending how);
    }

    private final StreamConnection left;
    private final StreamConnection right;
    private final Pump toRight;
    private final Pump toLeft;
    private final ByteBufferPool buffers;
    private final BulkBuffers bulkBuffers;
    private final Listener listener;
    private final AtomicInteger directions = new AtomicInteger(2);
    private final AtomicBoolean done = new AtomicBoolean();

    /** A relay that isn't started yet; {@code bulkBuffers} are for those that move much. */
    public BridgedRelay(
            StreamConnection left,
            StreamConnection right,
            ByteBufferPool buffers,
            BulkBuffers bulkBuffers,
            Listener listener) {
        this.left = left;
        this.right = right;
        this.buffers = buffers;
        this.bulkBuffers = bulkBuffers;
        this.listener = listener;
        this.toRight = new Pump(left, right);
        this.toLeft = new Pump(right, left);
    }

    /**
     * Starts to copy; on the left side's thread, while no other thread uses the right side.
     *
     * @param fromLeft bytes from the left side that were read already, or null
     * @param fromRight bytes from the right side that were read already, or null
     */
    public void start(@Nullable ByteBuffer fromLeft, @Nullable ByteBuffer fromRight) {
        left.setCloseListener(closed -> closed(toRight, toLeft));
        right.setCloseListener(closed -> closed(toLeft, toRight));
        toRight.early = fromLeft;
        toLeft.early = fromRight;
        toRight.start();
        if (toLeft.thread == toRight.thread) {
            toLeft.start();
        } else {
            IoTasks.execute(toLeft.thread, toLeft::start);
        }
    }

    /** Bytes copied from left to right. */
    public long toRight() {
        return toRight.moved;
    }

    /** Bytes copied from right to left. */
    public long toLeft() {
        return toLeft.moved;
    }

    /** A side was closed: an orderly end if both of its directions had ended, else a cut. */
    private void closed(Pump fromIt, Pump toIt) {
        IoTasks.execute(fromIt.thread, () -> {
            if (!fromIt.sourceEnded || !toIt.ending) {
                abort();
            }
        });
    }

    /** Resets both sides; idempotent, from any thread. */
    public void abort() {
        abort(ByteRelay.Ending.CUT);
    }

    private void abort(ByteRelay.Ending how) {
        if (done.compareAndSet(false, true)) {
            Reset.atClose(left);
            Reset.atClose(right);
            finish(how);
        }
    }

    private void directionEnded() {
        if (directions.decrementAndGet() == 0 && done.compareAndSet(false, true)) {
            finish(ByteRelay.Ending.CLEAN);
        }
    }

    private void finish(ByteRelay.Ending how) {
        IoUtils.safeClose(left);
        IoUtils.safeClose(right);
        toRight.releaseOnThread();
        toLeft.releaseOnThread();
        listener.ended(how);
    }

    /** One direction. */
    private final class Pump {
        private final StreamConnection from;
        private final XnioIoThread thread;
        private final XnioIoThread sinkThread;
        private final ConduitStreamSourceChannel source;
        private final ConduitStreamSinkChannel sink;
        private final Turn turn = new Turn();
        private @Nullable ByteBuffer early;
        private @Nullable PooledByteBuffer pending;
        private volatile boolean sourceEnded;
        /** The sink is about to be shut down, or is. */
        private volatile boolean ending;

        private volatile long moved;
        private boolean ended;
        /** The source is being read: an exception then means that the source broke, else the sink. */
        private boolean reading;
        /** A read filled the buffer: more is likely. */
        private boolean bulk;
        /** The first turn only writes. */
        private boolean awaited;

        Pump(StreamConnection from, StreamConnection to) {
            this.from = from;
            this.thread = from.getIoThread();
            this.sinkThread = to.getIoThread();
            this.source = from.getSourceChannel();
            this.sink = to.getSinkChannel();
        }

        void start() {
            source.setReadListener(ready -> pump());
            sink.setWriteListener(ready -> writable());
            if (early != null && early.hasRemaining()) {
                // the answer to it can't have arrived yet: the selector reports it
                awaited = true;
                pump();
            } else {
                source.resumeReads();
            }
        }

        /** The sink has room again; on its thread. */
        private void writable() {
            sink.suspendWrites();
            if (sinkThread == thread) {
                pump();
            } else {
                IoTasks.execute(thread, this::pump);
            }
        }

        private void pump() {
            if (done.get() || ended) {
                source.suspendReads();
                return;
            }
            try {
                copy();
            } catch (IOException e) {
                boolean leftBroke = reading == (this == toRight);
                abort(leftBroke ? ByteRelay.Ending.LEFT_BROKEN : ByteRelay.Ending.RIGHT_BROKEN);
            } catch (Throwable e) {
                Guard.failed("a relay", e);
                abort(ByteRelay.Ending.FAILED);
            }
        }

        private void copy() throws IOException {
            boolean drained = writeEarly() && writePending();
            boolean more = !awaited;
            awaited = false;
            while (drained && more && !sourceEnded) {
                more = read();
                drained = writePending();
            }
            if (sourceEnded && drained) {
                ended = true;
                if (from.isOpen()) {
                    // on a closed channel XNIO would throw, and catch that itself, with a full stack trace
                    source.suspendReads();
                }
                ending = true;
                sink.shutdownWrites();
                if (sink.flush()) {
                    directionEnded();
                } else {
                    // a socket has nothing to flush; any other sink must be flushed
                    abort();
                }
            } else if (drained) {
                source.resumeReads();
            } else {
                source.suspendReads();
                sink.resumeWrites();
            }
        }

        /** Reads once; returns whether more is likely at once, and this relay's turn isn't over. */
        private boolean read() throws IOException {
            PooledByteBuffer large = bulk ? bulkBuffers.take() : null;
            PooledByteBuffer pooled = large == null ? buffers.allocate() : large;
            boolean kept = false;
            try {
                ByteBuffer buffer = pooled.getBuffer();
                reading = true;
                int read = source.read(buffer);
                reading = false;
                sourceEnded = read < 0;
                if (read > 0) {
                    boolean full = !buffer.hasRemaining();
                    bulk = read >= buffers.getBufferSize();
                    buffer.flip();
                    pending = pooled;
                    kept = true;
                    moved(read);
                    turn.moved(read);
                    return full && !turn.isOver();
                }
                return false;
            } finally {
                if (!kept) {
                    pooled.close();
                }
            }
        }

        /** Only the source's thread calls this. */
        private void moved(long bytes) {
            long before = moved;
            moved = before + bytes;
        }

        private boolean writeEarly() throws IOException {
            ByteBuffer bytes = early;
            if (bytes == null) {
                return true;
            }
            int before = bytes.remaining();
            boolean written = write(bytes);
            moved(before - bytes.remaining());
            if (written) {
                early = null;
            }
            return written;
        }

        /** Returns whether nothing waits for the socket. */
        private boolean writePending() throws IOException {
            PooledByteBuffer bytes = pending;
            if (bytes == null) {
                return true;
            }
            boolean written = write(bytes.getBuffer());
            if (written) {
                release();
            }
            return written;
        }

        private boolean write(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                if (sink.write(bytes) == 0) {
                    return false;
                }
            }
            return true;
        }

        private void release() {
            PooledByteBuffer bytes = pending;
            pending = null;
            if (bytes != null) {
                bytes.close();
            }
        }

        void releaseOnThread() {
            if (Thread.currentThread() == thread) {
                release();
            } else {
                IoTasks.execute(thread, this::release);
            }
        }
    }
}
