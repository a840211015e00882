package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.ErrorCode.COMPRESSION_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static io.webproxy.undertow.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.FRAME_SIZE_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.PROTOCOL_ERROR;
import static io.webproxy.undertow.http2.ErrorCode.REFUSED_STREAM;
import static io.webproxy.undertow.http2.ErrorCode.STREAM_CLOSED;

import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.http2.ClosedStreams.Cause;
import io.webproxy.undertow.http2.FloodMeter.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a client sends on an HTTP/2 connection: takes its bytes, hands on what is right in its place, and ends what breaks the protocol or
 * a limit, by stream or as a whole (RFC 9113 sections 4 to 8). What it hands on knows no HPACK, no CONTINUATION and no padding.
 *
 * <p>It is long because it is one state machine: what each frame means depends on the streams and windows that all of them change.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread. It never throws for what a client sends.
 */
final class FrameReader {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private static final int MAX_WINDOW = Integer.MAX_VALUE;
    private static final int FIRST_WINDOW = 65_535;
    private static final int OWED_AT_MOST = 32 * 1024;
    private static final int MAX_TRAILER_BYTES = 16 * 1024;
    private static final int HPACK_TABLE = 4096;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final ThreadLocal<byte[]> SCRATCH = ThreadLocal.withInitial(() -> new byte[FrameRules.LONGEST]);

    /** What is told of a connection's frames. A handler that ends the connection says so by {@link #end}. */
    interface Handler {
        /** The client has set something, which is to be acknowledged. */
        void settings(ClientSettings changed);

        /**
         * A request head is complete, and in order.
         *
         * @param end whether the request ends with it
         */
        void request(int stream, FieldBlock head, HeaderMap fields, boolean end);

        /** Bytes of a request body; {@code end}: whether the request ends behind them. They are the caller's. */
        void data(int stream, ByteBuffer bytes, boolean end);

        /** The request of a stream ends with trailers. */
        void trailers(int stream, HeaderMap trailers);

        /** The client has reset a stream. */
        void resetByClient(int stream, int code);

        /** The client is to be told that a stream is reset; it is no more for the reader. */
        void reset(int stream, int code);

        /**
         * The request of a stream is malformed (RFC 9113 section 8.1.1): the client is to be told so, and that the stream is reset.
         *
         * @param head of a request that nothing else is known of; null if it was handed on
         */
        void malformed(int stream, @Nullable FieldBlock head);

        /** The client takes so many bytes more: on a stream, or as a whole for stream 0. */
        void windowUpdate(int stream, int bytes);

        /** The client may send so many bytes more, because what it has sent needn't be read: on a stream, or as a whole for stream 0. */
        void openWindow(int stream, int bytes);

        /** The client says that it will go: its streams are to come to their end (RFC 9113 section 6.8). */
        void leaving();

        /** The client wants a PING with this payload answered. */
        void ping(long payload);

        /** The client has answered a PING with this payload. */
        void pong(long payload);
    }

    private static final class Stream {
        /** The client has sent the end of its request. */
        private boolean ended;
        /** It carries another protocol, which has no trailers (RFC 8441 section 5). */
        private boolean tunnel;
        /** What is missing of a body whose length was told, else -1. */
        private long missing;

        private long window;
        private int owed;
    }

    private final Handler handler;
    private final Http2Limits limits;
    private final HttpLimits heads;
    private final FloodMeter meter;
    private final int streamWindow;
    private final HpackDecoder decoder = new HpackDecoder(HPACK_TABLE);
    private final StreamTable<Stream> streams = new StreamTable<>();
    private final ClosedStreams closed = new ClosedStreams();
    private final FrameAssembler assembler = new FrameAssembler();
    private final BlockAssembler block;

    private int prefaceRead;
    private boolean started;
    private int skip;
    /** What is left of the body bytes of the DATA frame that is being read. */
    private int body;

    private int bodyStream;
    private boolean bodyEnds;
    private int newest;
    /** The last stream that isn't refused because the connection is leaving. */
    private int last = Integer.MAX_VALUE;

    private long window = FIRST_WINDOW;
    private int owed;
    private int error = -1;
    private boolean over;
    private boolean paused;

    /**
     * A reader for a new connection.
     *
     * @param streamWindow how many bytes a client was told that it may send on a stream at once
     */
    FrameReader(Handler handler, Http2Limits limits, HttpLimits heads, FloodMeter meter, int streamWindow) {
        this.handler = handler;
        this.limits = limits;
        this.heads = heads;
        this.meter = meter;
        this.streamWindow = streamWindow;
        this.block = new BlockAssembler(Math.max(2 * heads.requestHeadBytes(), 4 * FrameRules.LONGEST));
    }

