package io.webproxy.undertow.tunnel;

import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.sniff.TunnelMark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * A data connection on the public side, from its hello to its relay: it proves that it was requested, waits for a
 * visitor if it is a ready one, then for the agent's acknowledgement. Not thread-safe, except where noted: it belongs
 * to its IO thread.
 */
final class DataConnection extends Watched {
    private static final long HELLO_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Incoming incoming;
    private final StreamConnection connection;
    private final PublicSide side;
    private final Sweeper sweeper;
    private final ByteBuffer hello = ByteBuffer.allocate(DataHello.LENGTH);
    private final ByteBuffer single = ByteBuffer.allocate(1);
    /** The attempt that it serves; null while it is ready. */
    private final AtomicReference<Claim.@Nullable Attempt> attempt = new AtomicReference<>();

    private ByteBuffer early;
    private @Nullable AgentChannel readyFor;
    private boolean redeemed;
    private long id;
    private volatile boolean done;
    private volatile long deadline;
    private volatile long readySince;

    /** With bytes that were read already. */
    DataConnection(Incoming incoming, ByteBuffer early, PublicSide side, Sweeper sweeper) {
        this.incoming = incoming;
        this.connection = incoming.connection();
        this.early = early;
        this.side = side;
        this.sweeper = sweeper;
        this.deadline = sweeper.now() + HELLO_NANOS;
    }

    XnioIoThread thread() {
        return sweeper.thread();
    }

    long id() {
        return id;
    }

    /** Whether it has been ready for so long that another one should replace it. From any thread. */
    boolean isOld(long now) {
        return now - readySince >= ReadyPool.OLD_NANOS;
    }

    StreamConnection connection() {
        return connection;
    }

    /** Bytes that the inner target has already sent. */
    ByteBuffer early() {
        return early;
    }

    void start() {
        incoming.settled();
        sweeper.watch(this);
        connection.setCloseListener(closed -> IoTasks.execute(thread(), this::gone));
        connection.getSourceChannel().setReadListener(ready -> guarded());
        guarded();
    }

    private void guarded() {
        Guard.run("a data connection", this::read, this::close);
    }

    private void read() {
        if (done) {
            return;
        }
        boolean redeemedBefore = redeemed;
        try {
            if (!redeemed && !readHello()) {
                return;
            }
            if (!done && (redeemedBefore || early.hasRemaining())) {
                readAcknowledgement();
            } else if (!done) {
                // the hello can't have arrived yet
                connection.getSourceChannel().resumeReads();
            }
        } catch (IOException e) {
            close();
        }
    }

    /** Returns whether the hello is complete and valid. */
    private boolean readHello() throws IOException {
        while (hello.hasRemaining()) {
            if (fill(hello) <= 0) {
                return false;
            }
        }
        hello.flip();
        if (!TunnelMark.mayBeData(hello)) {
            side.refusals().data(incoming, "a data connection with another hello");
            close();
            return false;
        }
        hello.position(TunnelMark.length());
        id = hello.getLong();
        byte[] proof = new byte[Tokens.PROOF];
        hello.get(proof);
        Claim claim = side.tokens().redeem(id, proof);
        if (claim == null) {
            side.refusals().data(incoming, "a data connection whose token isn't good, or not any more");
            close();
            return false;
        }
        redeemed = true;
        if (claim instanceof Claim.Ready ready) {
            readyFor = ready.channel();
            readySince = sweeper.now();
            deadline = readySince + ReadyPool.AGE_NANOS;
            if (!ready.channel().pool().add(id, this)) {
                close();
                return false;
            }
        } else if (claim instanceof Claim.Attempt asked) {
            deadline = sweeper.now() + HandOver.LIMIT_NANOS;
            attempt.set(asked);
            if (!asked.take(this)) {
                close();
                return false;
            }
        }
        return true;
    }

    private void readAcknowledgement() throws IOException {
        single.clear();
        if (fill(single) <= 0) {
            return;
        }
        Claim.Attempt mine = attempt.get();
        if (mine == null || single.get(0) != DataHello.ACKNOWLEDGED) {
            side.refusals().data(incoming, "a data connection that says something else than an acknowledgement");
            close();
            return;
        }
        connection.getSourceChannel().suspendReads();
        connection.getSourceChannel().setReadListener(null);
        finish();
        mine.handOver().acknowledged(mine, this);
    }

    /** Bytes that were read before come first. */
    private int fill(ByteBuffer into) throws IOException {
        if (early.hasRemaining()) {
            int count = Math.min(into.remaining(), early.remaining());
            into.put(early.slice().limit(count));
            early.position(early.position() + count);
            return count;
        }
        int read = connection.getSourceChannel().read(into);
        if (read == 0) {
            connection.getSourceChannel().resumeReads();
        } else if (read < 0) {
            close();
        }
        return read;
    }

    /** Gives a ready connection its visitor; false if it is closed. From any thread. */
    boolean use(Claim.Attempt visitor) {
        if (done || !attempt.compareAndSet(null, visitor)) {
            return false;
        }
        visitor.id(id);
        visitor.take(this);
        if (done) {
            // closed meanwhile: the close may have looked for a visitor before it was set
            return false;
        }
        deadline = sweeper.now() + HandOver.LIMIT_NANOS;
        return true;
    }

    private void finish() {
        done = true;
        sweeper.forget(this);
    }

    /** The connection was closed, by either side. */
    private void gone() {
        if (!done) {
            close();
        }
    }

    private void close() {
        if (done) {
            return;
        }
        finish();
        IoUtils.safeClose(connection);
        Claim.Attempt mine = attempt.get();
        if (mine != null) {
            mine.handOver().failed(mine, "the data connection was closed before its acknowledgement", false);
        } else if (readyFor != null) {
            readyFor.pool().remove(this);
            // for an attempt that has taken it meanwhile
            Claim.Attempt late = attempt.get();
            if (late != null) {
                late.handOver().failed(late, "the ready connection was closed", false);
            }
        }
    }

    /** It isn't needed any more; from any thread. */
    void discard() {
        IoTasks.execute(thread(), () -> {
            if (done) {
                IoUtils.safeClose(connection);
            } else {
                close();
            }
        });
    }

    @Override
    protected long deadline() {
        return deadline;
    }

    @Override
    protected void expired(long now) {
        close();
    }

    @Override
    protected void cut() {
        close();
    }
}
