package io.webproxy.undertow.tunnel;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Turn;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.tls.TlsFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.xnio.IoUtils;
import org.xnio.XnioIoThread;
import org.xnio.ssl.SslConnection;

/**
 * A control channel over TLS, on either side: messages both ways, heartbeats, and a limit of unsent messages.
 *
 * <p>Belongs to the connection's IO thread, except for {@link #send} and {@link #end}, which any thread may call.
 */
abstract class ControlChannel extends Watched {
    /** The protocol version of this implementation. */
    static final int VERSION = 1;

    /** From accepting the connection to the first message, TLS included. */
    static final long WORD_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The period over which messages are counted that aren't about a connection. */
    private static final long COUNT_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How long a channel may take to send its goodbye. */
    private static final long GOODBYE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** After so many reads other connections of the thread have their turn. */
    private static final int READS_AT_ONCE = 8;

    /** The limit of messages within that period that aren't about a connection. */
    private static final int MOST_MESSAGES = 2_000;

    private final SslConnection connection;
    private final Sweeper sweeper;
    private final ByteBufferPool buffers;
    private final FrameReader reader = new FrameReader();
    private final Outbox outbox;
    private final AtomicBoolean flushing = new AtomicBoolean();
    private boolean established;
    private boolean greeted;
    private boolean ending;
    private volatile boolean closed;
    private Farewell farewell = Farewell.NONE;
    private String why = "";
    private long deadline;
    private final Heartbeat heartbeat = new Heartbeat();
    private volatile long lastReceived;
    private long countedSince;
    private int messages;

    ControlChannel(SslConnection connection, Sweeper sweeper, ByteBufferPool buffers, long deadline) {
        this.connection = connection;
        this.sweeper = sweeper;
        this.buffers = buffers;
        this.outbox = new Outbox(buffers);
        this.deadline = deadline;
        this.lastReceived = sweeper.now();
    }

    /** TLS is established: the peer's key can be checked. May end the channel. */
    abstract void established();

    /** A message other than a heartbeat has arrived. */
    abstract void received(Message message);

    /** The peer has answered a ping: it has read everything that was sent before. */
    void answered(long ping) {}

    /** The reason to give when this side is closing. */
    abstract String closing();

    /** The channel is over; called once. */
    abstract void closed(Farewell farewell, String reason);

    final XnioIoThread thread() {
        return sweeper.thread();
    }

    final SslConnection connection() {
        return connection;
    }

    final boolean isClosed() {
        return closed;
    }

    final long now() {
        return sweeper.now();
    }

    /** When something was last received, in the sweeper's nanoseconds. */
    final long lastReceived() {
        return lastReceived;
    }

    /** Starts the handshake, and reads from then on. */
    final void start(boolean client) {
        sweeper.watch(this);
        connection.getHandshakeSetter().set(finished -> later(this::handshakeFinished));
        connection.setCloseListener(gone -> later(() -> over(failureOr("the connection is closed"))));
        connection.getSourceChannel().setReadListener(ready -> guarded(this::read));
        connection.getSinkChannel().setWriteListener(ready -> guarded(this::flush));
        guarded(() -> {
            try {
                if (client) {
                    // for a server, whose first step is a read, SslConduit would never end
                    connection.startHandshake();
                }
            } catch (IOException e) {
                over(FailureText.of(e));
                return;
            }
            connection.getSourceChannel().resumeReads();
            read();
        });
    }

    private void later(Runnable step) {
        IoTasks.execute(thread(), () -> guarded(step));
    }

    private void guarded(Runnable step) {
        Guard.run("a control channel", step, () -> over("an internal error"));
    }

    private void handshakeFinished() {
        if (!closed && !established) {
            established = true;
            established();
            if (!closed) {
                flush();
            }
        }
    }

    /** The peer has sent its hello: from now on only missing heartbeats end the channel. */
    final void greeted() {
        greeted = true;
        deadline = Long.MAX_VALUE;
        heartbeat.start(now());
    }

    private void read() {
        if (closed) {
            return;
        }
        try {
            int turn = 0;
            boolean more = true;
            while (more && !closed && turn < READS_AT_ONCE) {
                more = readOnce();
                turn++;
            }
            if (more && !closed) {
                // TLS holds bytes that no selector reports
                connection.getSourceChannel().suspendReads();
                IoTasks.executeAfter(
                        thread(),
                        () -> guarded(() -> {
                            connection.getSourceChannel().resumeReads();
                            read();
                        }),
                        Turn.TLS_REST_MILLIS);
            }
        } catch (IOException e) {
            over(FailureText.of(e));
        }
    }

    private String failureOr(String otherwise) {
        return TlsFailure.of(connection) instanceof IOException failure ? FailureText.of(failure) : otherwise;
    }

