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
import io.webproxy.undertow.deadline.Guard;
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
import org.xnio.StreamConnection;
import org.xnio.channels.SslChannel;

/**
 * An HTTP/2 connection of a client (RFC 9113): reads frames, keeps the streams and the windows of both directions, and
 * sends what all streams have made of a turn at once.
 *
 * <p>It is long because it is where all parts meet: what the reader finds, what streams want, what the socket takes,
 * and the ways to an end.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
public final class Http2Connection extends Http2Link<Http2Stream> {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Connection.class);
    private static final int BAD_REQUEST = 400;
    private static final int SERVICE_UNAVAILABLE = 503;

    private static final int SETTINGS_MAX_CONCURRENT_STREAMS = 3;
    private static final int SETTINGS_ENABLE_CONNECT_PROTOCOL = 8;
    private final Origin origin;
    private final HttpHandler root;
    private final HttpLimits heads;
    private final Http2Limits limits;
    private final RequestReader reader;
    private final ResponseHeads responses = new ResponseHeads(encoder);
    private final Http2Wait wait;
    private final Http2Leave leave = new Http2Leave(new Leaving());
    private final AbstractAttachable attachments = new AbstractAttachable() {};
    private final List<Runnable> onClose = new ArrayList<>(0);
    private final int window;
    private int grown;
    private int owed;
    /** The code of the GOAWAY that was sent last of all, or -1. */
    private int endCode = -1;

    private boolean finished;

    /**
     * A connection whose client is about to send its preface.
     *
     * @param origin where it comes from
     * @param root handles its requests
     * @param window how much a client may send before it must wait, in bytes: on each stream, and on all together; both
     *     grow with fast uploads
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
        this.origin = origin;
        this.root = root;
        this.window = window;
        this.heads = heads;
        this.limits = limits;
        this.reader = new RequestReader(new Requests(), limits, heads, meter, window);
        this.wait = new Http2Wait(this, reader, heads, sweeper.now());
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
                headerListSize(heads.requestHeadBytes(), heads.fields()),
                SETTINGS_ENABLE_CONNECT_PROTOCOL,
                1);
        turns.start(read);
    }

    /**
     * The endpoint goes away: what is in flight ends by itself, what comes late is refused, and then the connection
     * ends.
     */
    public void leave() {
        if (!ending) {
            leave.start(sweeper.now());
        }
    }

    // --- what its parts ask ---

    @Override
    RequestReader reader() {
        return reader;
    }

    ResponseHeads heads() {
        return responses;
    }

    Origin origin() {
        return origin;
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

    // --- the way in ---

    /** Only now: the settings of this side have to be first, and the client's first frame is a sign that it reads. */
    @Override
    void settled() {
        if (window > DEFAULT_WINDOW) {
            openWindow(0, window - DEFAULT_WINDOW);
        }
    }

    /** Bytes of a stream were read. */
    void consumed(Http2Stream stream, int bytes) {
        if (bytes == 0) {
            return;
        }
        unread(bytes);
        if (!stream.source().isEnded() && isOpen(stream)) {
            int due = stream.owe(bytes, window / 4);
            if (due > 0) {
                openWindow(stream.id(), due + stream.growBy(growth.growth()));
            }
        }
        measure(bytes);
    }

    /** Bytes of a stream that nobody has read, and nobody will: they have used the connection's window. */
    void unread(int bytes) {
        owed += bytes;
        if (owed >= window / 4) {
            int due = owed + growth.growth() - grown;
            grown = growth.growth();
            owed = 0;
            openWindow(0, due);
        }
    }

    private void request(int id, RequestFields head, HeaderMap fields, boolean end) {
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
    private final class Requests extends Frames implements RequestReader.Handler {
        @Override
        public void request(int id, RequestFields head, HeaderMap fields, boolean end) {
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
        public void resetByPeer(int id, int code) {
            gone(streams.get(id));
        }

        @Override
        public void reset(int id, int code) {
            sendReset(id, code);
            gone(streams.get(id));
        }

        @Override
        public void malformed(int id, @Nullable RequestFields head) {
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
                responses.refusal(BAD_REQUEST);
                sender().block(id, false);
            }
            reset(id, ErrorCode.PROTOCOL_ERROR);
        }

        @Override
        public void leaving(int last, int code) {
            leave.clientLeaves();
        }

        @Override
        public void pong(long payload) {
            super.pong(payload);
            leave.pong(payload, sweeper.now());
        }
    }

    // --- ends ---

    /** Tells the client that a stream is reset, unless it is over already (RFC 9113 section 5.4.2). */
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

    @Override
    void lost(Http2Stream stream) {
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

    /**
     * The response of a stream is complete, and its request is too, unless it was for a tunnel that isn't granted: then
     * the client may still be sending.
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

    /** Says the end of the connection to the client; what it still sends isn't looked at, and it has 2 s to close. */
    @Override
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

    /**
     * Everything is sent. A close beside bytes that nobody has read is a TCP reset, which can overtake GOAWAY; so only
     * this side ends now.
     */
    @Override
    void finish() {
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

    @Override
    void ended() {
        sweeper.forget(wait);
        onClose.forEach(listener -> Guard.run("the end of an HTTP/2 connection", listener));
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
