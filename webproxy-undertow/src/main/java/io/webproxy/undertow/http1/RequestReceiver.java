package io.webproxy.undertow.http1;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Turn;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/**
 * The receiving direction of a client's connection: parses request heads, hands the bytes of bodies to their readers,
 * and limits the wait for requests.
 *
 * <p>It also reads during an exchange, up to one buffer: so it notices a client that leaves. Between requests it holds
 * no buffer. Not thread-safe: it belongs to the connection's IO thread.
 */
final class RequestReceiver implements ReadReadyHandler, ConnectionWaits.Listener {
    /** How many requests that arrived together are served before other connections have their turn. */
    private static final int BURST = 32;

    private final Http1 shared;
    private final Http1Connection connection;
    private final StreamSourceConduit socket;
    private final XnioIoThread thread;
    private final RequestParser parser = new RequestParser();
    private final ClientBytes bytes;
    private final ConnectionWaits waits;
    private final RequestSource body;
    private final Runnable serveLater = this::readReady;
    private final Runnable serveRested = this::rested;
    private final Runnable wakeLater = this::wake;

    /** Null after the first request has arrived. */
    private Http1.@Nullable Http2Switch http2;
    /** Notice a client that leaves even while nothing else is read. */
    private boolean watched;
    /** The socket reports when it is readable. */
    private boolean armed;

    private boolean serving;
    /** Other connections have their turn before the next request. */
    private boolean resting;

    private boolean waking;
    /** HTTP reads nothing any more. */
    private boolean closing;

    /**
     * For a connection.
     *
     * @param socket as HTTP sees it, through TLS if there is any
     * @param http2 takes the connection over if it starts with HTTP/2's preface; null if HTTP/2 is off
     */
    RequestReceiver(
            Http1 shared,
            Http1Connection connection,
            StreamSourceConduit socket,
            ByteBufferPool buffers,
            Sweeper sweeper,
            Http1.@Nullable Http2Switch http2) {
        this.shared = shared;
        this.connection = connection;
        this.socket = socket;
        this.thread = sweeper.thread();
        this.http2 = http2;
        this.bytes = new ClientBytes(socket, buffers);
        this.waits = new ConnectionWaits(shared, sweeper, shared.idle(thread), this);
        this.body = new RequestSource(socket, this);
    }

    /** Starts to read; {@code read}: bytes that were read already, or null. */
    void start(@Nullable PooledByteBuffer read) {
        socket.setReadReadyHandler(this);
        if (read != null) {
            bytes.start(read);
        }
        waits.forRequest();
        readReady();
    }

    /** The request bodies, one after the other. */
    RequestSource body() {
        return body;
    }

    // --- reading ---

    @Override
    public void readReady() {
        try {
            if (connection.isSecure() && armed) {
                // while reads are resumed, TLS calls again after each read, whether there is more or not
                armed = false;
                socket.suspendReads();
            }
            if (!closing) {
                take();
            }
        } catch (Throwable e) {
            Guard.broken("HTTP/1.1 of a client", e);
            connection.closeNow();
        }
        arm();
    }

    private void take() {
        if (!connection.isBusy()) {
            if (!resting) {
                serve();
            }
        } else if (body.isActive() && body.isReadResumed()) {
            body.ready();
        } else if (readsAhead() && bytes.readAhead() < 0) {
            connection.clientEnded(bytes.isBroken());
        }
    }

    /** Whether bytes are read that no reader wants yet. */
    private boolean readsAhead() {
        return !bytes.isEnded() && (!body.isActive() || watched) && bytes.hasRoom();
    }

    /** Waits for bytes from the socket, if they are wanted. */
    private void arm() {
        boolean wants = !closing
                && !resting
                && !bytes.isEnded()
                && connection.isOpen()
                && (!connection.isBusy() || body.isReadResumed() || readsAhead());
        if (wants && connection.isSecure() && bytes.isFull()) {
            // the TLS engine may hold more than the last read could take
            armed = true;
            bytes.forgetFull();
            socket.wakeupReads();
        } else if (wants != armed) {
            armed = wants;
            if (wants) {
                socket.resumeReads();
            } else if (connection.isOpen()) {
                socket.suspendReads();
            }
        }
    }

    /** Serves what has arrived, until an exchange needs more time. */
    private void serve() {
        if (serving) {
            return;
        }
        serving = true;
        try {
            int served = 0;
            boolean read = false;
            while (!connection.isBusy() && !closing && connection.isOpen() && served < BURST) {
                if (!bytes.isHeld()) {
                    if (read && !bytes.isFull()) {
                        break;
                    }
                    read = true;
                    if (!fill()) {
                        break;
                    }
                }
                if (!parse()) {
                    if (parser.hasBegun()) {
                        waits.forHead();
                    }
                } else if (http2 != null && parser.isPreface()) {
                    connection.handOver(http2);
                } else {
                    begin();
                    served++;
                }
            }
        } finally {
            serving = false;
        }
        if (!connection.isBusy() && !closing && (bytes.isHeld() || bytes.isFull())) {
            rest();
        }
    }

