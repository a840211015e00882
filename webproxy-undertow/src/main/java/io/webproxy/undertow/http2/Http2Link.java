package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.webproxy.http.Http2Limits;
import io.webproxy.undertow.deadline.BodyRoom;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.exchange.Exchanges;
import java.nio.ByteBuffer;
import java.util.List;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.StreamSinkConduit;

/**
 * What HTTP/2 connections have in common in both roles: the streams, the settings and windows of both directions, and
 * the turns in which the connection reads and sends.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
abstract class Http2Link<S extends LinkStream> {
    /** The initial window of a connection, and its minimum. */
    public static final int DEFAULT_WINDOW = 65_535;

    static final int LARGEST_WINDOW = 16 << 20;
    static final int SETTINGS_INITIAL_WINDOW_SIZE = 4;
    static final int SETTINGS_MAX_HEADER_LIST_SIZE = 6;
    /** What RFC 9113 section 6.5.2 adds to the size of each field. */
    private static final int FIELD_OVERHEAD = 32;
    /** What the limit of heads adds to it. */
    private static final int SEPARATORS = 4;

    final StreamConnection socket;
    final Exchanges exchanges;
    final Sweeper sweeper;
    final FloodMeter meter;
    final FrameOutput output;
    final HpackEncoder encoder = new HpackEncoder();
    final Turns turns;
    final StreamTable<S> streams = new StreamTable<>();
    final UploadWindow growth;
    private final ByteBufferPool buffers;
    private final Http2Sender sender;
    long initialSendWindow = DEFAULT_WINDOW;
    /** The peer was told that the connection ends. */
    boolean ending;

    boolean closed;

    /**
     * A connection over a socket.
     *
     * @param sink where it writes
     * @param window the initial window of the peer's streams, in bytes
     */
    Http2Link(
            StreamConnection socket,
            StreamSinkConduit sink,
            ByteBufferPool buffers,
            Exchanges exchanges,
            Http2Limits limits,
            int window) {
        this.socket = socket;
        this.buffers = buffers;
        this.exchanges = exchanges;
        this.sweeper = exchanges.sweeper(socket.getIoThread());
        this.meter = new FloodMeter(limits, sweeper::now);
        this.output = new FrameOutput(sink, buffers);
        this.growth = new UploadWindow(window, LARGEST_WINDOW, sweeper.now());
        this.turns = new Turns(socket, new TurnSteps());
        this.sender = new Http2Sender(output, encoder, turns, meter, new SenderEnd());
    }

    abstract FrameReader reader();

    /** The peer's first settings have arrived. */
    abstract void settled();

    /** Ends the connection with an error code for the peer. */
    abstract void goAway(int code);

    /** Everything was sent after {@link #ending} was set. */
    abstract void finish();

    /** Nothing can be sent any more, because the peer has closed the connection. */
    void broken() {
        closeNow();
    }

    /** A stream is lost, because its connection has ended or its state is unreliable. */
    abstract void lost(S stream);

    /** The socket is closed, and all streams have been told. */
    abstract void ended();

    /** The {@code SETTINGS_MAX_HEADER_LIST_SIZE} to announce for these limits of heads. */
    static int headerListSize(int bytes, int fields) {
        return bytes + fields * (FIELD_OVERHEAD - SEPARATORS);
    }

    // --- used by its parts ---

    final StreamConnection socket() {
        return socket;
    }

    final ByteBufferPool buffers() {
        return buffers;
    }

    final BodyRoom bodies() {
        return exchanges.bodies();
    }

    final Sweeper sweeper() {
        return sweeper;
    }

    final Http2Sender sender() {
        return sender;
    }

    /** Runs a task in this turn on the thread, or in the next. */
    final void later(Runnable task) {
        turns.later(task);
    }

    // --- windows ---

    final void openWindow(int stream, int bytes) {
        if (!ending) {
            reader().windowOpened(stream, bytes);
            output.frame(FrameHead.WINDOW_UPDATE, 0, stream, bytes);
            turns.touch();
        }
    }

    /** Bytes of a body were read: decides whether windows should grow. */
    final void measure(int bytes) {
        if (!ending && growth.read(bytes, sweeper.now(), bodies().isAmple())) {
            output.frame(FrameHead.PING, 0, 0, UploadWindow.payload());
            turns.touch();
        }
    }

    // --- ends ---

    /** Whether neither side has reset a stream or completed it. */
    final boolean isOpen(S stream) {
        return !closed && reader().isOpen(stream.id());
    }

    final void sendReset(int stream, int code) {
        output.frame(FrameHead.RST_STREAM, 0, stream, code);
        turns.touch();
    }

    final void sendGoAway(int lastStream, int code) {
        output.frame(FrameHead.GOAWAY, 0, 0, (long) lastStream << 32 | code);
        turns.touch();
    }

    /** Closes without waiting for the peer. */
    final void closeNow() {
        IoUtils.safeClose(socket);
    }

    /** The socket is closed. */
    final void closed() {
        if (!closed) {
            closed = true;
            ending = true;
            reader().end();
            turns.stop();
            sender.stop();
            for (S stream : streams.all()) {
                Guard.run("the end of an HTTP/2 stream", () -> lost(stream), () -> lost(stream));
            }
            ended();
        }
    }

    private void failed() {
        List<S> left = streams.all();
        closeNow();
        // telling the streams of the end may have failed
        left.forEach(this::lost);
    }

    /** Bytes were read, for watching only. */
    void read(ByteBuffer bytes) {}

    /** The steps of a turn. */
    private final class TurnSteps implements Turns.Steps {
        @Override
        public boolean take(ByteBuffer bytes) {
            if (ending) {
                bytes.position(bytes.limit());
                return true;
            }
            read(bytes);
            int error = reader().take(bytes);
            if (error >= 0) {
                goAway(error);
            }
            return !bytes.hasRemaining();
        }

        @Override
        public void pause() {
            reader().pause();
        }

        @Override
        public void ended() {
            closeNow();
        }

        @Override
        public void failed() {
            Http2Link.this.failed();
        }

        @Override
        public boolean write() {
            return sender.write();
        }

        @Override
        public boolean unblocked() {
            sender.flush();
            return !output.isBlocked();
        }
    }

    /** Handles the outcome of a flush. */
    private final class SenderEnd implements Http2Sender.Socket {
        @Override
        public void flushed() {
            if (ending) {
                finish();
            }
        }

        @Override
        public void broken() {
            Http2Link.this.broken();
        }

        @Override
        public void stuck() {
            closeNow();
        }
    }
}
