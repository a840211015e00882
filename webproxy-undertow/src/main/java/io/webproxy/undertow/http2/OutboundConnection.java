package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.BodyRoom;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.http2.OutboundStream.Failure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;

/**
 * An HTTP/2 connection to an upstream, in the client's role (RFC 9113). Each request is a stream; a stream that the
 * upstream, or the client whose request it is, doesn't care for holds no other up.
 *
 * <p>Not thread-safe: it belongs to its IO thread.
 */
public final class OutboundConnection extends Http2Link<OutboundStream> {
    private static final Logger LOG = LoggerFactory.getLogger(OutboundConnection.class);

    /**
     * What an upstream may send on a stream at first, in bytes; a client that doesn't read leaves that much in memory.
     */
    static final int STREAM_WINDOW = 65_536;
    /** The least where memory is short. */
    private static final int SMALL_WINDOW = 8192;
    /** So many clients that don't read should fit. */
    private static final int SLOW_CLIENTS = 1000;
    /** What it may send on all together before any of it has come: only the windows of streams bound what waits. */
    private static final int CONNECTION_WINDOW = LARGEST_WINDOW;

    /** What floods: an upstream sends for many clients at once, and is known. */
    private static final Http2Limits FLOODS = Http2Limits.defaults()
            .withResets(1000)
            .withPings(2000)
            .withEmptyData(5000)
            .withWindowUpdates(10_000);

    /** So often streams may be reset over time, in nanoseconds from one to the next. */
    private static final long RESET_NANOS = TimeUnit.MILLISECONDS.toNanos(30);
    /** What may be saved up of these: 500 resets. */
    private static final long RESETS_NANOS = 500 * RESET_NANOS;

    private static final int SETTINGS_ENABLE_PUSH = 2;
    /** What the first line of an HTTP/1.1 response begins with; as the head of a frame, it is one that is too long. */
    private static final byte[] HTTP_1 = "HTTP/1.".getBytes(StandardCharsets.US_ASCII);

    private static final long PING = 0x7765_6270_616c_6976L;

    /** What the pool hears of a connection, on its IO thread. */
    public interface Owner {
        /** The upstream's first settings have come. */
        void settled();

        /** {@link #room} may have changed: a stream has ended, or the upstream's limit is another. */
        void roomChanged();

        /** There is no room from now on; the streams under way go on. Comes at most once. */
        void leaving();

        /** The socket is closed; every stream has been told before. */
        void closed();
    }

    private final SocketReads reads;
    private final Owner owner;
    private final HttpLimits heads;
    private final ResponseReader reader;
    private final OutboundWait wait;
    private final RequestBlock block = new RequestBlock();
    private final int mostStreams;
    private final int streamWindow;
    /** What the windows of all streams have beyond their first size. */
    private long grown;

    private int peerStreams = Integer.MAX_VALUE;
    private boolean extendedConnect;
    /** Something has come. */
    private boolean begun;

    private boolean http11;
    /** The number of the next stream. */
    int next = 1;
    /** Streams that were opened and have sent nothing yet. */
    private int reserved;

    private int owed;
    /** A frame of a stream has come since the last PONG: servers of gRPC count the pings that they get without. */
    private boolean heard = true;

    /** The time by which the resets so far are paid for. */
    private long resetsPaid;

    private boolean leaving;
    private boolean roomTold;
    private Failure failure = Failure.CLOSED;
    private String reason = "the upstream closed the connection";

    /**
     * A connection over a socket that is connected, and over which nothing was sent.
     *
     * @param reads what stands on the socket
     * @param heads what a response head may be at most
     * @param mostStreams how many streams may be open at once, whatever the upstream allows
     */
    public OutboundConnection(
            StreamConnection socket,
            SocketReads reads,
            ByteBufferPool buffers,
            Exchanges exchanges,
            HttpLimits heads,
            int mostStreams,
            Owner owner) {
        super(
                socket,
                reads.readableAfterFailure(socket.getSinkChannel().getConduit()),
                buffers,
                exchanges,
                FLOODS,
                streamWindow(exchanges.bodies(), buffers));
        this.streamWindow = streamWindow(exchanges.bodies(), buffers);
        this.reads = reads;
        this.owner = owner;
        this.heads = heads;
        this.mostStreams = mostStreams;
        this.reader = new ResponseReader(new Responses(), heads, meter);
        this.resetsPaid = sweeper.now();
        this.wait = new OutboundWait(this, reader, heads.headTime().toNanos(), sweeper.now());
    }

