package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.ErrorCode.COMPRESSION_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static io.webproxy.undertow.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.FRAME_SIZE_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.PROTOCOL_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.STREAM_CLOSED;

import io.undertow.util.HeaderMap;
import io.webproxy.undertow.http2.ClosedStreams.Cause;
import io.webproxy.undertow.http2.FloodMeter.Kind;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reads and validates the frames of an HTTP/2 connection (RFC 9113 sections 4 to 8): it passes valid content to its
 * handler, and ends the stream or the connection that breaks the protocol or a limit. The handler sees neither HPACK
 * nor CONTINUATION nor padding. Subclasses decide which heads are valid in their role.
 *
 * <p>It is long because it is one state machine: what each frame means depends on the streams and windows that all of
 * them change.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread. It never throws for what the peer sends.
 */
abstract class FrameReader {
    private static final int MAX_WINDOW = Integer.MAX_VALUE;
    private static final int FIRST_WINDOW = 65_535;
    private static final int OWED_AT_MOST = 32 * 1024;
    private static final int MAX_TRAILER_BYTES = 16 * 1024;
    private static final int HPACK_TABLE = 4096;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final ThreadLocal<byte[]> SCRATCH = ThreadLocal.withInitial(() -> new byte[FrameRules.LONGEST]);

    /**
     * Handles the content of a connection's frames, in either role. A handler that ends the connection calls
     * {@link #end}.
     */
    interface Handler {
        /** The peer has sent settings, which must be acknowledged. */
        void settings(PeerSettings changed);

        /** The peer has acknowledged this side's settings. */
        void settingsAcknowledged();

        /** Bytes of a body; {@code end}: whether the body ends after them. They belong to the caller. */
        void data(int stream, ByteBuffer bytes, boolean end);

        /** The message of a stream ends with trailers. */
        void trailers(int stream, HeaderMap trailers);

        /** The peer has reset a stream. */
        void resetByPeer(int stream, int code);

        /** This side resets a stream: tell the peer. The reader has already closed it. */
        void reset(int stream, int code);

        /** The peer accepts so many more bytes on a stream, or on the connection for stream 0. */
        void windowUpdate(int stream, int bytes);

        /**
         * The peer may send so many more bytes, because what it sent needn't be read: on a stream, or on the connection
         * for stream 0.
         */
        void openWindow(int stream, int bytes);

        /**
         * The peer has sent GOAWAY (RFC 9113 section 6.8).
         *
         * @param last the last stream of this side that it may have processed
         */
        void leaving(int last, int code);

        /** The peer expects an answer to a PING with this payload. */
        void ping(long payload);

        /** The peer has answered a PING with this payload. */
        void pong(long payload);
    }

    /** The state of an open stream. */
    static class Stream {
        /** The peer has sent the end of its message. */
        boolean ended;
        /** It carries another protocol, which has no trailers (RFC 8441 section 5). */
        boolean tunnel;
        /** How many bytes are missing of a body of announced length, else -1. */
        long missing = -1;
        /** How many bytes the peer may send. */
        long window;

        private int owed;
    }

    private final Handler handler;
    private final int mostFields;
    private final int mostTrailerBytes;
    private final FloodMeter meter;
    private final boolean fromClient;
    private final HpackDecoder decoder = new HpackDecoder(HPACK_TABLE);
    private final FrameAssembler assembler = new FrameAssembler();
    /** The open streams. */
    final StreamTable<Stream> streams = new StreamTable<>();

    final ClosedStreams closed = new ClosedStreams();
    final BlockAssembler block;

    private boolean started;
    private int skip;
    /** How many body bytes are missing of the current DATA frame. */
    private int body;

    private int bodyStream;
    private boolean bodyEnds;
    /** The newest stream that was opened. */
    int newest;

    private long window = FIRST_WINDOW;
    private int owed;
    private int error = -1;
    private boolean over;
    private boolean paused;

