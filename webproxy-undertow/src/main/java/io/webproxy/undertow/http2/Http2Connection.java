package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.AbstractAttachable;
import io.undertow.util.HeaderMap;
import io.undertow.util.Protocols;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.BodyRoom;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.LingeringClose;
import io.webproxy.undertow.exchange.Origin;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.channels.SslChannel;

/**
 * An HTTP/2 connection of a client (RFC 9113): reads frames, keeps the streams and the windows of both directions, and sends what all streams have made of a turn at once.
 *
 * <p>It is long because it is where all parts meet: what the reader finds, what streams want, what the socket takes, and the ways to an end.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
public final class Http2Connection {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Connection.class);
    /** What a connection starts with, and the least that it can be given. */
    public static final int DEFAULT_WINDOW = 65_535;

    private static final int LARGEST_WINDOW = 16 << 20;
    private static final int BAD_REQUEST = 400;
    private static final int SERVICE_UNAVAILABLE = 503;

    private static final int SETTINGS_MAX_CONCURRENT_STREAMS = 3;
    private static final int SETTINGS_INITIAL_WINDOW_SIZE = 4;
    private static final int SETTINGS_MAX_HEADER_LIST_SIZE = 6;
    private static final int SETTINGS_ENABLE_CONNECT_PROTOCOL = 8;
    /** What RFC 9113 section 6.5.2 counts for a field beside its name and value. */
    private static final int FIELD_OVERHEAD = 32;
    /** What the limit of heads counts for it. */
    private static final int SEPARATORS = 4;

    private final StreamConnection socket;
    private final Origin origin;
    private final ByteBufferPool buffers;
    private final HttpHandler root;
    private final Exchanges exchanges;
    private final Sweeper sweeper;
    private final HttpLimits heads;
    private final Http2Limits limits;
    private final FloodMeter meter;
    private final FrameReader reader;
    private final FrameOutput output;
    private final Turns turns;
    private final Http2Sender sender;
    private final Http2Wait wait;
    private final Http2Leave leave = new Http2Leave(new Leaving());
    private final StreamTable<Http2Stream> streams = new StreamTable<>();
    private final AbstractAttachable attachments = new AbstractAttachable() {};
    private final List<Runnable> onClose = new ArrayList<>(0);
    private final int window;
    private final UploadWindow uploads;
    private int grown;
    private int owed;
    private long initialSendWindow = DEFAULT_WINDOW;
    private boolean settled;
    /** The code of the GOAWAY that was sent last of all, or -1. */
    private int endCode = -1;

    private boolean ending;
    private boolean finished;
    private boolean closed;

    /**
     * A connection whose client is about to send its preface.
     *
     * @param origin where it comes from
     * @param root handles its requests
     * @param window how much a client may send before it must wait, in bytes: on each stream, and on all together; both grow with fast uploads
     */
    public Http2Connection(
            StreamConnection socket,
            Origin origin,
            ByteBufferPool buffers,
            HttpHandler root,
            int window,
            HttpLimits heads,
            Http2Limits limits,
            Exchanges exchanges) {
        this.socket = socket;
        this.origin = origin;
        this.buffers = buffers;
        this.root = root;
        this.window = window;
        this.heads = heads;
        this.limits = limits;
        this.exchanges = exchanges;
        this.sweeper = exchanges.sweeper(socket.getIoThread());
        this.meter = new FloodMeter(limits, sweeper::now);
        this.reader = new FrameReader(new Frames(), limits, heads, meter, window);
        this.output = new FrameOutput(socket.getSinkChannel().getConduit(), buffers);
        this.uploads = new UploadWindow(window, LARGEST_WINDOW, sweeper.now());
        this.wait = new Http2Wait(this, reader, heads, sweeper.now());
        this.turns = new Turns(socket, new TurnSteps());
        this.sender = new Http2Sender(output, turns, meter, new SenderEnd());
    }

    /**
     * Starts to read.
     *
     * @param prefaceRead how many bytes of the client's preface were read by somebody else
     * @param read what was read after these, or null
     */
    public void start(int prefaceRead, @Nullable PooledByteBuffer read) {
        reader.prefaceRead(prefaceRead);
        socket.setCloseListener(over -> closed());
        sweeper.watch(wait);
        output.settings(
                SETTINGS_MAX_CONCURRENT_STREAMS,
                limits.streams(),
                SETTINGS_INITIAL_WINDOW_SIZE,
                window,
                SETTINGS_MAX_HEADER_LIST_SIZE,
                heads.requestHeadBytes() + heads.fields() * (FIELD_OVERHEAD - SEPARATORS),
                SETTINGS_ENABLE_CONNECT_PROTOCOL,
                1);
        turns.start(read);
    }

    /** The endpoint goes away: what is in flight ends by itself, what comes late is refused, and then the connection ends. */
    public void leave() {
        if (!ending) {
            leave.start(sweeper.now());
        }
    }

    // --- what its parts ask ---

    Origin origin() {
        return origin;
    }

    StreamConnection socket() {
        return socket;
    }

    ByteBufferPool buffers() {
        return buffers;
    }

    BodyRoom bodies() {
        return exchanges.bodies();
    }

    Sweeper sweeper() {
        return sweeper;
    }

    Http2Sender sender() {
        return sender;
    }

    AbstractAttachable attachments() {
        return attachments;
    }

    @Nullable SSLSession sslSession() {
        return socket instanceof SslChannel tls ? tls.getSslSession() : null;
    }

    void onClose(Runnable listener) {
        onClose.add(listener);
    }

    boolean isOpen() {
        return socket.isOpen();
    }

    /** Whether neither side has reset a stream or completed it. */
    boolean isOpen(Http2Stream stream) {
        return !closed && reader.isOpen(stream.id());
    }

    boolean isLeaving() {
        return leave.isStarted();
    }

    /** Whether its end was said to the client. */
    boolean isEnding() {
        return ending;
    }

    /** A sweep comes by. */
    void look(long now) {
        if (!ending) {
            leave.look(now);
        }
    }

    /** Runs a task in this turn on the thread, or in the next. */
    void later(Runnable task) {
        turns.later(task);
    }

    // --- the way in ---

    /** Bytes of a stream were read. */
    void consumed(Http2Stream stream, int bytes) {
        if (bytes == 0) {
            return;
        }
        unread(bytes);
        if (!stream.source().isEnded() && isOpen(stream)) {
            int due = stream.owe(bytes, window / 4);
            if (due > 0) {
                openWindow(stream.id(), due + stream.growBy(uploads.growth()));
            }
        }
        if (!ending && uploads.read(bytes, sweeper.now())) {
            output.frame(FrameHead.PING, 0, 0, UploadWindow.payload());
            turns.touch();
        }
    }

    /** Bytes of a stream that nobody has read, and nobody will: they have used the connection's window. */
    void unread(int bytes) {
        owed += bytes;
        if (owed >= window / 4) {
            int due = owed + uploads.growth() - grown;
            grown = uploads.growth();
            owed = 0;
            openWindow(0, due);
        }
    }

    private void openWindow(int stream, int bytes) {
        if (!ending) {
            reader.windowOpened(stream, bytes);
            output.frame(FrameHead.WINDOW_UPDATE, 0, stream, bytes);
            turns.touch();
        }
    }

    private void request(int id, FieldBlock head, HeaderMap fields, boolean end) {
        Http2Stream stream = new Http2Stream(this, id, head, initialSendWindow);
        streams.put(id, stream);
        HttpServerExchange http = new HttpServerExchange(stream, fields, new HeaderMap(), -1);
        stream.carries(http);
        http.setProtocol(Protocols.HTTP_2_0);
        http.setRequestScheme(sslSession() == null ? "http" : "https");
        RequestLines.set(http, head);
        if (end) {
            stream.source().end();
        } else if (stream.isTunnelRequest()) {
            Connectors.terminateRequest(http);
        }
        Connectors.executeRootHandler(root, http);
        if (stream.client() == null && isOpen(stream)) {
            // no handler has seen it
            reset(stream, ErrorCode.INTERNAL_ERROR);
        }
        turns.started();
    }

    /** What the reader finds. */
    private final class Frames implements FrameReader.Handler {
        @Override
        public void settings(ClientSettings changed) {
            if (!settled) {
                // only now: the settings of this side have to be first, and the client's first frame is a sign that it
                // reads
                settled = true;
                if (window > DEFAULT_WINDOW) {
                    openWindow(0, window - DEFAULT_WINDOW);
                }
            }
            if (changed.table() >= 0) {
                sender.tableLimit(changed.leastTable());
                sender.tableLimit(changed.table());
            }
            if (changed.window() >= 0) {
                long more = changed.window() - initialSendWindow;
                initialSendWindow = changed.window();
                boolean inRange = true;
                for (Http2Stream stream : streams.all()) {
                    inRange &= stream.sink().widen(more);
                }
                if (!inRange) {
                    goAway(ErrorCode.FLOW_CONTROL_ERROR);
                    return;
                }
            }
            output.frame(FrameHead.SETTINGS, FrameHead.ACK, 0);
            turns.touch();
        }

        @Override
        public void request(int id, FieldBlock head, HeaderMap fields, boolean end) {
            Guard.run(
                    "the start of an HTTP/2 request", () -> Http2Connection.this.request(id, head, fields, end), () -> {
                        Http2Stream stream = streams.get(id);
                        if (stream != null) {
                            failed(stream);
                        } else if (reader.isOpen(id)) {
                            reader.wasReset(id);
                            reset(id, ErrorCode.INTERNAL_ERROR);
                        }
                    });
        }

        @Override
        public void data(int id, ByteBuffer bytes, boolean end) {
            Http2Stream stream = streams.get(id);
            if (stream == null) {
                unread(bytes.remaining());
                return;
            }
            stream.source().received(bytes, end);
            if (end && stream.client() != null) {
                stream.client().requestEnds();
            }
        }

        @Override
        public void trailers(int id, HeaderMap trailers) {
            Http2Stream stream = streams.get(id);
            if (stream != null) {
                stream.http().putAttachment(HttpAttachments.REQUEST_TRAILERS, trailers);
                stream.source().end();
                if (stream.client() != null) {
                    stream.client().requestEnds();
                }
            }
        }

        @Override
        public void resetByClient(int id, int code) {
            gone(streams.get(id));
        }

        @Override
        public void reset(int id, int code) {
            output.frame(FrameHead.RST_STREAM, 0, id, code);
            turns.touch();
            gone(streams.get(id));
        }

        @Override
        public void malformed(int id, @Nullable FieldBlock head) {
            Http2Stream stream = streams.get(id);
            Http2ClientStream client = stream == null ? null : stream.client();
            boolean answered =
                    client == null ? head == null : client.exchange().http().isResponseStarted();
            if (client != null) {
                client.exchange().refused(BAD_REQUEST);
            } else if (head != null && exchanges.recorder().isWanted()) {
                exchanges
                        .recorder()
                        .ended(RefusedRequest.record(
                                origin.client().getAddress(), sslSession() == null ? "http" : "https", head));
            }
            if (!answered) {
                sender.refusal(id, BAD_REQUEST);
            }
            reset(id, ErrorCode.PROTOCOL_ERROR);
        }

        @Override
        public void windowUpdate(int id, int bytes) {
            if (id == 0) {
                if (!sender.widen(bytes)) {
                    goAway(ErrorCode.FLOW_CONTROL_ERROR);
                    return;
                }
            } else {
                Http2Stream stream = streams.get(id);
                if (stream != null && !stream.sink().widen(bytes)) {
                    reader.wasReset(id);
                    reset(id, ErrorCode.FLOW_CONTROL_ERROR);
                }
            }
            turns.touch();
        }

        @Override
        public void openWindow(int id, int bytes) {
            Http2Connection.this.openWindow(id, bytes);
        }

        @Override
        public void leaving() {
            leave.clientLeaves();
        }

        @Override
        public void ping(long payload) {
            output.frame(FrameHead.PING, FrameHead.ACK, 0, payload);
            turns.touch();
        }

        @Override
        public void pong(long payload) {
            uploads.pong(payload, exchanges.bodies().isAmple());
            leave.pong(payload, sweeper.now());
        }
    }

    // --- ends ---

    /** Tells the client that a stream is reset, unless it is over already (RFC 9113 section 5.4.2). */
    void reset(Http2Stream stream, int code) {
        if (isOpen(stream)) {
            reader.wasReset(stream.id());
            output.frame(FrameHead.RST_STREAM, 0, stream.id(), code);
            turns.touch();
        }
        over(stream);
    }

    private void over(Http2Stream stream) {
        streams.remove(stream.id());
        stream.source().breakOff();
        stream.sink().breakOff();
    }

    /** The client has reset a stream, or is told that it is reset. */
    private void gone(@Nullable Http2Stream stream) {
        if (stream != null) {
            over(stream);
            Http2ClientStream client = stream.client();
            if (client != null) {
                later(client::gone);
            }
        }
    }

    private void lost(Http2Stream stream) {
        over(stream);
        Http2ClientStream client = stream.client();
        if (client != null) {
            client.gone();
        }
    }

    /** There is no memory for what a stream brings: its upstream takes less than its client sends. */
    void overflowed(Http2Stream stream) {
        Http2ClientStream client = stream.client();
        if (client != null) {
            client.exchange().refused(SERVICE_UNAVAILABLE);
        }
        reset(stream, ErrorCode.ENHANCE_YOUR_CALM);
        gone(stream);
    }

    /** What was to be done for a stream has thrown: it would wait for ever. */
    void failed(Http2Stream stream) {
        reset(stream, ErrorCode.INTERNAL_ERROR);
        lost(stream);
    }

    /** The response of a stream is complete, and its request is too, unless it was for a tunnel that isn't granted: then the client may still be sending. */
    void completed(Http2Stream stream) {
        if (!stream.source().isEnded()) {
            reset(stream, ErrorCode.NO_ERROR);
            return;
        }
        reader.completed(stream.id());
        streams.remove(stream.id());
        stream.source().release();
    }

    /** A tunnel has written its last byte. */
    void tunnelWritten(Http2Stream stream) {
        if (stream.source().isEnded() && stream.sink().isEnded()) {
            completed(stream);
        }
    }

    /** A tunnel is closed. */
    void tunnelClosed(Http2Stream stream) {
        if (stream.source().isEnded() && stream.sink().isEnded()) {
            completed(stream);
        } else {
            reset(stream, ErrorCode.CANCEL);
        }
    }

    /** Says the end of the connection to the client; what it still sends isn't looked at, and it has 2 s to close. */
    void goAway(int code) {
        if (!ending) {
            ending = true;
            endCode = code;
            reader.end();
            LOG.debug("The HTTP/2 connection of {} ends with code {}", origin.client(), code);
            sendGoAway(reader.lastStream(), code);
            turns.stopReading();
            streams.all().forEach(this::gone);
        }
    }

    /** Everything is sent. A close beside bytes that nobody has read is a TCP reset, which can overtake GOAWAY; so only this side ends now. */
    private void finish() {
        if (finished || closed) {
            return;
        }
        finished = true;
        if (endCode == ErrorCode.NO_ERROR) {
            turns.stop();
            StreamConnection lowest = origin.socket();
            new LingeringClose(
                            socket,
                            origin,
                            lowest.getSourceChannel().getConduit(),
                            socket.getSinkChannel().getConduit(),
                            sweeper,
                            () -> {})
                    .start();
            return;
        }
        // who floods on has to wait, with the time to fetch GOAWAY
        try {
            socket.getSinkChannel().shutdownWrites();
            if (!socket.getSinkChannel().flush()) {
                socket.getSinkChannel()
                        .setWriteListener(ChannelListeners.flushingChannelListener(null, (channel, e) -> closeNow()));
                socket.getSinkChannel().resumeWrites();
            }
        } catch (IOException e) {
            closeNow();
        }
    }

    private void sendGoAway(int lastStream, int code) {
        output.frame(FrameHead.GOAWAY, 0, 0, (long) lastStream << 32 | code);
        turns.touch();
    }

    /** Closes without waiting for the client. */
    void closeNow() {
        IoUtils.safeClose(socket);
    }

    private void closed() {
        if (!closed) {
            closed = true;
            ending = true;
            reader.end();
            turns.stop();
            sweeper.forget(wait);
            sender.stop();
            for (Http2Stream stream : streams.all()) {
                Guard.run("the end of an HTTP/2 stream", () -> lost(stream), () -> lost(stream));
            }
            onClose.forEach(listener -> Guard.run("the end of an HTTP/2 connection", listener));
        }
    }

    /** What a turn is made of. */
    private final class TurnSteps implements Turns.Steps {
        @Override
        public boolean take(ByteBuffer bytes) {
            if (ending) {
                bytes.position(bytes.limit());
                return true;
            }
            int error = reader.take(bytes);
            if (error >= 0) {
                goAway(error);
            }
            return !bytes.hasRemaining();
        }

        @Override
        public void pause() {
            reader.pause();
        }

        @Override
        public void ended() {
            closeNow();
        }

        @Override
        public void failed() {
            closeNow();
            // what tells streams of the end may be what has failed
            streams.all().forEach(Http2Connection.this::lost);
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

    /** What becomes of it when it is flushed. */
    private final class SenderEnd implements Http2Sender.Socket {
        @Override
        public void flushed() {
            if (ending) {
                finish();
            }
        }

        @Override
        public void broken() {
            closeNow();
        }
    }

    /** What leads it out of service. */
    private final class Leaving implements Http2Leave.Connection {
        @Override
        public boolean isStarted() {
            return reader.phase() != FrameReader.Phase.START;
        }

        @Override
        public boolean isIdle() {
            return streams.isEmpty() && reader.phase() == FrameReader.Phase.IDLE;
        }

        @Override
        public void announce(long ping) {
            sendGoAway(Integer.MAX_VALUE, ErrorCode.NO_ERROR);
            output.frame(FrameHead.PING, 0, 0, ping);
        }

        @Override
        public void refuse() {
            sendGoAway(reader.refuse(), ErrorCode.NO_ERROR);
        }

        @Override
        public void end() {
            if (isStarted()) {
                goAway(ErrorCode.NO_ERROR);
            } else {
                closeNow();
            }
        }
    }
}