    /**
     * Takes all bytes of {@code data}, unless {@link #pause} is called meanwhile; what comes after the end of the connection is thrown away.
     *
     * @return why the connection is to be ended, once; -1 if it isn't
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

    /** What is left of the bytes is taken at the next call. */
    void pause() {
        paused = true;
    }

    /** Takes a step; false if more bytes are needed. */
    private boolean step(ByteBuffer data) {
        if (prefaceRead < PREFACE.length) {
            return readPreface(data);
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
            // reset meanwhile: it has used the connection's window all the same
            owe(length);
        }
        data.limit(limit).position(end);
        return true;
    }

    private boolean readPreface(ByteBuffer data) {
        while (prefaceRead < PREFACE.length && data.hasRemaining()) {
            if (data.get() != PREFACE[prefaceRead++]) {
                fail(PROTOCOL_ERROR);
                return false;
            }
        }
        return prefaceRead == PREFACE.length;
    }

    /** What is wrong with a frame by its head and its place, as an error of the connection, else -1. */
    private int problem(FrameHead head) {
        if (!started && (head.type() != FrameHead.SETTINGS || head.has(FrameHead.ACK))) {
            return PROTOCOL_ERROR;
        }
        if (block.isOpen() != (head.type() == FrameHead.CONTINUATION)
                || (block.isOpen() && block.stream() != head.stream())) {
            return PROTOCOL_ERROR;
        }
        return FrameRules.problem(head, newest);
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
            case FrameHead.GOAWAY -> leaving();
            default -> priority(head, payload);
        }
    }

    /** Whether one more frame of a kind is one too many; then the connection is over. */
    private boolean floods(Kind kind) {
        if (meter.exceeds(kind)) {
            fail(ENHANCE_YOUR_CALM);
            return true;
        }
        return false;
    }

    private void leaving() {
        if (!floods(Kind.PRIORITY)) {
            handler.leaving();
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
        if (floods(Kind.SETTINGS) || head.has(FrameHead.ACK)) {
            return;
        }
        ClientSettings changed = ClientSettings.of(payload);
        if (changed.error() >= 0) {
            fail(changed.error());
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
        if (floods(Kind.RESET)) {
            return;
        }
        if (streams.remove(head.stream()) == null) {
            closed.finished(head.stream());
            return;
        }
        closed.add(head.stream(), Cause.BY_CLIENT);
        handler.resetByClient(head.stream(), payload.getInt());
    }

    /** Priorities are not followed (RFC 9113 section 5.3.2), and frames of unknown types mean nothing. */
    private void priority(FrameHead head, ByteBuffer payload) {
        if (floods(Kind.PRIORITY)) {
            return;
        }
        if (head.type() == FrameHead.PRIORITY && closed.of(head.stream()) == Cause.UNKNOWN) {
            if (head.length() != 5) {
                resetStream(head.stream(), FRAME_SIZE_ERROR);
            } else if ((payload.getInt() & MAX_WINDOW) == head.stream()) {
                resetStream(head.stream(), PROTOCOL_ERROR);
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
        int problem = problem(stream, head, content, end);
        if (problem >= 0) {
            stream.ended |= end;
            skip = pad + content;
            owe(head.length());
            if (problem == PROTOCOL_ERROR) {
                malformed(head.stream(), null);
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

    private int problem(Stream stream, FrameHead head, int content, boolean end) {
        if (stream.ended) {
            return STREAM_CLOSED;
        }
        stream.window -= head.length();
        if (stream.window < 0) {
            return FLOW_CONTROL_ERROR;
        }
        if (stream.missing >= 0) {
            // RFC 9113 section 8.1.1
            stream.missing -= content;
            if (stream.missing < 0 || (end && stream.missing > 0)) {
                return PROTOCOL_ERROR;
            }
        }
        return -1;
    }

    /** It has used the connection's window all the same (RFC 9113 section 5.1). */
    private void dataOfClosed(FrameHead head, int payload) {
        if (closed.of(head.stream()) != Cause.RESET_BY_SERVER) {
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
        FieldBlock fields = new FieldBlock(
                stream == null ? heads.requestHeadBytes() : Math.min(MAX_TRAILER_BYTES, heads.requestHeadBytes()),
                heads.fields());
        // for streams that are refused or closed too: the decoder's state is the connection's
        if (!decode(block.close(), fields)) {
            fail(COMPRESSION_ERROR);
        } else if (fields.isBomb()) {
            fail(ENHANCE_YOUR_CALM);
        } else if (head.stream() > newest) {
            newStream(head, fields);
        } else if (stream != null) {
            trailers(head, stream, fields);
        } else {
            switch (closed.of(head.stream())) {
                case RESET_BY_SERVER -> {
                    if (head.has(FrameHead.END_STREAM)) {
                        closed.finished(head.stream());
                    }
                }
                case BY_CLIENT -> fail(STREAM_CLOSED);
                case UNKNOWN -> fail(PROTOCOL_ERROR);
            }
        }
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

    private void newStream(FrameHead head, FieldBlock fields) {
        newest = head.stream();
        Stream stream = new Stream();
        stream.ended = head.has(FrameHead.END_STREAM);
        if (newest > last || streams.size() >= limits.streams()) {
            // RFC 9113 section 5.1.2
            closed.add(newest, stream.ended ? Cause.BY_CLIENT : Cause.RESET_BY_SERVER);
            if (!floods(Kind.REFUSAL)) {
                handler.reset(newest, REFUSED_STREAM);
            }
            return;
        }
        streams.put(newest, stream);
        HeaderMap fieldsOfRequest = fields.request();
        stream.missing = fieldsOfRequest == null ? -1 : fields.contentLength();
        if (fieldsOfRequest == null || block.isOnItself() || (stream.ended && stream.missing > 0)) {
            malformed(newest, fields);
            return;
        }
        stream.window = streamWindow;
        stream.tunnel = fields.protocol() != null;
        handler.request(newest, fields, fieldsOfRequest, stream.ended);
    }

    private void trailers(FrameHead head, Stream stream, FieldBlock fields) {
        if (stream.ended) {
            resetStream(head.stream(), STREAM_CLOSED);
            return;
        }
        HeaderMap trailers = fields.trailers();
        stream.ended = head.has(FrameHead.END_STREAM);
        if (trailers == null || !stream.ended || stream.missing > 0 || stream.tunnel) {
            malformed(head.stream(), null);
        } else {
            handler.trailers(head.stream(), trailers);
        }
    }

    /** An error of one stream, whether it is open or not. */
    private void resetStream(int stream, int code) {
        if (!floods(Kind.RESET)) {
            wasReset(stream);
            handler.reset(stream, code);
        }
    }

    private void malformed(int stream, @Nullable FieldBlock head) {
        if (!floods(Kind.RESET)) {
            wasReset(stream);
            handler.malformed(stream, head);
        }
    }

    private void fail(int code) {
        over = true;
        error = code;
    }

    /** So many bytes of the preface have been read by somebody else. */
    void prefaceRead(int bytes) {
        prefaceRead = bytes;
    }

    /** The connection is ending: nothing is handed on any more. */
    void end() {
        over = true;
    }

    /** Streams that come from now on are refused; returns the last one that isn't. */
    int refuse() {
        last = Math.min(last, newest);
        return last;
    }

    /** The last stream that anything may have been done for; once named it never rises (RFC 9113 section 6.8). */
    int lastStream() {
        return Math.min(last, newest);
    }

    /** The server has reset a stream. */
    void wasReset(int stream) {
        Stream known = streams.remove(stream);
        if (known != null) {
            closed.add(stream, known.ended ? Cause.BY_CLIENT : Cause.RESET_BY_SERVER);
        }
    }

    /** Request and response of a stream are complete. */
    void completed(int stream) {
        if (streams.remove(stream) != null) {
            closed.add(stream, Cause.BY_CLIENT);
        }
    }

    /** The client was told that it may send more. */
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

    /** Whether the client has ended its side of an open stream. */
    boolean hasEnded(int stream) {
        Stream known = streams.get(stream);
        return known != null && known.ended;
    }

    /** Whether a stream is open, on one side at least. */
    boolean isOpen(int stream) {
        return streams.get(stream) != null;
    }

    /** What the client is at. */
    Phase phase() {
        if (!started) {
            return Phase.START;
        }
        if (block.isOpen() || assembler.isWithinHeaders()) {
            return Phase.HEAD;
        }
        return streams.isEmpty() ? Phase.IDLE : Phase.BUSY;
    }

    /** How many heads have begun: tells one wait from the next. */
    int heads() {
        return block.opened();
    }

    /** What a client is at, by which it may be silent for so long. */
    enum Phase {
        /** Its preface and settings have not come. */
        START,
        /** A field block is not complete. */
        HEAD,
        /** A stream is open. */
        BUSY,
        /** No stream is open. */
        IDLE
    }
}
