package io.webproxy.undertow.forward;

import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.conduit.EachWriteSink;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.exchange.Exchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.StreamSinkConduit;

/**
 * The response body as it is sent to the client: counts bytes, restarts the idle deadline, and flushes whenever the
 * upstream pauses.
 *
 * <p>An unfinished flush keeps the channel's writes resumed although the transfer suspends them: the transfer is called
 * again when the socket is writable, reads nothing, and so flushes again. Not thread-safe.
 *
 * <p>Undertow's {@code Transfer} (2.4.4) never flushes in a pause, and suspends an unfinished flush. Canaries:
 * {@code UndertowDefectsTest.transferDoesNotFlushInAPause},
 * {@code UndertowDefectsTest.transferSuspendsAnUnfinishedFlush}.
 */
final class ClientSink extends EachWriteSink {
    /** Hears from the sink. */
    interface Listener {
        /** The client can't be written to any more. */
        void clientGone();

        /** The response is complete and sent, but the request isn't complete. */
        void answeredEarly();
    }

    private final Exchange exchange;
    private final Listener listener;
    private final @Nullable HeartbeatSink heartbeat;
    /** Null if no event silence is limited. */
    private final @Nullable EventLines events;

    private boolean begun;
    private boolean unflushed = true;
    private boolean flushPending;
    private boolean terminated;
    private boolean gone;
    private @Nullable IOException failure;

    /**
     * Wraps the connection's sink; with heartbeats if {@code heartbeat} isn't null, and looking for events if
     * {@code events} isn't.
     */
    static ClientSink over(
            StreamSinkConduit connection,
            Exchange exchange,
            Listener listener,
            @Nullable SseHeartbeat heartbeat,
            @Nullable EventLines events) {
        HeartbeatSink beats = heartbeat == null
                ? null
                : new HeartbeatSink(connection, heartbeat, exchange.shared().nanoClock());
        return new ClientSink(beats == null ? connection : beats, exchange, listener, beats, events);
    }

    ClientSink(
            StreamSinkConduit next,
            Exchange exchange,
            Listener listener,
            @Nullable HeartbeatSink heartbeat,
            @Nullable EventLines events) {
        super(next);
        this.events = events;
        this.heartbeat = heartbeat;
        this.exchange = exchange;
        this.listener = listener;
    }

    /** Makes every later call throw, and wakes a waiting writer. */
    void fail(IOException why) {
        if (failure == null) {
            failure = why;
        }
    }

    /** Whether the whole response was written. */
    boolean isTerminated() {
        return terminated;
    }

    /** Called on each sweep: an idle event stream with nothing left to send may get a heartbeat. */
    void lasting(long now) {
        if (heartbeat == null || unflushed || terminated || failure != null || gone) {
            return;
        }
        try {
            int written = heartbeat.beat(now);
            if (written > 0) {
                exchange.sent(written);
                unflushed = true;
                pause();
            }
        } catch (Throwable e) {
            clientGone(e);
        }
    }

    /** The upstream pauses: flushes what was written. */
    void pause() {
        if (!unflushed || failure != null || gone) {
            return;
        }
        try {
            flushPending = !next.flush();
            unflushed = flushPending;
            if (flushPending) {
                next.resumeWrites();
            }
        } catch (Throwable e) {
            clientGone(e);
        }
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        check();
        int start = src.position();
        int written;
        try {
            begin();
            written = next.write(src);
        } catch (Throwable e) {
            throw clientGone(e);
        }
        if (events != null && events.pass(src, start)) {
            exchange.limits().event();
        }
        wrote(written);
        return written;
    }

    @Override
    public long write(ByteBuffer[] srcs, int offset, int length) throws IOException {
        if (events != null) {
            // one after the other
            return super.write(srcs, offset, length);
        }
        check();
        long written;
        try {
            begin();
            written = next.write(srcs, offset, length);
        } catch (Throwable e) {
            throw clientGone(e);
        }
        wrote(written);
        return written;
    }

    /** Sends the head with the first piece of the body, or alone if there is no window for that. */
    private void begin() throws IOException {
        if (!begun) {
            begun = true;
            if (exchange.client().isWithoutWindow()) {
                next.flush();
            }
        }
    }

    private void wrote(long bytes) {
        if (bytes > 0) {
            unflushed = true;
            exchange.sent(bytes);
            exchange.limits().activity();
        }
    }

    @Override
    public boolean flush() throws IOException {
        if (gone) {
            return true;
        }
        check();
        try {
            boolean flushed = next.flush();
            if (flushed) {
                flushPending = false;
                unflushed = false;
                if (terminated && !exchange.http().isRequestComplete()) {
                    listener.answeredEarly();
                }
            }
            return flushed;
        } catch (Throwable e) {
            clientGone(e);
            return true;
        }
    }

    @Override
    public void terminateWrites() throws IOException {
        if (gone) {
            return;
        }
        check();
        terminated = true;
        try {
            next.terminateWrites();
        } catch (Throwable e) {
            clientGone(e);
        }
    }

    @Override
    public void suspendWrites() {
        // the socket of a failed sink is closed, and would throw on every call
        if (!flushPending && failure == null) {
            super.suspendWrites();
        }
    }

    @Override
    public boolean isWriteResumed() {
        return failure == null && super.isWriteResumed();
    }

    private void check() throws IOException {
        if (failure != null) {
            throw failure;
        }
    }

    private IOException clientGone(Throwable e) {
        Guard.broken("sending a response", e);
        clientGone();
        return e instanceof IOException io ? io : new IOException("an internal error", e);
    }

    /** The client has left, which ends the exchange; this isn't an error of the proxy, and isn't logged. */
    private void clientGone() {
        if (!gone) {
            gone = true;
            flushPending = false;
            exchange.failed(ForwardError.CLIENT_ABORTED);
            listener.clientGone();
        }
    }
}