    /**
     * Lets other connections have their turn: a task would run before the thread looks at other sockets, and so would a
     * read through TLS, whose engine may hold more.
     */
    private void rest() {
        resting = true;
        IoTasks.executeAfter(thread, serveRested, Turn.TLS_REST_MILLIS);
    }

    private void rested() {
        resting = false;
        readReady();
    }

    private boolean fill() {
        if (bytes.isEnded() || bytes.read() < 0) {
            connection.closeNow();
        }
        return bytes.isHeld();
    }

    private boolean parse() {
        ByteBuffer held = bytes.forParser();
        boolean complete = held != null && parser.parse(held, shared.limits());
        bytes.keep();
        return complete;
    }

    private void begin() {
        waits.stop();
        http2 = null;
        watched = false;
        connection.begin(parser);
    }

    /** An exchange is over: the next request may start. */
    void next() {
        waits.forRequest();
        if (serving) {
            return;
        }
        if (bytes.isHeld() || bytes.isEnded()) {
            // the response must have been written completely
            IoTasks.execute(thread, serveLater);
        } else {
            arm();
        }
    }

    /** From now on notices a client that leaves even while nothing else is read. */
    void watch() {
        if (!watched) {
            watched = true;
            arm();
        }
    }

    /** Whether reading would notice the end. */
    boolean isRead() {
        return armed;
    }

    /** Whether the client has closed its direction, or the connection is broken. */
    boolean isEnded() {
        return bytes.isEnded();
    }

    /** Whether the connection is broken. */
    boolean isBroken() {
        return bytes.isBroken();
    }

    // --- bytes of a request body ---

    /** The next bytes of a body, see {@link ClientBytes#take}. */
    int take(ByteBuffer dst) throws IOException {
        return !connection.isOpen() ? -1 : closing ? 0 : bytes.take(dst);
    }

    /** Returns the last bytes that were taken. */
    void giveBack(ByteBuffer rest) {
        bytes.giveBack(rest);
    }

    boolean holdsBytes() {
        return bytes.isHeld();
    }

    void readerResumed() {
        if (bytes.isHeld() || bytes.isEnded()) {
            wakeReader();
        } else {
            arm();
        }
    }

    void readerSuspended() {
        arm();
    }

    void bodyEnded() {
        arm();
    }

    void wakeReader() {
        if (!waking) {
            waking = true;
            IoTasks.execute(thread, wakeLater);
        }
    }

    private void wake() {
        waking = false;
        if (isReaderWaiting()) {
            readReady();
            if (isReaderWaiting() && (bytes.isHeld() || bytes.isEnded())) {
                wakeReader();
            }
        }
    }

    private boolean isReaderWaiting() {
        return body.isActive() && body.isReadResumed() && !closing;
    }

    // --- waits ---

    /** The endpoint is closing: the connection ends after the current exchange, or if no further request arrives. */
    void leave() {
        waits.leave();
    }

    boolean isLeaving() {
        return waits.isLeaving();
    }

    @Override
    public void waitedInVain() {
        connection.closeNow();
    }

    @Override
    public void headTooSlow() {
        if (!connection.isBusy() && !closing) {
            parser.refuse(Problems.TOO_SLOW);
            begin();
        }
    }

    @Override
    public void lastLook() {
        resting = false;
        readReady();
        if (waits.isIdle()) {
            connection.closeNow();
        }
    }

    // --- ends ---

    /** Whether HTTP reads nothing any more. */
    boolean isClosing() {
        return closing;
    }

    /** Stops reading; bytes read already can still be {@linkplain #release released}. */
    void stop() {
        closing = true;
        waits.stop();
        armed = false;
        socket.suspendReads();
    }

    /** Bytes that were read and not taken; null if there are none. */
    @Nullable PooledByteBuffer release() {
        return bytes.release();
    }

    /** Whether there may be bytes, or the end, that no selector reports. */
    boolean mayHaveMore() {
        return bytes.isEnded() || bytes.isFull();
    }

    /** Discards bytes that were read and not taken. */
    void drop() {
        bytes.drop();
    }

    @Override
    public void forceTermination() {
        connection.closeNow();
    }

    @Override
    public void terminated() {
        // the close listener runs once both directions have ended
    }

    /** The connection is closed. */
    void closed() {
        closing = true;
        waits.stop();
        bytes.drop();
    }
}