    /**
     * A reader for a new connection.
     *
     * @param fromClient whether the peer is a client
     * @param mostHeadBytes the longest head, in bytes
     */
    FrameReader(Handler handler, FloodMeter meter, boolean fromClient, int mostHeadBytes, int mostFields) {
        this.handler = handler;
        this.meter = meter;
        this.fromClient = fromClient;
        this.mostFields = mostFields;
        this.mostTrailerBytes = Math.min(MAX_TRAILER_BYTES, mostHeadBytes);
        this.block = new BlockAssembler(Math.max(2 * mostHeadBytes, 4 * FrameRules.LONGEST));
    }

    /** Whether the connection preface, which only a client sends, was read. */
    boolean isPrefaceRead(ByteBuffer data) {
        return true;
    }

    /** An empty block for a head or trailers on a stream; {@code stream} is null if it isn't open. */
    abstract FieldBlock block(@Nullable Stream stream, int mostTrailerBytes, int mostFields);

    /** A valid field block arrived on a stream that isn't open. */
    abstract void unopened(FrameHead head, FieldBlock fields);

    /** A valid field block arrived on an open stream. */
    abstract void opened(FrameHead head, Stream stream, FieldBlock fields);

    /** The message on an open stream is malformed (RFC 9113 section 8.1.1), for this reason. */
    abstract void malformed(int stream, String why);

    /**
     * Consumes all bytes of {@code data}, unless {@link #pause} is called meanwhile; bytes after the end of the
     * connection are discarded.
     *
     * @return the error code that ends the connection, once; -1 for none
     */
    int take(ByteBuffer data) {
        paused = false;
        while (!over && !paused && step(data)) {
            // the next piece
        }
        if (over) {
            data.position(data.limit());
        }
        int found = error;
        error = -1;
        return found;
    }

    /** Leaves the rest of the bytes for the next call. */
    void pause() {
        paused = true;
    }

    /** Takes a step; false if more bytes are needed. */
    private boolean step(ByteBuffer data) {
        if (!started && !isPrefaceRead(data)) {
            return false;
        }
        if (body > 0) {
            return readBody(data);
        }
        if (skip > 0) {
            int skipped = Math.min(skip, data.remaining());
            data.position(data.position() + skipped);
            skip -= skipped;
            return skip == 0;
        }
        FrameHead head = assembler.head(data);
        if (head == null) {
            return false;
        }
        int problem = problem(head);
        if (problem >= 0) {
            fail(problem);
            return false;
        }
        ByteBuffer payload = assembler.payload(data);
        if (payload == null) {
            return false;
        }
        frame(head, payload);
        return true;
    }

    private boolean readBody(ByteBuffer data) {
        int length = Math.min(body, data.remaining());
        if (length == 0) {
            return false;
        }
        int limit = data.limit();
        int end = data.position() + length;
        body -= length;
        if (streams.get(bodyStream) != null) {
            handler.data(bodyStream, data.limit(end), bodyEnds && body == 0);
        } else {
            // reset meanwhile: the bytes have used the connection's window all the same
            owe(length);
        }
        data.limit(limit).position(end);
        return true;
    }

    /** The connection error of a frame by its head and its place, else -1. */
    private int problem(FrameHead head) {
        if (!started && (head.type() != FrameHead.SETTINGS || head.has(FrameHead.ACK))) {
            return PROTOCOL_ERROR;
        }
        if (block.isOpen() != (head.type() == FrameHead.CONTINUATION)
                || (block.isOpen() && block.stream() != head.stream())) {
            return PROTOCOL_ERROR;
        }
        return FrameRules.problem(head, newest, fromClient);
    }

