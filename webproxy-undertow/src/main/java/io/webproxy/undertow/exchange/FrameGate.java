package io.webproxy.undertow.exchange;

import static io.undertow.protocols.http2.Http2Channel.ERROR_COMPRESSION_ERROR;
import static io.undertow.protocols.http2.Http2Channel.ERROR_ENHANCE_YOUR_CALM;
import static io.undertow.protocols.http2.Http2Channel.ERROR_FLOW_CONTROL_ERROR;
import static io.undertow.protocols.http2.Http2Channel.ERROR_FRAME_SIZE_ERROR;
import static io.undertow.protocols.http2.Http2Channel.ERROR_PROTOCOL_ERROR;
import static io.undertow.protocols.http2.Http2Channel.ERROR_REFUSED_STREAM;
import static io.undertow.protocols.http2.Http2Channel.ERROR_STREAM_CLOSED;

import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackException;
import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.exchange.ClosedStreams.Cause;
import io.webproxy.undertow.exchange.FloodMeter.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a client may send on an HTTP/2 connection: takes its bytes, lets through what is right in its place, ends what breaks the protocol or
 * a limit, by stream or as a whole (RFC 9113 sections 4 to 8), and keeps the rest for itself. It decodes field blocks, so that what comes behind it
 * sees no HPACK, no CONTINUATION, no padding and no trailers, and is asked for nothing that was refused.
 *
 * <p>It is long because it is one state machine: what each frame means depends on the streams and windows that all of them change.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread. It never throws for what a client sends.
 */
final class FrameGate {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    /** :method GET, :scheme https, :path / of the static table: the real ones don't pass through Undertow's decoder. */
    private static final byte[] PLAIN_HEAD = {(byte) 0x82, (byte) 0x87, (byte) 0x84};

    private static final int MAX_WINDOW = Integer.MAX_VALUE;
    private static final int FIRST_WINDOW = 65_535;
    private static final int OWED_AT_MOST = 32 * 1024;
    private static final int MAX_TRAILER_BYTES = 16 * 1024;

    /** What the gate asks of the connection. A connection that closes meanwhile has given the bytes that are being read back. */
    interface Connection {
        /** Tells the client that a stream is reset. */
        void reset(int stream, int code);

        /**
         * The request of a stream is malformed (RFC 9113 section 8.1.1): the client is told so, and the stream is reset.
         *
         * @param head of a request that nothing else is known of; null if it was let through
         */
        void malformed(int stream, @Nullable FieldBlock head);

        /** Lets the client send more: on a stream, or as a whole for stream 0. */
        void openWindow(int stream, int bytes);

        /** The request of a stream ends with trailers, which is let through as its end alone. */
        void trailers(int stream, HeaderMap trailers);

        /** The client says that it will go: its streams are to come to their end (RFC 9113 section 6.8). */
        void leaving();

        /** The client has answered a PING with this payload. */
        void pong(ByteBuffer payload);

        /** Whether bytes of the client are still to be read. */
        boolean isOpen();
    }

    private static final class Stream {
        /** The client has sent the end of its request. */
        private boolean ended;
        /** What is missing of a body whose length was told, else -1. */
        private long missing;

        private long window;
        private int owed;
    }

    private final Connection connection;
    private final Http2Limits limits;
    private final HttpLimits heads;
    private final FloodMeter meter;
    private final int streamWindow;
    private final HpackDecoder decoder = new HpackDecoder();
    private final Map<Integer, Stream> streams = new HashMap<>();
    private final ClosedStreams closed = new ClosedStreams();
    private final FrameAssembler assembler = new FrameAssembler();
    private final BlockAssembler block;

    private int prefaceRead;
    private boolean started;
    private int skip;
    private int newest;
    private long window = FIRST_WINDOW;
    private int owed;
    private ClientSettings settings = ClientSettings.NONE;
    private int error = -1;
    private boolean over;
    private boolean refusing;
    private @Nullable HeaderMap request;

    /**
     * A gate of a new connection.
     *
     * @param streamWindow how many bytes a client was told that it may send on a stream at once
     */
    FrameGate(Connection connection, Http2Limits limits, HttpLimits heads, FloodMeter meter, int streamWindow) {
        this.connection = connection;
        this.limits = limits;
        this.heads = heads;
        this.meter = meter;
        this.streamWindow = streamWindow;
        this.block = new BlockAssembler(Math.max(2 * heads.requestHeadBytes(), 4 * FrameRules.LONGEST));
    }

