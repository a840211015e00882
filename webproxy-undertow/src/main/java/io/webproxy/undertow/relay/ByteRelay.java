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
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.ssl.SslConnection;

/**
 * Copies bytes between two connections of one IO thread, in both directions. The end of one direction becomes a
 * half-close of the other side; a failure resets both. A direction holds one pooled buffer, and only while the slower
 * side can't take its bytes; an idle one holds nothing.
 */
public final class ByteRelay {
    /** How a relay ended. */
    public enum Ending {
        /** Both directions ended after all their bytes, or {@link ByteRelay#close} was called. */
        CLEAN,
        /** The left side's connection broke, most likely by a reset. */
        LEFT_BROKEN,
        /** The right side's connection broke. */
        RIGHT_BROKEN,
        /** {@link ByteRelay#abort} was called, or a side was closed elsewhere. */
        CUT,
        /** Something unexpected was thrown, and was logged. */
        FAILED
    }

    /** Hears from a relay, on its IO thread. */
    public interface Listener {
        /** Both directions have ended. Called once. */
        void ended(Ending how);
    }

    /** Sees what passes in one direction, on the relay's IO thread. */
    public interface Traffic {
        /** Ignores what passes. */
        Traffic UNSEEN = (buffer, start) -> {};

        /** The bytes of {@code buffer} from {@code start} to its position were written. */
        void sent(ByteBuffer buffer, int start);

        /** Puts what {@link #received} held back before the next bytes: at most 16. */
        default void restore(ByteBuffer into) {}

        /**
         * {@code buffer} was read; some bytes may be removed in place, or held back.
         *
         * @param last whether nothing follows, so that nothing may be held back
         */
        default void received(ByteBuffer buffer, boolean last) {}

        /** How many bytes have to pass before bytes may be inserted; 0 for none. */
        default long untilGap() {
            return Long.MAX_VALUE;
        }
    }

    private final StreamConnection left;
    private final StreamConnection right;
    private final Pump toRight;
    private final Pump toLeft;
    private final ByteBufferPool buffers;
    private final @Nullable BulkBuffers bulkBuffers;
    private final Listener listener;
    private boolean done;

    /**
     * A relay that isn't started yet.
     *
     * @param leftToRight sees what goes from left to right
     * @param rightToLeft sees what goes from right to left
     */
    public ByteRelay(
            StreamConnection left,
            StreamConnection right,
            ByteBufferPool buffers,
            Traffic leftToRight,
            Traffic rightToLeft,
            Listener listener) {
        this(left, right, buffers, null, leftToRight, rightToLeft, listener);
    }

    /** The same; {@code bulkBuffers} are for relays that move much; null for none. */
    ByteRelay(
            StreamConnection left,
            StreamConnection right,
            ByteBufferPool buffers,
            @Nullable BulkBuffers bulkBuffers,
            Traffic leftToRight,
            Traffic rightToLeft,
            Listener listener) {
        this.left = left;
        this.right = right;
        this.buffers = buffers;
        this.bulkBuffers = bulkBuffers;
        this.listener = listener;
        this.toRight = new Pump(left, right, leftToRight);
        this.toLeft = new Pump(right, left, rightToLeft);
    }

    /**
     * Starts to copy.
     *
     * @param early bytes from the right side that were read already, or null; closed by the relay
     */
    public void start(@Nullable PooledByteBuffer early) {
        start(early, null, false);
    }

    /**
     * Starts to copy with bytes from both sides.
     *
     * @param fromRight bytes from the right side that were read already, or null; closed by the relay
     * @param fromLeft bytes from the left side that were read already, or null; closed by the relay
     * @param leftEnded whether the left side's direction has ended after these
     */
    public void start(@Nullable PooledByteBuffer fromRight, @Nullable PooledByteBuffer fromLeft, boolean leftEnded) {
        left.setCloseListener(closed -> closed(left, toRight, toLeft));
        right.setCloseListener(closed -> closed(right, toLeft, toRight));
        toLeft.pending = fromRight;
        toRight.pending = fromLeft;
        toRight.sourceEnded = leftEnded;
        toRight.start();
        toLeft.start();
    }

