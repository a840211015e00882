package io.webproxy.undertow.relay;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.deadline.IoTasks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * Copies bytes between two connections of one IO thread, in both directions. The end of one direction becomes a half-close of the other side; a failure
 * resets both. A direction holds one pooled buffer, and only while the slower side can't take what it holds.
 */
public final class ByteRelay {
    /** What happens on a relay; called on its IO thread. */
    public interface Listener {
        /** Both directions have ended; {@code clean} unless one of them broke. Called once. */
        void ended(boolean clean);
    }

    private final StreamConnection left;
    private final StreamConnection right;
    private final Pump toRight;
    private final Pump toLeft;
    private final ByteBufferPool buffers;
    private final Listener listener;
    private boolean done;

    /**
     * A relay that isn't started yet.
     *
     * @param leftToRight is told of bytes that went from left to right
     * @param rightToLeft is told of bytes that went from right to left
     */
    public ByteRelay(
            StreamConnection left,
            StreamConnection right,
            ByteBufferPool buffers,
            LongConsumer leftToRight,
            LongConsumer rightToLeft,
            Listener listener) {
        this.left = left;
        this.right = right;
        this.buffers = buffers;
        this.listener = listener;
        this.toRight = new Pump(left.getSourceChannel(), right.getSinkChannel(), leftToRight);
        this.toLeft = new Pump(right.getSourceChannel(), left.getSinkChannel(), rightToLeft);
    }

    /**
     * Starts to copy.
     *
     * @param early bytes from the right side that were read already, or null; closed by the relay
     */
    public void start(@Nullable PooledByteBuffer early) {
        left.setCloseListener(closed -> closed(left, toRight, toLeft));
        right.setCloseListener(closed -> closed(right, toLeft, toRight));
        toLeft.pending = early;
        toRight.start();
        toLeft.start();
    }

    /** A side is closed: orderly if both of its directions had ended, which the pump may be about to find out; else somebody has cut it. */
    private void closed(StreamConnection side, Pump fromIt, Pump toIt) {
        IoTasks.execute(side.getIoThread(), () -> {
            if (!fromIt.sourceEnded || !toIt.ended) {
                abort();
            }
        });
    }

    /** Resets both sides; idempotent. */
    public void abort() {
        if (!done) {
            reset(left);
            reset(right);
            finish(false);
        }
    }

    private static void reset(StreamConnection connection) {
        try {
            connection.setOption(Options.CLOSE_ABORT, true);
        } catch (IOException | IllegalArgumentException e) {
            // a plain close is what is left
        }
    }

    private void directionEnded() {
        if (toRight.ended && toLeft.ended && !done) {
            finish(true);
        }
    }

    private void finish(boolean clean) {
        done = true;
        toRight.release();
        toLeft.release();
        IoUtils.safeClose(left);
        IoUtils.safeClose(right);
        listener.ended(clean);
    }

    /** One direction. */
    private final class Pump {
        private final ConduitStreamSourceChannel source;
        private final ConduitStreamSinkChannel sink;
        private final LongConsumer counter;
        private @Nullable PooledByteBuffer pending;
        private boolean sourceEnded;
        private boolean ended;

        Pump(ConduitStreamSourceChannel source, ConduitStreamSinkChannel sink, LongConsumer counter) {
            this.source = source;
            this.sink = sink;
            this.counter = counter;
        }

        void start() {
            source.setReadListener(ready -> pump());
            sink.setWriteListener(ready -> pump());
            pump();
        }

        private void pump() {
            if (done || ended) {
                source.suspendReads();
                sink.suspendWrites();
                return;
            }
            try {
                copy();
            } catch (IOException e) {
                abort();
            }
        }

        private void copy() throws IOException {
            boolean drained = writePending();
            while (drained && !sourceEnded && !done) {
                PooledByteBuffer pooled = buffers.allocate();
                int read;
                try {
                    read = source.read(pooled.getBuffer());
                } catch (IOException e) {
                    pooled.close();
                    throw e;
                }
                if (read <= 0) {
                    pooled.close();
                    sourceEnded = read < 0;
                    break;
                }
                pooled.getBuffer().flip();
                pending = pooled;
                drained = writePending();
            }
            if (sourceEnded && drained && !ended) {
                sink.shutdownWrites();
            }
            boolean flushed = sink.flush();
            if (sourceEnded && drained && flushed) {
                ended = true;
                source.suspendReads();
                sink.suspendWrites();
                directionEnded();
                return;
            }
            interest(drained && !sourceEnded, !drained || !flushed);
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

        private boolean writePending() throws IOException {
            PooledByteBuffer pooled = pending;
            if (pooled == null) {
                return true;
            }
            ByteBuffer buffer = pooled.getBuffer();
            while (buffer.hasRemaining()) {
                int written = sink.write(buffer);
                if (written == 0) {
                    return false;
                }
                counter.accept(written);
            }
            release();
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
