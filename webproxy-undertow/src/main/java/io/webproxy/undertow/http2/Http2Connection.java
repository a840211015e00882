package io.webproxy.undertow.http2;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Protocols;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.Origin;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;

/**
 * A client's HTTP/2 connection (RFC 9113): reads frames, keeps the streams and the windows of both directions, and
 * sends the output of all streams in a turn together.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
public final class Http2Connection extends Http2Link<Http2Stream> {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Connection.class);
    private static final int SERVICE_UNAVAILABLE = 503;

    private static final int SETTINGS_MAX_CONCURRENT_STREAMS = 3;
    private static final int SETTINGS_ENABLE_CONNECT_PROTOCOL = 8;
    private final Http2ClientSide client;
    private final HttpHandler root;
    private final HttpLimits heads;
    private final Http2Limits limits;
    private final RequestReader reader;
    private final ResponseHeads responses = new ResponseHeads(encoder);
    private final Http2Wait wait;
    private final Http2Leave leave = new Http2Leave(new Leaving());
    private final int window;
    private final ReceiveWindows windows;
    private final Http2Close close;

    /**
     * A connection whose client is about to send its preface.
     *
     * @param origin where it comes from
     * @param root handles its requests
     * @param window the initial window in bytes, of each stream and of the connection; both grow with fast uploads
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
        super(socket, socket.getSinkChannel().getConduit(), buffers, exchanges, limits, window);
        this.client = new Http2ClientSide(socket, origin);
        this.root = root;
        this.window = window;
        this.heads = heads;
        this.limits = limits;
        this.reader = new RequestReader(new RequestFrames(this, leave), limits, heads, meter, window);
        this.windows = new ReceiveWindows(this, growth, window);
        this.close = new Http2Close(socket, origin, sweeper);
        this.wait = new Http2Wait(this, reader, heads, sweeper.now());
    }

    /**
     * Starts to read.
     *
     * @param prefaceRead how many bytes of the client's preface were read before
     * @param read bytes read after these, or null
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
                headerListSize(heads.requestHeadBytes(), heads.fields()),
                SETTINGS_ENABLE_CONNECT_PROTOCOL,
                1);
        turns.start(read);
    }

    /**
     * The endpoint is closing: streams in flight end by themselves, later ones are refused, and then the connection
     * ends.
     */
    public void leave() {
        if (!ending) {
            leave.start(sweeper.now());
        }
    }

    // --- used by its parts ---

    @Override
    RequestReader reader() {
        return reader;
    }

    ResponseHeads heads() {
        return responses;
    }

    Http2ClientSide client() {
        return client;
    }

    boolean isLeaving() {
        return leave.isStarted();
    }

    /** Whether the client was told that the connection ends. */
    boolean isEnding() {
        return ending;
    }

    /** Called on each sweep. */
    void look(long now) {
        if (!ending) {
            leave.look(now);
        }
    }

    // --- receiving ---

    /** Only now: this side's settings must be sent first, and the client's first frame shows that it reads. */
    @Override
    void settled() {
        windows.start();
    }

    ReceiveWindows windows() {
        return windows;
    }

    /** Starts the exchange of a request whose head has arrived. */
    void begin(int id, RequestFields head, HeaderMap fields, boolean end) {
        Http2Stream stream = new Http2Stream(this, id, head, initialSendWindow);
        streams.put(id, stream);
        HttpServerExchange http = new HttpServerExchange(stream, fields, new HeaderMap(), -1);
        stream.carries(http);
        http.setProtocol(Protocols.HTTP_2_0);
        http.setRequestScheme(client.scheme());
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

    // --- ends ---

    /** Resets a stream and tells the client, unless the stream is over (RFC 9113 section 5.4.2). */
    void reset(Http2Stream stream, int code) {
        if (isOpen(stream)) {
            reader.wasReset(stream.id());
            sendReset(stream.id(), code);
        }
        over(stream);
    }

    private void over(Http2Stream stream) {
        streams.remove(stream.id());
        stream.source().breakOff();
        stream.sink().breakOff();
    }

    /** A stream was reset, by the client or by this side. */
    void gone(@Nullable Http2Stream stream) {
        if (stream != null) {
            over(stream);
            Http2ClientStream client = stream.client();
            if (client != null) {
                later(client::gone);
            }
        }
    }

    @Override
    void lost(Http2Stream stream) {
        over(stream);
        Http2ClientStream client = stream.client();
        if (client != null) {
            client.gone();
        }
    }

    /** There is no memory for received bytes: the upstream reads more slowly than the client sends. */
    void overflowed(Http2Stream stream) {
        Http2ClientStream client = stream.client();
        if (client != null) {
            client.exchange().refused(SERVICE_UNAVAILABLE);
        }
        reset(stream, ErrorCode.ENHANCE_YOUR_CALM);
        gone(stream);
    }

    /** A task of a stream threw: it would wait forever. */
    void failed(Http2Stream stream) {
        reset(stream, ErrorCode.INTERNAL_ERROR);
        lost(stream);
    }

    /**
     * The response of a stream is complete, and so is its request, unless it asked for a tunnel that wasn't granted:
     * then the client may still be sending.
     */
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

    /** Sends GOAWAY; the rest of the client's input is ignored, and the client has 2 s to close. */
    @Override
    void goAway(int code) {
        if (!ending) {
            ending = true;
            close.said(code);
            reader.end();
            LOG.debug(
                    "The HTTP/2 connection of {} ends with code {}",
                    client.origin().client(),
                    code);
            sendGoAway(reader.lastStream(), code);
            turns.stopReading();
            streams.all().forEach(this::gone);
        }
    }

    @Override
    void finish() {
        if (!closed) {
            close.start(turns);
        }
    }

    @Override
    void ended() {
        sweeper.forget(wait);
        client.gone();
    }

    /** The steps of a graceful shutdown. */
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