    /**
     * Half of what a stream may have in memory, in whole buffers: one more may be begun than what waits fills, unless
     * that is one.
     */
    private static int streamWindow(BodyRoom room, ByteBufferPool buffers) {
        int buffer = buffers.getBufferSize();
        long half = room.share(SLOW_CLIENTS) / 2;
        return (int) Math.max(SMALL_WINDOW, Math.min(STREAM_WINDOW, half - half % buffer));
    }

    /** Sends preface and settings, and starts to read. */
    public void start() {
        socket.setCloseListener(over -> closed());
        sweeper.watch(wait);
        output.preface();
        output.settings(
                SETTINGS_ENABLE_PUSH,
                0,
                SETTINGS_INITIAL_WINDOW_SIZE,
                streamWindow,
                SETTINGS_MAX_HEADER_LIST_SIZE,
                headerListSize(heads.responseHeadBytes(), heads.fields()));
        openWindow(0, CONNECTION_WINDOW - DEFAULT_WINDOW);
        turns.start(null);
    }

    /** How many streams may be opened now. */
    public int room() {
        return leaving || closed ? 0 : Math.max(0, Math.min(mostStreams, peerStreams) - streams.size() - reserved);
    }

    /** Whether the upstream takes extended CONNECT (RFC 8441); only known when its settings have come. */
    public boolean isExtendedConnect() {
        return extendedConnect;
    }

    /** Whether the upstream has answered the preface as a server of HTTP/1.1 does. */
    public boolean isHttp11() {
        return http11;
    }

    /** Whether the upstream has sent what isn't HTTP/2. */
    public boolean isInvalid() {
        return http11 || failure == Failure.INVALID;
    }

    /** How many streams are open. */
    public int streams() {
        return streams.size() + reserved;
    }

    /** Whether the socket is open. */
    public boolean isOpen() {
        return !closed && socket.isOpen();
    }

    /** Opens a stream, which takes a place from now on; it is to be sent, or reset. */
    public OutboundStream open(OutboundStream.Listener listener) {
        reserved++;
        return new OutboundStream(this, listener, streamWindow);
    }

    /**
     * Reads what has come, to see whether the upstream has gone.
     *
     * @return whether streams can be opened
     */
    public boolean probe() {
        reads.look();
        turns.look();
        return isOpen() && !leaving;
    }

    /** Takes it out of service: there is no room any more, and it ends with its last stream. Idempotent. */
    public void leave() {
        leaving = true;
        endIfIdle();
    }

    /** Closes it; streams under way fail. Idempotent. */
    public void close() {
        leaving = true;
        closeNow();
    }

    // --- the way out ---

    /** A piece of a request body has gone out. */
    void sent() {
        meter.asked();
    }

    void send(OutboundStream stream, Consumer<RequestBlock> head, boolean end) {
        block.clear();
        head.accept(block);
        int id = next;
        RequestSink sink = new RequestSink(this, stream, initialSendWindow, block.contentLength(), end);
        boolean wanted = stream.takePlace();
        if (wanted) {
            reserved--;
        }
        if (!wanted || leaving || closed) {
            stream.sent(0, sink, Long.MAX_VALUE);
            sink.breakOff();
            later(() -> stream.fail(Failure.REFUSED, reason));
            endIfIdle();
            return;
        }
        if (streams.isEmpty()) {
            wait.heard(sweeper.now());
        }
        next += 2;
        reader.opened(id, block.isHead(), block.isTunnel(), streamWindow);
        streams.put(id, stream);
        meter.asked();
        stream.sent(id, sink, Long.MAX_VALUE);
        try {
            block.encode(encoder);
            sender().block(id, end);
        } catch (Throwable e) {
            // the tables of HPACK may differ by now
            closeNow();
            throw e;
        }
        stream.sent(id, sink, output.written() + output.waiting());
        if (next < 0) {
            // RFC 9113 section 5.1.1
            takeOut();
        }
    }

    /** Ends a stream, and tells the upstream if it doesn't know. */
    void reset(OutboundStream stream, int code) {
        if (stream.takePlace()) {
            reserved--;
        } else if (isOpen(stream)) {
            reader.wasReset(stream.id());
            sendReset(stream.id(), code);
            countReset();
        }
        over(stream);
    }

    /**
     * Upstreams take many resets for an attack (CVE-2023-44487), and end the connection with all that is on it: so a
     * client that leaves again and again moves to another one before others are harmed.
     */
    private void countReset() {
        long now = sweeper.now();
        resetsPaid = Math.max(now, resetsPaid) + RESET_NANOS;
        if (resetsPaid - now > RESETS_NANOS) {
            takeOut();
        }
    }