    private void frame(FrameHead head, ByteBuffer payload) {
        switch (head.type()) {
            case FrameHead.DATA -> data(head, payload);
            case FrameHead.HEADERS -> headers(head, payload);
            case FrameHead.CONTINUATION -> fragment(head, payload);
            case FrameHead.SETTINGS -> settings(head, payload);
            case FrameHead.PING -> ping(head, payload);
            case FrameHead.WINDOW_UPDATE -> windowUpdate(head, payload);
            case FrameHead.RST_STREAM -> reset(head, payload);
            case FrameHead.GOAWAY -> leaving(payload);
            default -> priority(head, payload);
        }
    }

    /** Whether one more frame of a kind exceeds its limit; that ends the connection. */
    boolean floods(Kind kind) {
        if (meter.exceeds(kind)) {
            fail(ENHANCE_YOUR_CALM);
            return true;
        }
        return false;
    }

    private void leaving(ByteBuffer payload) {
        if (!floods(Kind.PRIORITY)) {
            handler.leaving(payload.getInt() & Integer.MAX_VALUE, payload.getInt());
        }
    }

    private void ping(FrameHead head, ByteBuffer payload) {
        if (floods(Kind.PING)) {
            return;
        }
        if (head.has(FrameHead.ACK)) {
            handler.pong(payload.getLong());
        } else {
            handler.ping(payload.getLong());
        }
    }

    private void settings(FrameHead head, ByteBuffer payload) {
        if (floods(Kind.SETTINGS)) {
            return;
        }
        if (head.has(FrameHead.ACK)) {
            handler.settingsAcknowledged();
            return;
        }
        PeerSettings changed = PeerSettings.of(payload);
        if (changed.error() >= 0 || (changed.push() && !fromClient)) {
            fail(changed.error() >= 0 ? changed.error() : PROTOCOL_ERROR);
            return;
        }
        started = true;
        handler.settings(changed);
    }

    private void windowUpdate(FrameHead head, ByteBuffer payload) {
        if (floods(Kind.WINDOW_UPDATE)) {
            return;
        }
        int bytes = payload.getInt() & MAX_WINDOW;
        if (head.stream() != 0 && streams.get(head.stream()) == null) {
            return;
        }
        if (bytes > 0) {
            handler.windowUpdate(head.stream(), bytes);
        } else if (head.stream() == 0) {
            fail(PROTOCOL_ERROR);
        } else {
            resetStream(head.stream(), PROTOCOL_ERROR);
        }
    }

    private void reset(FrameHead head, ByteBuffer payload) {
        if (isCounted(head.stream()) && floods(Kind.RESET)) {
            return;
        }
        if (streams.remove(head.stream()) == null) {
            closed.finished(head.stream());
            return;
        }
        closed.add(head.stream(), Cause.BY_PEER);
        handler.resetByPeer(head.stream(), payload.getInt());
    }

    /** Priorities are ignored (RFC 9113 section 5.3.2), and so are frames of unknown types. */
    private void priority(FrameHead head, ByteBuffer payload) {
        if (floods(Kind.PRIORITY)) {
            return;
        }
        boolean open = streams.get(head.stream()) != null;
        boolean judged = open || (fromClient && closed.of(head.stream()) == Cause.UNKNOWN);
        if (head.type() == FrameHead.PRIORITY && judged) {
            boolean wrongLength = head.length() != 5;
            if (wrongLength || (payload.getInt() & MAX_WINDOW) == head.stream()) {
                if (!open) {
                    // once is enough
                    closed.add(head.stream(), Cause.BY_PEER);
                }
                resetStream(head.stream(), wrongLength ? FRAME_SIZE_ERROR : PROTOCOL_ERROR);
            }
        }
    }