    private boolean readOnce() throws IOException {
        try (PooledByteBuffer pooled = buffers.allocate()) {
            ByteBuffer bytes = pooled.getBuffer();
            int read = connection.getSourceChannel().read(bytes);
            if (read < 0) {
                over(failureOr("the peer has closed the connection"));
                return false;
            }
            if (read == 0) {
                return false;
            }
            handshakeFinished();
            lastReceived = now();
            bytes.flip();
            while (bytes.hasRemaining() && !closed && !ending) {
                FrameReader.Step step = reader.feed(bytes);
                if (step instanceof FrameReader.Step.Malformed malformed) {
                    end(Message.Verdict.MALFORMED, malformed.reason());
                    return false;
                } else if (step instanceof FrameReader.Step.Whole whole) {
                    dispatch(whole.message());
                }
            }
            return true;
        }
    }

    private void dispatch(Message message) {
        if (isFlood(message)) {
            end(Message.Verdict.MALFORMED, "too many messages");
            return;
        }
        if (message instanceof Message.Ping ping) {
            send(new Message.Pong(ping.number()));
        } else if (message instanceof Message.Goodbye goodbye) {
            if (!ending) {
                farewell = goodbye.code() == Message.Goodbye.BACK_SOON ? Farewell.BACK_SOON : Farewell.PEER;
            }
            over("the peer says: " + goodbye.text());
        } else if (message instanceof Message.Pong pong) {
            heartbeat.answered(pong.number());
            answered(pong.number());
        } else if (!(message instanceof Message.Unknown)) {
            received(message);
        }
    }

    private boolean isFlood(Message message) {
        if (message instanceof Message.Connect
                || message instanceof Message.Ready
                || message instanceof Message.Use
                || message instanceof Message.Drop) {
            return false;
        }
        long now = now();
        if (now - countedSince >= COUNT_NANOS) {
            countedSince = now;
            messages = 0;
        }
        // an agent may refuse as often as it is asked
        return !(message instanceof Message.Refuse refuse && isKnown(refuse.id())) && ++messages > MOST_MESSAGES;
    }

    /** Whether something with this id was requested and isn't answered yet. */
    abstract boolean isKnown(long id);

    /** Sends a message, in the order of the calls of one thread. */
    final void send(Message message) {
        if (closed) {
            return;
        }
        if (!outbox.add(message)) {
            later(() -> over("the peer doesn't read"));
            return;
        }
        if (flushing.compareAndSet(false, true)) {
            later(this::flush);
        }
    }

    private void flush() {
        flushing.set(false);
        if (closed || !established) {
            return;
        }
        try {
            boolean sent = outbox.writeTo(connection.getSinkChannel());
            boolean flushed = connection.getSinkChannel().flush();
            if (sent && flushed) {
                connection.getSinkChannel().suspendWrites();
                if (ending) {
                    over(why);
                }
            } else {
                connection.getSinkChannel().resumeWrites();
            }
        } catch (IOException e) {
            over(FailureText.of(e));
        }
    }

    /** Sends a goodbye with the reason, and closes; from any thread. */
    final void end(int code, String reason) {
        Runnable step = () -> {
            if (!closed && !ending) {
                ending = true;
                farewell = Farewell.OWN;
                why = reason;
                if (established) {
                    outbox.add(new Message.Goodbye(code, reason));
                    deadline = now() + GOODBYE_NANOS;
                    flush();
                } else {
                    over(reason);
                }
            }
        };
        if (Thread.currentThread() == thread()) {
            // at once: the receiver relies on it
            guarded(step);
        } else {
            later(step);
        }
    }

    /** Closes at once, without a goodbye. */
    final void over(String reason) {
        if (closed) {
            return;
        }
        closed = true;
        sweeper.forget(this);
        outbox.discard();
        IoUtils.safeClose(connection);
        closed(farewell, ending ? why : reason);
    }

    @Override
    protected long deadline() {
        long next = deadline;
        if (greeted && !ending) {
            next = heartbeat.deadline(lastReceived);
        }
        return next;
    }

    @Override
    protected void expired(long now) {
        if (!greeted) {
            over(established ? "it says nothing within 10 s" : "no TLS within 10 s");
        } else if (ending) {
            over(why);
        } else if (heartbeat.isSilent(lastReceived, now)) {
            over("two heartbeats were missed");
        } else if (heartbeat.isUnanswered(now)) {
            over("the peer doesn't read: two heartbeats weren't answered");
        } else {
            send(new Message.Ping(heartbeat.next(now)));
        }
    }

    @Override
    protected void cut() {
        end(0, closing());
    }
}