    /** A stream of this side needn't be known any more. */
    private void over(OutboundStream stream) {
        streams.remove(stream.id());
        roomChanged();
        endIfIdle();
    }

    private void roomChanged() {
        if (!roomTold && !closed) {
            roomTold = true;
            later(() -> {
                roomTold = false;
                if (!leaving) {
                    owner.roomChanged();
                }
            });
        }
    }

    /** Request and response are complete, if they are. */
    void completed(OutboundStream stream) {
        if (stream.source().isEnded() && stream.sink().isEnded() && isOpen(stream)) {
            reader.completed(stream.id());
            over(stream);
        }
    }

    /** All of a response was read: what is left of the request is for nothing (RFC 9113 section 8.1). */
    void responseRead(OutboundStream stream) {
        if (!stream.sink().isEnded()) {
            reset(stream, ErrorCode.NO_ERROR);
            stream.sink().breakOff();
        }
    }

    // --- the way in ---

    @Override
    ResponseReader reader() {
        return reader;
    }

    @Override
    void settled() {
        owner.settled();
    }

    @Override
    void read(ByteBuffer bytes) {
        wait.heard(sweeper.now());
        if (!begun) {
            begun = true;
            http11 = startsWith(bytes, HTTP_1);
        }
    }

    private static boolean startsWith(ByteBuffer bytes, byte[] text) {
        for (int i = 0; i < text.length; i++) {
            if (i >= bytes.remaining() || bytes.get(bytes.position() + i) != text[i]) {
                return false;
            }
        }
        return true;
    }

    OutboundWait waiting() {
        return wait;
    }

    /** Whether a frame of a stream has come since the last PONG. */
    boolean isHeard() {
        return heard;
    }

    void ping() {
        output.frame(FrameHead.PING, 0, 0, PING);
        turns.touch();
    }

    /** Bytes of a stream were read by whoever wants them. */
    void consumed(OutboundStream stream, int bytes) {
        if (bytes == 0) {
            return;
        }
        stream.count();
        if (!stream.source().isEnded() && isOpen(stream)) {
            int due = stream.due(
                    bodies().isAmple() ? growth.growth() : 0, Math.min(LARGEST_WINDOW - grown, bodies().growth()));
            if (due > 0) {
                openWindow(stream.id(), due);
            }
            if (heard) {
                measure(bytes);
            }
        }
        stream.bytesRead(bytes);
    }

    /** The window of a stream has so many bytes beyond its first size, more than before, or less. */
    void grown(long more) {
        grown += more;
        bodies().grown(more);
    }

    /** There is no memory for what a stream brings: its client takes less than the upstream sends. */
    void overflowed(OutboundStream stream) {
        fail(stream, ErrorCode.CANCEL, Failure.CLOSED, "there is no memory for the response body");
    }

    /** Ends a stream because of the upstream, or of what it has sent. */
    void fail(OutboundStream stream, int code, Failure why, String detail) {
        if (isOpen(stream)) {
            reader.wasReset(stream.id());
            sendReset(stream.id(), code);
        }
        fail(stream, why, detail);
    }

    private void fail(OutboundStream stream, Failure why, String detail) {
        over(stream);
        stream.fail(why, detail);
    }

    /** What the reader finds. */
    private final class Responses extends Frames implements ResponseReader.Handler {
        @Override
        public void settings(PeerSettings changed) {
            if (changed.streams() >= 0) {
                peerStreams = changed.streams();
                roomChanged();
            }
            if (changed.connectProtocol() >= 0) {
                extendedConnect = changed.connectProtocol() == 1;
            }
            super.settings(changed);
        }

        @Override
        public void interim(int id, int status, HeaderMap fields) {
            heard = true;
            OutboundStream stream = streams.get(id);
            if (stream != null) {
                guarded(stream, () -> stream.interim(status, fields));
            }
        }

        @Override
        public void response(int id, int status, HeaderMap fields, boolean end) {
            heard = true;
            OutboundStream stream = streams.get(id);
            if (stream != null) {
                guarded(stream, () -> stream.head(status, fields, end));
                completed(stream);
            }
        }

        @Override
        public void data(int id, ByteBuffer bytes, boolean end) {
            heard = true;
            int length = bytes.remaining();
            owed += length;
            if (owed >= CONNECTION_WINDOW / 4) {
                Http2Link<?> link = OutboundConnection.this;
                link.openWindow(0, owed);
                owed = 0;
            }
            OutboundStream stream = streams.get(id);
            if (stream != null) {
                stream.received(length);
                stream.source().received(bytes, end);
                completed(stream);
            }
        }

