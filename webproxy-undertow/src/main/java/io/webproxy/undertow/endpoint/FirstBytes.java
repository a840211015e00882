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
 * Reads the first bytes of a connection, from the socket or from terminated TLS, until they determine which rule takes
 * it. It consumes nothing: all that was read is handed on. While it waits it holds no pooled buffer. Not thread-safe:
 * it belongs to the connection's IO thread.
 */
final class FirstBytes extends Watched {
    /** How long to wait for a client that has sent nothing when the endpoint closes. */
    private static final long LEAVE_NANOS = 1_000_000_000L;

    private final ClientConnection client;
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
     * The outcome for a connection; exactly one method is called, once. By then the detection's time limits are off,
     * and the connection has no read listener. The receiver owns the buffers.
     */
    interface Outcome {
        /** A rule takes the connection. */
        void taken(Decision.Rule decision, PooledByteBuffer read);

        /** No rule takes the connection, whatever follows. */
        void untaken(Decision.None decision, PooledByteBuffer read);

        /** The connection starts like TLS but is malformed. */
        void malformed(Decision.Malformed decision);

        /** It has sent too few bytes to decide, and its time is over; or, if {@code ended}, it will send no more. */
        void undecided(boolean ended, PooledByteBuffer read);

        /** It has sent nothing, and its time is over. */
        void silent();

        /** It ended without a byte, if {@code ended}; else it is broken, or must end with its endpoint. */
        void gone(boolean ended);

        /** It sent more than the memory for undecided connections allows. */
        void crowded();

        /** Something unexpected was thrown. */
        void failed();
    }

    /**
     * The deadlines of the detection.
     *
     * @param silentAt deadline of the first byte
     * @param undecidedAt deadline of the decision
     */
    record Times(long silentAt, long undecidedAt) {}

    FirstBytes(
            ClientConnection client,
            StreamConnection connection,
            PortDetection detection,
            Times times,
            Sweeper sweeper,
            PortTools tools,
            Outcome outcome) {
        this.client = client;
        this.connection = connection;
        this.source = connection.getSourceChannel();
        this.detection = detection;
        this.times = times;
        this.sweeper = sweeper;
        this.buffers = tools.buffers();
        this.share = tools.held().share();
        this.outcome = outcome;
    }

    /** Starts to read, after the bytes that were read already; null if there are none. */
    void start(@Nullable PooledByteBuffer early) {
        sweeper.watch(this);
        client.onLeave(() -> leaveAt = Math.min(leaveAt, sweeper.now() + LEAVE_NANOS));
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

    /** Runs a step; what it throws ends only this connection. */
    private void guarded(Runnable step) {
        Guard.run("reading the first bytes", step, () -> {
            finish();
            outcome.failed();
        });
    }

    /** Reads up to the decision, or all that has arrived: TLS may hold bytes that no selector reports. */
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

    /** Tries to decide from all that was read, and hands it on; else keeps it in as little memory as possible. */
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