    private void data(FrameHead head, ByteBuffer padding) {
        int pad = head.has(FrameHead.PADDED) ? padding.get() & 0xff : 0;
        int around = head.has(FrameHead.PADDED) ? pad + 1 : 0;
        int content = head.length() - around;
        window -= head.length();
        if (content < 0) {
            fail(PROTOCOL_ERROR);
            return;
        }
        if (window < 0) {
            fail(FLOW_CONTROL_ERROR);
            return;
        }
        Stream stream = streams.get(head.stream());
        if (stream == null) {
            dataOfClosed(head, pad + content);
            return;
        }
        boolean end = head.has(FrameHead.END_STREAM);
        int problem = problem(stream, head);
        String wrong = problem >= 0 ? null : wrong(stream, content, end);
        if (problem >= 0 || wrong != null) {
            stream.ended |= end;
            skip = pad + content;
            owe(head.length());
            if (wrong != null) {
                malformed(head.stream(), wrong);
            } else {
                resetStream(head.stream(), problem);
            }
            return;
        }
        if (content == 0 && !end && floods(Kind.EMPTY_DATA)) {
            return;
        }
        skip = pad;
        if (around > 0) {
            owe(around);
            owe(head.stream(), stream, around);
        }
        stream.ended = end;
        if (content > 0) {
            body = content;
            bodyStream = head.stream();
            bodyEnds = end;
        } else if (end) {
            handler.data(head.stream(), NOTHING, true);
        }
    }

    private static int problem(Stream stream, FrameHead head) {
        if (stream.ended) {
            return STREAM_CLOSED;
        }
        stream.window -= head.length();
        return stream.window < 0 ? FLOW_CONTROL_ERROR : -1;
    }

    /** What is wrong with body bytes at this point (RFC 9113 section 8.1.1), or null. */
    @Nullable String wrong(Stream stream, int content, boolean end) {
        if (stream.missing >= 0) {
            stream.missing -= content;
            if (stream.missing < 0 || (end && stream.missing > 0)) {
                return "the body's length differs from Content-Length";
            }
        }
        return null;
    }

    /** The bytes have used the connection's window all the same (RFC 9113 section 5.1). */
    private void dataOfClosed(FrameHead head, int payload) {
        if (!isLate(closed.of(head.stream()))) {
            fail(STREAM_CLOSED);
            return;
        }
        if (head.has(FrameHead.END_STREAM)) {
            closed.finished(head.stream());
        }
        if (head.length() == 0 && floods(Kind.EMPTY_DATA)) {
            return;
        }
        skip = payload;
        owe(head.length());
    }

    private void owe(int bytes) {
        owed += bytes;
        if (owed >= OWED_AT_MOST) {
            int opened = owed;
            owed = 0;
            handler.openWindow(0, opened);
        }
    }

    private void owe(int id, Stream stream, int bytes) {
        stream.owed += bytes;
        if (stream.owed >= OWED_AT_MOST && !stream.ended) {
            int opened = stream.owed;
            stream.owed = 0;
            handler.openWindow(id, opened);
        }
    }

    private void headers(FrameHead head, ByteBuffer payload) {
        int pad = 0;
        if (head.has(FrameHead.PADDED)) {
            if (!payload.hasRemaining()) {
                fail(FRAME_SIZE_ERROR);
                return;
            }
            pad = payload.get() & 0xff;
        }
        boolean onItself = false;
        if (head.has(FrameHead.WITH_PRIORITY)) {
            if (payload.remaining() < 5) {
                fail(FRAME_SIZE_ERROR);
                return;
            }
            onItself = (payload.getInt() & MAX_WINDOW) == head.stream();
            payload.get();
        }
        if (pad > payload.remaining()) {
            fail(PROTOCOL_ERROR);
            return;
        }
        payload.limit(payload.limit() - pad);
        block.open(head, onItself);
        fragment(head, payload);
    }

    private void fragment(FrameHead last, ByteBuffer payload) {
        if (!block.add(payload)) {
            fail(ENHANCE_YOUR_CALM);
        } else if (last.has(FrameHead.END_HEADERS)) {
            endOfBlock();
        } else {
            block.keep();
        }
    }