    /**
     * A side was closed: an orderly end if both of its directions had ended, which the pump may be about to notice,
     * else a cut.
     */
    private void closed(StreamConnection side, Pump fromIt, Pump toIt) {
        IoTasks.execute(side.getIoThread(), () -> {
            if (!fromIt.sourceEnded || !toIt.ended) {
                abort();
            }
        });
    }

    /** Inserts bytes on the way to the left side, at the next gap, unless others already wait for it. */
    public void insertToLeft(ByteBuffer bytes) {
        if (toLeft.insert == null) {
            toLeft.insert(bytes, false);
        }
    }

    /** Inserts bytes in both directions, each at its next gap; what follows them is discarded. */
    public void finishWith(ByteBuffer lastToLeft, ByteBuffer lastToRight) {
        toLeft.insert(lastToLeft, true);
        toRight.insert(lastToRight, true);
    }

    /** Whether bytes for the left side wait for a gap that the right side delays. */
    public boolean isWaitingForGap() {
        return toLeft.insert != null && toLeft.pending == null && toLeft.traffic.untilGap() != 0;
    }

    /** Whether the left side can be asked for a sign of life: it can be written to, and is read at once. */
    public boolean isLeftHeard() {
        return !toLeft.sourceEnded && !toRight.sourceEnded && toRight.pending == null;
    }

    /** Bytes that the right side has taken. */
    public long sentToRight() {
        return toRight.moved;
    }

    /** Bytes that the left side has taken. */
    public long sentToLeft() {
        return toLeft.moved;
    }

    /** Closes both sides; idempotent. */
    public void close() {
        if (!done) {
            finish(Ending.CLEAN);
        }
    }

    /** Resets both sides; idempotent. */
    public void abort() {
        abort(Ending.CUT);
    }

    private void abort(Ending how) {
        if (!done) {
            Reset.atClose(left);
            Reset.atClose(right);
            finish(how);
        }
    }

    private void directionEnded() {
        if (toRight.ended && toLeft.ended && !done) {
            finish(Ending.CLEAN);
        }
    }

    private void finish(Ending how) {
        done = true;
        toRight.release();
        toLeft.release();
        IoUtils.safeClose(left);
        IoUtils.safeClose(right);
        listener.ended(how);
    }

    /** One direction. */
    private final class Pump {
        private final StreamConnection from;
        private final StreamConnection to;
        private final ConduitStreamSourceChannel source;
        private final boolean secure;
        private final Turn turn = new Turn();
        private final ConduitStreamSinkChannel sink;
        private final Traffic traffic;
        private @Nullable PooledByteBuffer pending;
        private @Nullable ByteBuffer insert;
        private boolean insertIsLast;
        private boolean silenced;
        private boolean sourceEnded;
        private boolean bulk;

        /** Whether the last read emptied the socket: the selector reports more. TLS may hold more all the same. */
        private boolean sourceDry;

        private boolean ended;
        private boolean atSink;
        private long moved;

        Pump(StreamConnection from, StreamConnection to, Traffic traffic) {
            this.from = from;
            this.to = to;
            this.source = from.getSourceChannel();
            this.secure = from instanceof SslConnection;
            this.sink = to.getSinkChannel();
            this.traffic = traffic;
        }

        void start() {
            source.setReadListener(ready -> pump());
            sink.setWriteListener(ready -> pump());
            if (this == toLeft && pending == null && !secure && !done) {
                // the right side has just been connected, and has hardly anything to say yet
                source.resumeReads();
            } else {
                pump();
            }
        }

        void insert(ByteBuffer bytes, boolean last) {
            if (done || sourceEnded || insertIsLast) {
                return;
            }
            ByteBuffer before = insert;
            insert = before == null
                    ? bytes
                    : ByteBuffer.allocate(before.remaining() + bytes.remaining())
                            .put(before)
                            .put(bytes)
                            .flip();
            insertIsLast = last;
            pump();
        }