    /**
     * Takes bytes up to the next frame that is let through.
     *
     * @return the frame, of {@code DATA} the head only, whose payload is what comes next; or null if more bytes are needed, or the connection is over
     */
    @Nullable ByteBuffer next(ByteBuffer data) {
        while (!over) {
            if (prefaceRead < PREFACE.length) {
                if (!readPreface(data)) {
                    break;
                }
            } else if (skip > 0) {
                int skipped = Math.min(skip, data.remaining());
                data.position(data.position() + skipped);
                skip -= skipped;
                if (skip > 0) {
                    return null;
                }
            } else {
                FrameHead head = assembler.head(data);
                if (head == null) {
                    return null;
                }
                int problem = problem(head);
                if (problem >= 0) {
                    fail(problem);
                    break;
                }
                ByteBuffer payload = assembler.payload(data);
                if (payload == null) {
                    return null;
                }
                ByteBuffer frame = frame(head, payload);
                if (frame != null) {
                    return frame;
                }
            }
        }
        if (connection.isOpen()) {
            data.position(data.limit());
        }
        return null;
    }

    private boolean readPreface(ByteBuffer data) {
        while (prefaceRead < PREFACE.length && data.hasRemaining()) {
            if (data.get() != PREFACE[prefaceRead++]) {
                fail(ERROR_PROTOCOL_ERROR);
                return false;
            }
        }
        return prefaceRead == PREFACE.length;
    }

    /** What is wrong with a frame by its head and its place, as an error of the connection, else -1. */
    private int problem(FrameHead head) {
        if (!started && (head.type() != FrameHead.SETTINGS || head.has(FrameHead.ACK))) {
            return ERROR_PROTOCOL_ERROR;
        }
        if (block.isOpen() != (head.type() == FrameHead.CONTINUATION)
                || (block.isOpen() && block.stream() != head.stream())) {
            return ERROR_PROTOCOL_ERROR;
        }
        return FrameRules.problem(head, newest);
    }

    private @Nullable ByteBuffer frame(FrameHead head, ByteBuffer payload) {
        return switch (head.type()) {
            case FrameHead.DATA -> data(head, payload);
            case FrameHead.HEADERS -> headers(head, payload);
            case FrameHead.CONTINUATION -> block.add(payload) ? endOfBlock(head) : fail(ERROR_ENHANCE_YOUR_CALM);
            case FrameHead.SETTINGS -> settings(head, payload);
            case FrameHead.PING -> ping(head, payload);
            case FrameHead.WINDOW_UPDATE -> windowUpdate(head, payload);
            case FrameHead.RST_STREAM -> reset(head, payload);
            case FrameHead.GOAWAY -> leaving();
            default -> priority(head, payload);
        };
    }

