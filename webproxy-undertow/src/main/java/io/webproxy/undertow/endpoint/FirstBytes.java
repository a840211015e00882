package io.webproxy.undertow.endpoint;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.sniff.Decision;
import io.webproxy.undertow.sniff.PortDetection;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * A connection until its first bytes tell which rule takes it: a socket, or TLS that ends here. Nothing of it is
 * consumed: all that was read is handed on. While it waits it holds no pooled buffer. Not thread-safe: it belongs to
 * the connection's IO thread.
 */
final class FirstBytes extends Watched {
    /** How long a client that has not even asked yet is waited for when the endpoint goes away. */
    private static final long LEAVE_NANOS = 1_000_000_000L;

    private final Arrival arrival;
    private final StreamConnection connection;
    private final ConduitStreamSourceChannel source;
    private final PortDetection detection;
    private final Times times;
    private final Sweeper sweeper;
    private final ByteBufferPool buffers;
    private final Outcome outcome;
    private final HeldBytes held = new HeldBytes();
    private final HeldRoom.Share share;
    private long leaveAt = Long.MAX_VALUE;
    private boolean done;

    /**
     * What has become of a connection; exactly one of these is called, once. No limit of the detection is left then,
     * nothing reads the connection any more, and it has no read listener. Buffers are the receiver's.
     */
    interface Outcome {
        /** A rule takes it. */
        void taken(Decision.Rule decision, PooledByteBuffer read);

        /** No rule takes it, whatever comes. */
        void untaken(Decision.None decision, PooledByteBuffer read);

        /** It isn't the TLS that it starts like. */
        void malformed(Decision.Malformed decision);

        /** It has sent bytes, too few to decide, and its time is over; or it sends no more, if {@code ended}. */
        void undecided(boolean ended, PooledByteBuffer read);

        /** It has sent nothing, and its time is over. */
        void silent();

        /** It has ended without a byte, if {@code ended}; else it is broken, or is to end with its endpoint. */
        void gone(boolean ended);

        /** It has sent too much for the memory that there is for such connections. */
        void crowded();

        /** Something unexpected was thrown. */
        void failed();
    }

    /**
     * How long bytes are waited for.
     *
     * @param silentAt until then a client may send nothing
     * @param undecidedAt until then its bytes must have told
     */
    record Times(long silentAt, long undecidedAt) {}

    FirstBytes(
            Arrival arrival,
            StreamConnection connection,
            PortDetection detection,
            Times times,
            Sweeper sweeper,
            PortTools tools,
            Outcome outcome) {
        this.arrival = arrival;
        this.connection = connection;
        this.source = connection.getSourceChannel();
        this.detection = detection;
        this.times = times;
        this.sweeper = sweeper;
        this.buffers = tools.buffers();
        this.share = tools.held().share();
        this.outcome = outcome;
    }

    /** Starts to read, after what was read already; null if nothing was. */
    void start(@Nullable PooledByteBuffer early) {
        sweeper.watch(this);
        arrival.onLeave(() -> leaveAt = Math.min(leaveAt, sweeper.now() + LEAVE_NANOS));
        source.setReadListener(ready -> guarded(this::read));
        if (early == null) {
            guarded(this::read);
        } else {
            guarded(() -> {
                if (isUndecided(early)) {
                    read();
                }
            });
        }
    }

    /** What is thrown here ends this connection and nothing else. */
    private void guarded(Runnable step) {
        Guard.run("reading the first bytes", step, () -> {
            finish();
            outcome.failed();
        });
    }

    /** Reads up to the decision, or as much as has come: TLS may hold bytes that no selector knows of. */
    private void read() {
        try {
            while (!done) {
                PooledByteBuffer buffer = held.restored(buffers);
                boolean kept = false;
                try {
                    int read = source.read(buffer.getBuffer());
                    if (read == 0) {
                        source.resumeReads();
                        return;
                    }
                    buffer.getBuffer().flip();
                    kept = true;
                    if (read > 0) {
                        isUndecided(buffer);
                    } else {
                        ended(buffer);
                    }
                } finally {
                    if (!kept) {
                        buffer.close();
                    }
                }
            }
        } catch (IOException e) {
            if (!done) {
                finish();
                outcome.gone(false);
            }
        }
    }

    private void ended(PooledByteBuffer all) {
        finish();
        if (all.getBuffer().hasRemaining()) {
            outcome.undecided(true, all);
        } else {
            all.close();
            outcome.gone(true);
        }
    }

    /** Looks at all that was read, and hands it on if it tells; else holds no more memory than it needs. */
    private boolean isUndecided(PooledByteBuffer all) {
        Decision decision = detection.decide(all.getBuffer());
        if (decision == Decision.More.MORE) {
            if (share.hold(all.getBuffer().limit())) {
                held.hold(all.getBuffer());
                all.close();
                return true;
            }
            finish();
            all.close();
            outcome.crowded();
            return false;
        }
        finish();
        held.clear();
        if (decision instanceof Decision.Rule rule) {
            outcome.taken(rule, all);
        } else if (decision instanceof Decision.None none) {
            outcome.untaken(none, all);
        } else if (decision instanceof Decision.Malformed malformed) {
            all.close();
            outcome.malformed(malformed);
        }
        return false;
    }

    private void finish() {
        done = true;
        source.suspendReads();
        source.setReadListener(null);
        sweeper.forget(this);
        share.free();
    }

    @Override
    protected long deadline() {
        return Math.min(leaveAt, held.isEmpty() ? times.silentAt() : times.undecidedAt());
    }

    @Override
    protected void expired(long now) {
        guarded(() -> {
            finish();
            if (leaveAt != Long.MAX_VALUE && now - leaveAt >= 0) {
                outcome.gone(false);
            } else if (held.isEmpty()) {
                outcome.silent();
            } else {
                outcome.undecided(false, held.all());
            }
        });
    }

    @Override
    protected void seen(long now) {
        if (!connection.isOpen()) {
            cut();
        }
    }

    @Override
    protected void cut() {
        guarded(() -> {
            finish();
            outcome.gone(false);
        });
    }
}