        private void pump() {
            if (done || ended) {
                rest();
                return;
            }
            try {
                copy();
            } catch (IOException e) {
                abort((this == toRight) == atSink ? Ending.RIGHT_BROKEN : Ending.LEFT_BROKEN);
            } catch (Throwable e) {
                Guard.failed("a relay", e);
                abort(Ending.FAILED);
            }
        }

        /** Suspends both; on a closed channel XNIO would throw, and catch that itself, with a full stack trace. */
        private void rest() {
            if (from.isOpen()) {
                source.suspendReads();
            }
            if (to.isOpen()) {
                sink.suspendWrites();
            }
        }

        private void copy() throws IOException {
            boolean drained = writePending();
            boolean over = false;
            while (drained && !sourceEnded && !done && !over) {
                int read = read();
                drained = writePending();
                if (read <= 0 || (sourceDry && !secure)) {
                    break;
                }
                turn.moved(read);
                over = turn.isOver();
            }
            if (sourceEnded && drained && !ended) {
                sink.shutdownWrites();
            }
            boolean flushed = sink.flush();
            if (sourceEnded && drained && flushed) {
                ended = true;
                rest();
                directionEnded();
                return;
            }
            boolean pausing = secure && over;
            interest(drained && !sourceEnded && !pausing, !drained || !flushed);
            if (pausing) {
                IoTasks.executeAfter(source.getIoThread(), this::pump, Turn.TLS_REST_MILLIS);
            }
        }

        private int read() throws IOException {
            PooledByteBuffer pooled = buffer();
            boolean kept = false;
            atSink = false;
            try {
                ByteBuffer buffer = pooled.getBuffer();
                traffic.restore(buffer);
                int read = source.read(buffer);
                sourceEnded = read < 0;
                sourceDry = buffer.hasRemaining();
                bulk = buffer.position() >= buffers.getBufferSize();
                buffer.flip();
                traffic.received(buffer, sourceEnded);
                if (buffer.hasRemaining() && !silenced) {
                    pending = pooled;
                    kept = true;
                }
                return read;
            } finally {
                if (!kept) {
                    pooled.close();
                }
            }
        }

        /** A large buffer for a source that has filled the one before. */
        private PooledByteBuffer buffer() {
            PooledByteBuffer large = bulk && bulkBuffers != null ? bulkBuffers.take() : null;
            return large == null ? buffers.allocate() : large;
        }

        private void interest(boolean reads, boolean writes) {
            if (reads) {
                source.resumeReads();
            } else {
                source.suspendReads();
            }
            if (writes) {
                sink.resumeWrites();
            } else {
                sink.suspendWrites();
            }
        }

        /** Returns whether nothing waits for the socket. */
        private boolean writePending() throws IOException {
            atSink = true;
            while (true) {
                if (insert != null && traffic.untilGap() == 0) {
                    if (!writeInsert(insert)) {
                        return false;
                    }
                } else if (pending == null) {
                    return true;
                } else if (!writeToGap(pending.getBuffer())) {
                    return false;
                }
            }
        }

        private boolean writeInsert(ByteBuffer bytes) throws IOException {
            while (bytes.hasRemaining()) {
                if (sink.write(bytes) == 0) {
                    return false;
                }
            }
            insert = null;
            if (insertIsLast) {
                silenced = true;
                release();
            }
            return true;
        }

        private boolean writeToGap(ByteBuffer buffer) throws IOException {
            int start = buffer.position();
            int limit = buffer.limit();
            if (insert != null) {
                buffer.limit(start + (int) Math.min(traffic.untilGap(), limit - start));
            }
            try {
                if (sink.write(buffer) == 0) {
                    return false;
                }
            } finally {
                buffer.limit(limit);
            }
            moved += buffer.position() - start;
            traffic.sent(buffer, start);
            if (!buffer.hasRemaining()) {
                release();
            }
            return true;
        }

        void release() {
            if (pending != null) {
                pending.close();
                pending = null;
            }
        }
    }
}
