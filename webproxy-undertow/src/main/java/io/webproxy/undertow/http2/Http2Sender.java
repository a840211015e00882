package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Sends for all streams of a connection: heads at once, bodies as far as the peer's windows and the output have room,
 * in rounds of one piece for each waiting stream.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class Http2Sender {
    /** Hears the outcome of a flush. */
    interface Socket {
        /** Everything was sent. */
        void flushed();

        /** The peer has closed the connection: nothing can be sent any more. */
        void broken();

        /** The peer doesn't read: close the connection. */
        void stuck();
    }

    private static final int FIRST_WINDOW = 65_535;
    /** After so many body bytes other connections have their turn. */
    private static final int BYTES_OF_A_TURN = 512 * 1024;
    /** How many bytes other than bodies may wait for a peer that doesn't read: answers to its pings, resets, heads. */
    private static final int MOST_CONTROL_BYTES = 1 << 20;

    private final FrameOutput output;
    private final Turns turns;
    private final FloodMeter meter;
    private final HpackEncoder encoder;
    private final Socket socket;
    /** The writers that have to wait, the longest waiting first. */
    private final ArrayDeque<StreamSink> writers = new ArrayDeque<>();
    /** How many body bytes the peer accepts on all streams together. */
    private long window = FIRST_WINDOW;

    private @Nullable StreamSink serving;
    private int allowance;
    /** How many body bytes may still be sent in this turn. */
    private int left;

    private boolean stopped;

    Http2Sender(FrameOutput output, HpackEncoder encoder, Turns turns, FloodMeter meter, Socket socket) {
        this.output = output;
        this.encoder = encoder;
        this.turns = turns;
        this.meter = meter;
        this.socket = socket;
    }

    /** The peer accepts more on all streams together; false if that exceeds the maximum. */
    boolean widen(int bytes) {
        window += bytes;
        return window <= Integer.MAX_VALUE;
    }

    /** Whether the peer accepts body bytes at all. */
    boolean hasWindow() {
        return window > 0;
    }

    /** Whether the socket hasn't taken everything that was sent last. */
    boolean isBlocked() {
        return output.isBlocked();
    }

    /** Flushes at the end of the turn. */
    void flushSoon() {
        turns.touch();
    }

    /** Sends the block that was encoded last. */
    void block(int stream, boolean end) {
        output.block(stream, encoder.bytes(), encoder.length(), end);
        turns.touch();
    }

    void data(int stream, ByteBuffer body, int length, boolean end) {
        window -= length;
        left -= length;
        meter.sent(length);
        output.data(stream, body, length, end);
        turns.touch();
    }

    /** Ends a stream, with or without trailers. */
    void end(int stream, @Nullable HeaderMap trailers) {
        if (trailers == null) {
            output.frame(FrameHead.DATA, FrameHead.END_STREAM, stream);
            turns.touch();
        } else {
            encoder.start();
            encoder.fields(trailers);
            block(stream, true);
        }
    }

    /** How many of {@code wanted} bytes a stream may send now. */
    int allowed(StreamSink sink, int wanted) {
        int room = output.room();
        if (room == 0 && !output.isBlocked()) {
            flush();
            room = output.room();
        }
        long allowed = Math.min(Math.min(wanted, room), Math.min(sink.window(), window));
        if (sink == serving) {
            allowed = Math.min(allowed, allowance);
            allowance -= (int) Math.max(0, allowed);
        }
        return (int) allowed;
    }

    /** A stream wants to write as soon as possible. */
    void queue(StreamSink sink) {
        if (!sink.isQueued()) {
            sink.queued(true);
            writers.addLast(sink);
        }
        if (sink.isWritable()) {
            turns.touch();
        }
    }

    /**
     * Serves the waiting writers in rounds, as far as a turn goes, and flushes; returns whether one of them could
     * continue at once.
     */
    boolean write() {
        left = BYTES_OF_A_TURN;
        int before;
        boolean wanted;
        do {
            before = left;
            serve();
            if (!stopped) {
                flush();
            }
            // also writers that had to wait because the socket was full, and has only now taken the rest
            wanted = !stopped && isWanted();
        } while (wanted && left > 0 && left < before);
        return wanted;
    }

    private boolean isWanted() {
        for (StreamSink sink : writers) {
            if (sink.isResumed() && sink.isWritable()) {
                return true;
            }
        }
        return false;
    }

    /** Gives each waiting writer a piece of the available room. */
    private void serve() {
        for (int i = writers.size(); i > 0 && !stopped; i--) {
            StreamSink sink = writers.removeFirst();
            sink.queued(false);
            if (sink.isResumed() && !sink.isOver()) {
                if (sink.isWritable()) {
                    serving = sink;
                    allowance = writers.isEmpty() ? FrameOutput.MOST_WAITING : FrameRules.LONGEST;
                    sink.ready();
                    serving = null;
                }
                if (sink.isResumed() && !sink.isQueued() && !sink.isOver()) {
                    sink.queued(true);
                    writers.addLast(sink);
                }
            }
        }
    }

    /** Writes what there is, as far as the socket takes it. */
    void flush() {
        if (stopped) {
            return;
        }
        try {
            if (output.flush()) {
                turns.awaitSocket(false);
                socket.flushed();
            } else if (output.waiting() > FrameOutput.MOST_WAITING + MOST_CONTROL_BYTES) {
                socket.stuck();
            } else {
                turns.awaitSocket(true);
            }
        } catch (IOException e) {
            socket.broken();
        }
    }

    boolean isStopped() {
        return stopped;
    }

    /** Stops sending. Idempotent. */
    void stop() {
        stopped = true;
        output.release();
    }
}
