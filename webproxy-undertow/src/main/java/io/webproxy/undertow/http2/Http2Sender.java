package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * What the streams of a connection send: heads at once, bodies as far as the other side's windows and the output have
 * room, each stream that waits a piece at a time.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class Http2Sender {
    /** What becomes of the connection when it is flushed. */
    interface Socket {
        /** All that there was is sent. */
        void flushed();

        /** The other side has gone: nothing can be sent any more. */
        void broken();

        /** The other side doesn't read: the connection is to be closed. */
        void stuck();
    }

    private static final int FIRST_WINDOW = 65_535;
    /** After so many body bytes it is the turn of other connections. */
    private static final int BYTES_OF_A_TURN = 512 * 1024;
    /** What the other side may make wait that doesn't read, beside bodies: answers to its pings, resets, heads. */
    private static final int MOST_CONTROL_BYTES = 1 << 20;

    private final FrameOutput output;
    private final Turns turns;
    private final FloodMeter meter;
    private final HpackEncoder encoder;
    private final Socket socket;
    /** Those who want to write and couldn't, the one that has waited longest first. */
    private final ArrayDeque<StreamSink> writers = new ArrayDeque<>();
    /** How many body bytes the other side takes on all streams together. */
    private long window = FIRST_WINDOW;

    private @Nullable StreamSink serving;
    private int allowance;
    /** How many body bytes the turn still has room for. */
    private int left;

    private boolean stopped;

    Http2Sender(FrameOutput output, HpackEncoder encoder, Turns turns, FloodMeter meter, Socket socket) {
        this.output = output;
        this.encoder = encoder;
        this.turns = turns;
        this.meter = meter;
        this.socket = socket;
    }

    /** The other side takes more on all streams together; false if that is more than there can be. */
    boolean widen(int bytes) {
        window += bytes;
        return window <= Integer.MAX_VALUE;
    }

    /** Whether the other side takes body bytes at all. */
    boolean hasWindow() {
        return window > 0;
    }

    /** Whether the socket has not taken all that was sent last. */
    boolean isBlocked() {
        return output.isBlocked();
    }

    /** What was sent goes out at the end of the turn. */
    void flushSoon() {
        turns.touch();
    }

    /** Sends the field block that was encoded last. */
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

    /** The end of a stream, with trailers or without. */
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

    /** A stream wants to write as soon as it can. */
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
     * Serves those who wait, round after round as far as a turn goes, and sends what there is; returns whether one of
     * them could go on at once.
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
            // also those who were not served because the socket was full, and has taken the rest only now
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

    /** Gives each of those who wait a piece of what there is room for. */
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

    /** Sends what there is, as far as the socket takes it. */
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

    /** Nothing is sent any more. Idempotent. */
    void stop() {
        stopped = true;
        output.release();
    }
}