    private void endOfBlock() {
        FrameHead head = block.head();
        Stream stream = streams.get(head.stream());
        FieldBlock fields = block(stream, mostTrailerBytes, mostFields);
        // also for refused or closed streams: the decoder's state belongs to the connection
        if (!decode(block.close(), fields)) {
            fail(COMPRESSION_ERROR);
        } else if (fields.isBomb()) {
            fail(ENHANCE_YOUR_CALM);
        } else if (stream != null) {
            opened(head, stream, fields);
        } else {
            unopened(head, fields);
        }
    }

    /** A field block on a closed stream. */
    final void late(FrameHead head) {
        Cause cause = closed.of(head.stream());
        if (!isLate(cause)) {
            fail(cause == Cause.BY_PEER ? STREAM_CLOSED : PROTOCOL_ERROR);
        } else if (head.has(FrameHead.END_STREAM)) {
            closed.finished(head.stream());
        }
    }

    /** Whether frames of a closed stream may have been in flight when it was closed. */
    boolean isLate(Cause cause) {
        return cause == Cause.RESET_HERE;
    }

    /** Whether a reset of a stream counts. */
    boolean isCounted(int stream) {
        return true;
    }

    private boolean decode(ByteBuffer bytes, FieldBlock fields) {
        int length = bytes.remaining();
        byte[] copy = SCRATCH.get();
        if (copy.length < length) {
            copy = new byte[length];
            SCRATCH.set(copy);
        }
        bytes.get(copy, 0, length);
        return decoder.decode(copy, 0, length, fields);
    }

    /** A message ends with trailers. */
    final void trailers(FrameHead head, Stream stream, FieldBlock fields) {
        if (stream.ended) {
            resetStream(head.stream(), STREAM_CLOSED);
            return;
        }
        HeaderMap trailers = fields.trailers();
        stream.ended = head.has(FrameHead.END_STREAM);
        if (trailers == null || !stream.ended || stream.missing > 0 || stream.tunnel) {
            malformed(head.stream(), "the trailer section is malformed, or in the wrong place");
        } else {
            handler.trailers(head.stream(), trailers);
        }
    }

    /** An error of one stream, whether it is open or not. */
    private void resetStream(int stream, int code) {
        if (!isCounted(stream) || !floods(Kind.RESET)) {
            wasReset(stream);
            handler.reset(stream, code);
        }
    }

    final void fail(int code) {
        over = true;
        error = code;
    }

    /** The connection is ending: the handler is called no more. */
    void end() {
        over = true;
    }

    /** This side has reset a stream. */
    void wasReset(int stream) {
        Stream known = streams.remove(stream);
        if (known != null) {
            closed.add(stream, known.ended ? Cause.BY_PEER : Cause.RESET_HERE);
        }
    }

    /** Request and response of a stream are complete. */
    void completed(int stream) {
        if (streams.remove(stream) != null) {
            closed.add(stream, Cause.BY_PEER);
        }
    }

    /** The peer was told that it may send more. */
    void windowOpened(int stream, int bytes) {
        if (stream == 0) {
            window += bytes;
        } else {
            Stream known = streams.get(stream);
            if (known != null) {
                known.window += bytes;
            }
        }
    }

    /** Whether the peer has ended its direction of an open stream. */
    boolean hasEnded(int stream) {
        Stream known = streams.get(stream);
        return known != null && known.ended;
    }

    /** Whether a stream is open in at least one direction. */
    boolean isOpen(int stream) {
        return streams.get(stream) != null;
    }

    /** What the peer is doing. */
    Phase phase() {
        if (!started) {
            return Phase.START;
        }
        if (block.isOpen() || assembler.isWithinHeaders()) {
            return Phase.HEAD;
        }
        return streams.isEmpty() ? Phase.IDLE : Phase.BUSY;
    }

    /** How many heads have started: distinguishes one wait from the next. */
    int heads() {
        return block.opened();
    }

    /** What the peer is doing; each phase has its own time limit. */
    enum Phase {
        /** Its settings haven't arrived. */
        START,
        /** A field block is incomplete. */
        HEAD,
        /** A stream is open. */
        BUSY,
        /** No stream is open. */
        IDLE
    }
}