        @Override
        public void trailers(int id, HeaderMap trailers) {
            heard = true;
            OutboundStream stream = streams.get(id);
            if (stream != null) {
                stream.trailers(trailers);
                completed(stream);
            }
        }

        @Override
        public void resetByPeer(int id, int code) {
            OutboundStream stream = streams.get(id);
            if (stream != null) {
                stream.resetBy(code);
                boolean refused = code == ErrorCode.REFUSED_STREAM && !stream.isResponded();
                fail(
                        stream,
                        refused ? Failure.REFUSED : Failure.RESET,
                        "the upstream reset the stream: " + ErrorCode.name(code));
            }
        }

        @Override
        public void reset(int id, int code) {
            sendReset(id, code);
            invalid(id, Failure.INVALID, "the upstream broke the rules of a stream: " + ErrorCode.name(code));
        }

        @Override
        public void malformed(int id, String why) {
            sendReset(id, ErrorCode.PROTOCOL_ERROR);
            invalid(id, Failure.INVALID, why);
        }

        @Override
        public void tooLarge(int id, String limit) {
            sendReset(id, ErrorCode.CANCEL);
            invalid(id, Failure.HEAD_TOO_LARGE, limit);
        }

        private void invalid(int id, Failure why, String detail) {
            OutboundStream stream = streams.get(id);
            if (stream != null) {
                fail(stream, why, detail);
            }
        }

        @Override
        public void leaving(int last, int code) {
            LOG.debug("An upstream leaves an HTTP/2 connection with code {}, after stream {}", code, last);
            reason = "the upstream left the connection: " + ErrorCode.name(code);
            takeOut();
            for (OutboundStream stream : streams.all()) {
                if (stream.id() > last) {
                    reader.wasReset(stream.id());
                    // one that has answered, if only that it works on it, has not refused, whatever it says now
                    fail(stream, stream.isResponded() ? Failure.RESET : Failure.REFUSED, reason);
                }
            }
            endIfIdle();
        }

        @Override
        public void pong(long payload) {
            super.pong(payload);
            heard = false;
        }

        private void guarded(OutboundStream stream, Runnable step) {
            Guard.run("a response over HTTP/2", step, stream::failed);
        }
    }

    // --- ends ---

    /** There is no room any more, and the owner doesn't know. */
    private void takeOut() {
        if (!leaving) {
            leaving = true;
            Guard.run("the leave of an HTTP/2 connection", owner::leaving);
        }
    }

    private void endIfIdle() {
        if (leaving && !ending && streams.isEmpty() && reserved == 0) {
            goAway(ErrorCode.NO_ERROR);
        }
    }

    boolean isEnding() {
        return ending;
    }

    /** Ends it at once for something that the upstream has not done in time. */
    void tooSlow(Failure why, String detail) {
        if (!ending) {
            failure = why;
            reason = detail;
            end(ErrorCode.NO_ERROR);
        }
    }

    @Override
    void goAway(int code) {
        if (!ending) {
            if (code != ErrorCode.NO_ERROR) {
                failure = Failure.INVALID;
                reason = "the upstream broke the rules of HTTP/2: " + ErrorCode.name(code);
            }
            end(code);
        }
    }

    private void end(int code) {
        ending = true;
        LOG.debug("An HTTP/2 connection to an upstream ends with code {}: {}", code, reason);
        takeOut();
        reader.end();
        sendGoAway(0, code);
        turns.stopReading();
        boolean waits = false;
        for (OutboundStream stream : streams.all()) {
            waits |= !stream.isTaken(output.written());
        }
        if (waits) {
            // its request may be sent to another upstream: this one must not get it any more
            sender().stop();
        }
        streams.all().forEach(this::lost);
        if (sender().isStopped()) {
            closeNow();
        }
    }

    /** Also called again for one that knows. */
    @Override
    void lost(OutboundStream stream) {
        streams.remove(stream.id());
        boolean taken = stream.isTaken(output.written()) || stream.isResponded();
        stream.fail(taken ? failure : Failure.REFUSED, reason);
    }

    @Override
    void finish() {
        closeNow();
    }

    /**
     * What the upstream has said before it went is heard: answers that are complete, and which requests it has done
     * nothing for.
     */
    @Override
    void broken() {
        if (ending) {
            closeNow();
            return;
        }
        sender().stop();
        takeOut();
        reads.look();
        turns.readLast();
    }

    @Override
    void ended() {
        sweeper.forget(wait);
        takeOut();
        Guard.run("the end of an HTTP/2 connection", owner::closed);
    }
}