    /** Undertow would end all streams at once. */
    private @Nullable ByteBuffer leaving() {
        if (meter.exceeds(Kind.PRIORITY)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        connection.leaving();
        return null;
    }

    private @Nullable ByteBuffer ping(FrameHead head, ByteBuffer payload) {
        if (meter.exceeds(Kind.PING)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        if (head.has(FrameHead.ACK)) {
            connection.pong(payload);
            checkOpen();
            return null;
        }
        return head.frame().put(payload).flip();
    }

    private @Nullable ByteBuffer settings(FrameHead head, ByteBuffer payload) {
        if (meter.exceeds(Kind.SETTINGS)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        if (head.has(FrameHead.ACK)) {
            return null;
        }
        ClientSettings changed = ClientSettings.of(payload);
        if (changed.error() >= 0) {
            return fail(changed.error());
        }
        settings = changed.after(settings);
        ByteBuffer frame = changed.frame();
        if (started) {
            return frame;
        }
        started = true;
        return ByteBuffer.allocate(PREFACE.length + frame.remaining())
                .put(PREFACE)
                .put(frame)
                .flip();
    }

    private @Nullable ByteBuffer windowUpdate(FrameHead head, ByteBuffer payload) {
        if (meter.exceeds(Kind.WINDOW_UPDATE)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        boolean nothing = (payload.getInt(payload.position()) & MAX_WINDOW) == 0;
        if (head.stream() == 0) {
            return nothing
                    ? fail(ERROR_PROTOCOL_ERROR)
                    : head.frame().put(payload).flip();
        }
        if (!streams.containsKey(head.stream())) {
            return null;
        }
        return nothing
                ? resetStream(head.stream(), ERROR_PROTOCOL_ERROR)
                : head.frame().put(payload).flip();
    }

    private @Nullable ByteBuffer reset(FrameHead head, ByteBuffer payload) {
        if (meter.exceeds(Kind.RESET)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        if (streams.remove(head.stream()) == null) {
            closed.finished(head.stream());
            return null;
        }
        closed.add(head.stream(), Cause.BY_CLIENT);
        return head.frame().put(payload).flip();
    }

    /** Priorities are not followed (RFC 9113 section 5.3.2), and frames of unknown types mean nothing. */
    private @Nullable ByteBuffer priority(FrameHead head, ByteBuffer payload) {
        if (meter.exceeds(Kind.PRIORITY)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        if (head.type() == FrameHead.PRIORITY && closed.of(head.stream()) == Cause.UNKNOWN) {
            if (head.length() != 5) {
                return resetStream(head.stream(), ERROR_FRAME_SIZE_ERROR);
            }
            if ((payload.getInt(payload.position()) & MAX_WINDOW) == head.stream()) {
                return resetStream(head.stream(), ERROR_PROTOCOL_ERROR);
            }
        }
        return null;
    }

    private @Nullable ByteBuffer data(FrameHead head, ByteBuffer padding) {
        int pad = head.has(FrameHead.PADDED) ? padding.get() & 0xff : 0;
        int around = head.has(FrameHead.PADDED) ? pad + 1 : 0;
        int content = head.length() - around;
        if (content < 0) {
            return fail(ERROR_PROTOCOL_ERROR);
        }
        window -= head.length();
        if (window < 0) {
            return fail(ERROR_FLOW_CONTROL_ERROR);
        }
        Stream stream = streams.get(head.stream());
        if (stream == null) {
            return dataOfClosed(head, pad + content);
        }
        boolean end = head.has(FrameHead.END_STREAM);
        int problem = problem(stream, head, content, end);
        if (problem >= 0) {
            stream.ended |= end;
            skip = pad + content;
            owe(head.length());
            return problem == ERROR_PROTOCOL_ERROR
                    ? malformed(head.stream(), null)
                    : resetStream(head.stream(), problem);
        }
        if (content == 0 && !end && meter.exceeds(Kind.EMPTY_DATA)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        skip = pad;
        if (around > 0) {
            owe(around);
            owe(head.stream(), stream, around);
        }
        if (content == 0 && !end) {
            return null;
        }
        stream.ended = end;
        return new FrameHead(content, FrameHead.DATA, end ? FrameHead.END_STREAM : 0, head.stream())
                .frame()
                .limit(FrameHead.BYTES)
                .flip();
    }

    private int problem(Stream stream, FrameHead head, int content, boolean end) {
        if (stream.ended) {
            return ERROR_STREAM_CLOSED;
        }
        stream.window -= head.length();
        if (stream.window < 0) {
            return ERROR_FLOW_CONTROL_ERROR;
        }
        if (stream.missing >= 0) {
            // RFC 9113 section 8.1.1
            stream.missing -= content;
            if (stream.missing < 0 || (end && stream.missing > 0)) {
                return ERROR_PROTOCOL_ERROR;
            }
        }
        return -1;
    }

    /** It has used the connection's window all the same (RFC 9113 section 5.1). */
    private @Nullable ByteBuffer dataOfClosed(FrameHead head, int payload) {
        if (closed.of(head.stream()) != Cause.RESET_BY_SERVER) {
            return fail(ERROR_STREAM_CLOSED);
        }
        if (head.has(FrameHead.END_STREAM)) {
            closed.finished(head.stream());
        }
        if (head.length() == 0 && meter.exceeds(Kind.EMPTY_DATA)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        skip = payload;
        owe(head.length());
        return null;
    }

    private void owe(int bytes) {
        owed += bytes;
        if (owed >= OWED_AT_MOST) {
            int opened = owed;
            owed = 0;
            connection.openWindow(0, opened);
            checkOpen();
        }
    }

    private void owe(int id, Stream stream, int bytes) {
        stream.owed += bytes;
        if (stream.owed >= OWED_AT_MOST && !stream.ended) {
            int opened = stream.owed;
            stream.owed = 0;
            connection.openWindow(id, opened);
            checkOpen();
        }
    }

    private @Nullable ByteBuffer headers(FrameHead head, ByteBuffer payload) {
        int pad = 0;
        if (head.has(FrameHead.PADDED)) {
            if (!payload.hasRemaining()) {
                return fail(ERROR_FRAME_SIZE_ERROR);
            }
            pad = payload.get() & 0xff;
        }
        boolean onItself = false;
        if (head.has(FrameHead.WITH_PRIORITY)) {
            if (payload.remaining() < 5) {
                return fail(ERROR_FRAME_SIZE_ERROR);
            }
            onItself = (payload.getInt() & MAX_WINDOW) == head.stream();
            payload.get();
        }
        if (pad > payload.remaining()) {
            return fail(ERROR_PROTOCOL_ERROR);
        }
        payload.limit(payload.limit() - pad);
        block.open(head, onItself);
        return block.add(payload) ? endOfBlock(head) : fail(ERROR_ENHANCE_YOUR_CALM);
    }

    private @Nullable ByteBuffer endOfBlock(FrameHead last) {
        if (!last.has(FrameHead.END_HEADERS)) {
            block.keep();
            return null;
        }
        FrameHead head = block.head();
        Stream stream = streams.get(head.stream());
        FieldBlock fields = new FieldBlock(
                stream == null ? heads.requestHeadBytes() : Math.min(MAX_TRAILER_BYTES, heads.requestHeadBytes()),
                heads.fields());
        ByteBuffer bytes = block.close();
        try {
            // for streams that are refused or closed too: the decoder's state is the connection's
            HeaderDecoding.decode(decoder, bytes, fields);
        } catch (HpackException | RuntimeException e) {
            return fail(ERROR_COMPRESSION_ERROR);
        }
        if (bytes.hasRemaining()) {
            return fail(ERROR_COMPRESSION_ERROR);
        }
        if (fields.isBomb()) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        if (head.stream() > newest) {
            return newStream(head, fields);
        }
        if (stream == null) {
            return switch (closed.of(head.stream())) {
                case RESET_BY_SERVER -> null;
                case BY_CLIENT -> fail(ERROR_STREAM_CLOSED);
                case UNKNOWN -> fail(ERROR_PROTOCOL_ERROR);
            };
        }
        return trailers(head, stream, fields);
    }

    private @Nullable ByteBuffer newStream(FrameHead head, FieldBlock fields) {
        newest = head.stream();
        Stream stream = new Stream();
        stream.ended = head.has(FrameHead.END_STREAM);
        if (refusing || streams.size() >= limits.streams()) {
            // RFC 9113 section 5.1.2
            closed.add(newest, stream.ended ? Cause.BY_CLIENT : Cause.RESET_BY_SERVER);
            if (meter.exceeds(Kind.REFUSAL)) {
                return fail(ERROR_ENHANCE_YOUR_CALM);
            }
            connection.reset(newest, ERROR_REFUSED_STREAM);
            checkOpen();
            return null;
        }
        streams.put(newest, stream);
        HeaderMap fieldsOfRequest = fields.request();
        stream.missing = fieldsOfRequest == null ? -1 : fields.contentLength();
        if (fieldsOfRequest == null || block.isOnItself() || (stream.ended && stream.missing > 0)) {
            return malformed(newest, fields);
        }
        stream.window = streamWindow;
        request = fieldsOfRequest;
        return new FrameHead(
                        PLAIN_HEAD.length,
                        FrameHead.HEADERS,
                        FrameHead.END_HEADERS | (stream.ended ? FrameHead.END_STREAM : 0),
                        newest)
                .frame()
                .put(PLAIN_HEAD)
                .flip();
    }

    private @Nullable ByteBuffer trailers(FrameHead head, Stream stream, FieldBlock fields) {
        if (stream.ended) {
            return resetStream(head.stream(), ERROR_STREAM_CLOSED);
        }
        HeaderMap trailers = fields.trailers();
        stream.ended = head.has(FrameHead.END_STREAM);
        if (trailers == null || !stream.ended || stream.missing > 0) {
            return malformed(head.stream(), null);
        }
        connection.trailers(head.stream(), trailers);
        return new FrameHead(0, FrameHead.DATA, FrameHead.END_STREAM, head.stream())
                .frame()
                .flip();
    }

    /** An error of one stream, whether it is open or not. */
    private @Nullable ByteBuffer resetStream(int stream, int code) {
        if (meter.exceeds(Kind.RESET)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        wasReset(stream);
        connection.reset(stream, code);
        checkOpen();
        return null;
    }

    private @Nullable ByteBuffer malformed(int stream, @Nullable FieldBlock head) {
        if (meter.exceeds(Kind.RESET)) {
            return fail(ERROR_ENHANCE_YOUR_CALM);
        }
        wasReset(stream);
        connection.malformed(stream, head);
        checkOpen();
        return null;
    }

    private void checkOpen() {
        over |= !connection.isOpen();
    }

    private @Nullable ByteBuffer fail(int code) {
        over = true;
        error = code;
        return null;
    }

    /** What the connection is to be ended for, once; -1 if for nothing. */
    int takeError() {
        int taken = error;
        error = -1;
        return taken;
    }

    /** The connection is ending: nothing is let through any more. */
    void end() {
        over = true;
    }

    /** What the client has set so far. */
    ClientSettings settings() {
        return settings;
    }

    /** Streams that come from now on are refused; returns the last one that isn't. */
    int refuse() {
        refusing = true;
        return newest;
    }

    /** The fields of the request head that was let through last. */
    HeaderMap takeRequest() {
        HeaderMap taken = request;
        request = null;
        if (taken == null) {
            throw new IllegalStateException("no request");
        }
        return taken;
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
        return streams.containsKey(stream);
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
