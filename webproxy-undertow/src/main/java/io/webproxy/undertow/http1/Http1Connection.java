package io.webproxy.undertow.http1;

import io.undertow.conduits.ReadDataStreamSourceConduit;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.HttpUpgradeListener;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Turn;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.ExchangeSource;
import io.webproxy.undertow.exchange.HeadProblem;
import io.webproxy.undertow.exchange.LingeringClose;
import io.webproxy.undertow.exchange.Origin;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * A connection of a client that speaks HTTP/1.1 (RFC 9112), in cleartext or through TLS: reads heads, one exchange
 * after the other, and ends.
 *
 * <p>It reads while an exchange is under way, too, as far as one buffer goes: that is how a client that leaves is
 * noticed. Between requests it holds no buffer. It belongs to its IO thread.
 *
 * <p>It is long because it is one state machine: what is to be read, and by whom, depends on head, body, response and
 * the end of the connection.
 */
public final class Http1Connection extends UndertowConnection
        implements ExchangeSource, ReadReadyHandler, ConnectionWaits.Listener {
    /** So many requests are served that have come at once before it is another connection's turn. */
    private static final int BURST = 32;

    private final Http1 shared;
    private final Origin origin;
    private final Sweeper sweeper;
    private final RequestParser parser = new RequestParser();
    private final ClientBytes bytes;
    private final ConnectionWaits waits;
    private final RequestSource body;
    private final ResponseSink response;
    private final ConduitStreamSourceChannel source;
    private final ConduitStreamSinkChannel sink;
    private final Runnable serveLater = this::readReady;
    private final Runnable serveRested = this::rested;
    private final Runnable wakeLater = this::wake;

    /** Until the first request has come. */
    private Http1.@Nullable Http2Switch http2;

    private @Nullable Http1Stream stream;
    /** Of the exchange that is under way. */
    private @Nullable HeadProblem headProblem;

    private boolean queryEmpty;
    /** A client that leaves is to be noticed also while nothing else is read. */
    private boolean watched;
    /** The socket tells when there is something to read. */
    private boolean armed;

    private boolean serving;
    /** Other connections are looked at before the next request is. */
    private boolean resting;

    private boolean waking;
    private boolean handedOver;
    /** Nothing is read for HTTP any more. */
    private boolean closing;

    Http1Connection(
            Http1 shared,
            StreamConnection connection,
            Origin origin,
            HttpHandler root,
            Http1.@Nullable Http2Switch http2) {
        super(connection, shared.buffers(), root);
        this.shared = shared;
        this.origin = origin;
        this.http2 = http2;
        this.sweeper = shared.sweeper(connection.getIoThread());
        this.waits = new ConnectionWaits(shared, sweeper, shared.idle(connection.getIoThread()), this);
        this.bytes = new ClientBytes(originalSourceConduit, shared.buffers());
        this.body = new RequestSource(originalSourceConduit, this);
        this.response = new ResponseSink(originalSinkConduit, shared.buffers(), isSecure());
        this.source = new ConduitStreamSourceChannel(connection, body);
        this.sink = new ConduitStreamSinkChannel(connection, response);
        addCloseListener(closed -> {
            if (isOnThread()) {
                closed();
            } else {
                IoTasks.execute(getIoThread(), this::closed);
            }
        });
    }

    void start(@Nullable PooledByteBuffer read) {
        channel.getSourceChannel().setReadListener(null);
        channel.getSinkChannel().setWriteListener(null);
        originalSourceConduit.setReadReadyHandler(this);
        if (read != null) {
            bytes.start(read);
        }
        waits.forRequest();
        readReady();
    }

    private void closed() {
        closing = true;
        waits.stop();
        response.reset();
        bytes.drop();
    }

    // --- what comes ---

    @Override
    public void readReady() {
        try {
            if (isSecure() && armed) {
                // while reads are resumed, each one through TLS has another follow, whether there is anything or not
                armed = false;
                originalSourceConduit.suspendReads();
            }
            if (!closing) {
                take();
            }
        } catch (Throwable e) {
            Guard.broken("HTTP/1.1 of a client", e);
            closeNow();
        }
        arm();
    }

    private void take() {
        if (current == null) {
            if (!resting) {
                serve();
            }
        } else if (body.isActive() && body.isReadResumed()) {
            body.ready();
        } else if (readsAhead() && bytes.readAhead() < 0 && stream != null) {
            stream.left(bytes.isBroken());
        }
    }

    /** Whether bytes are read that no reader wants yet. */
    private boolean readsAhead() {
        return !bytes.isEnded() && (!body.isActive() || watched) && bytes.hasRoom();
    }

    /** Has the socket tell of bytes, if they are wanted. */
    private void arm() {
        boolean wants = !closing
                && !resting
                && !bytes.isEnded()
                && channel.isOpen()
                && (current == null || body.isReadResumed() || readsAhead());
        if (wants && isSecure() && bytes.isFull()) {
            // the TLS engine may hold more than the last read could take
            armed = true;
            bytes.forgetFull();
            originalSourceConduit.wakeupReads();
        } else if (wants != armed) {
            armed = wants;
            if (wants) {
                originalSourceConduit.resumeReads();
            } else if (channel.isOpen()) {
                originalSourceConduit.suspendReads();
            }
        }
    }

    /** Serves what has come, until an exchange needs more time. */
    private void serve() {
        if (serving) {
            return;
        }
        serving = true;
        try {
            int served = 0;
            boolean read = false;
            while (current == null && !closing && channel.isOpen() && served < BURST) {
                if (!bytes.isHeld()) {
                    if (read && !bytes.isFull()) {
                        break;
                    }
                    read = true;
                    if (!fill()) {
                        break;
                    }
                }
                if (!parse()) {
                    if (parser.hasBegun()) {
                        waits.forHead();
                    }
                } else if (http2 != null && parser.isPreface()) {
                    handOver(http2);
                } else {
                    begin();
                    served++;
                }
            }
        } finally {
            serving = false;
        }
        if (current == null && !closing && (bytes.isHeld() || bytes.isFull())) {
            rest();
        }
    }

    /**
     * A task would run before the thread looks at other sockets; and so would a read through TLS, whose engine may hold
     * more.
     */
    private void rest() {
        resting = true;
        IoTasks.executeAfter(getIoThread(), serveRested, Turn.TLS_REST_MILLIS);
    }

    private void rested() {
        resting = false;
        readReady();
    }

    private boolean fill() {
        if (bytes.isEnded() || bytes.read() < 0) {
            closeNow();
        }
        return bytes.isHeld();
    }

    private boolean parse() {
        ByteBuffer held = bytes.forParser();
        boolean complete = held != null && parser.parse(held, shared.limits());
        bytes.keep();
        return complete;
    }

    // --- what a request body is made of ---

    /** The next bytes of a body, see {@link ClientBytes#take}. */
    int take(ByteBuffer dst) throws IOException {
        return !channel.isOpen() ? -1 : closing ? 0 : bytes.take(dst);
    }

    /** Takes back the last bytes that were given. */
    void giveBack(ByteBuffer rest) {
        bytes.giveBack(rest);
    }

    boolean holdsBytes() {
        return bytes.isHeld();
    }

    void readerResumed() {
        if (bytes.isHeld() || bytes.isEnded()) {
            wakeReader();
        } else {
            arm();
        }
    }

    void readerSuspended() {
        arm();
    }

    void bodyEnded() {
        arm();
    }

    void wakeReader() {
        if (!waking) {
            waking = true;
            IoTasks.execute(getIoThread(), wakeLater);
        }
    }

    private void wake() {
        waking = false;
        if (isReaderWaiting()) {
            readReady();
            if (isReaderWaiting() && (bytes.isHeld() || bytes.isEnded())) {
                wakeReader();
            }
        }
    }

    private boolean isReaderWaiting() {
        return body.isActive() && body.isReadResumed() && !closing;
    }

    // --- exchanges ---

    private void begin() {
        waits.stop();
        http2 = null;
        HttpServerExchange http = exchange(parser);
        RequestFields fields = parser.fields();
        headProblem = parser.problem();
        parser.reset();
        watched = false;
        current = http;
        if (headProblem != null) {
            http.setPersistent(false);
        } else if (fields.isChunked()) {
            body.startChunks(http);
        } else if (fields.length() > 0) {
            body.startLength(http, fields.length());
        } else {
            Connectors.terminateRequest(http);
        }
        Connectors.executeRootHandler(rootHandler, http);
    }

    private HttpServerExchange exchange(RequestParser head) {
        HttpServerExchange http = new HttpServerExchange(this, head.headers(), new HeaderMap(), -1);
        HttpString method = head.method();
        String path = head.path();
        String query = head.query();
        queryEmpty = query != null && query.isEmpty();
        http.setProtocol(head.protocol());
        http.setRequestMethod(method == null ? RequestParser.NO_METHOD : method);
        http.setRequestURI(path, head.isAbsolute());
        http.setRequestPath(path);
        http.setRelativePath(path);
        if (query != null) {
            // one question mark in front is taken off
            http.setQueryString(query.startsWith("?") ? "?" + query : query);
        }
        http.setRequestScheme(isSecure() ? "https" : "http");
        http.setPersistent(head.fields().isPersistent(head.isHttp11()));
        return http;
    }

    @Override
    public Origin origin() {
        return origin;
    }

    @Override
    public Http1Stream stream(Exchange exchange) {
        Http1Stream opened = new Http1Stream(exchange, this, headProblem, queryEmpty);
        stream = opened;
        return opened;
    }

    /** From now on a client that leaves is noticed also while nothing else is read. */
    void watch() {
        if (!watched) {
            watched = true;
            arm();
        }
    }

    /** Whether the end would be noticed by reading. */
    boolean isRead() {
        return armed;
    }

    /** Whether the client has ended its direction, or the connection is broken. */
    boolean hasEnded() {
        return bytes.isEnded();
    }

    /** Whether the connection is broken. */
    boolean isBroken() {
        return bytes.isBroken();
    }

    @Override
    protected StreamSinkConduit getSinkConduit(HttpServerExchange http, StreamSinkConduit conduit) {
        response.start(http);
        return response;
    }

    @Override
    protected ConduitStreamSinkChannel getSinkChannel() {
        return sink;
    }

    @Override
    protected ConduitStreamSourceChannel getSourceChannel() {
        return source;
    }

    @Override
    public boolean isRequestTrailerFieldsSupported() {
        return body.isChunked();
    }

    /** Sends an interim response; it goes before the final one, whenever that comes. */
    void interim(int status, String reason, HeaderMap fields, HttpServerExchange http) throws IOException {
        response.interim(status, reason, fields, http);
        if (!flushInterim()) {
            sink.setWriteListener(ready -> {
                try {
                    if (flushInterim()) {
                        sink.suspendWrites();
                    }
                } catch (IOException e) {
                    // the final response finds that out too
                    sink.suspendWrites();
                }
            });
            sink.resumeWrites();
        }
    }

    private boolean flushInterim() throws IOException {
        return response.sendFraming() && originalSinkConduit.flush();
    }

    @Override
    public void terminateRequestChannel(HttpServerExchange http) {
        if (!http.isPersistent()) {
            body.terminateReads();
        }
    }

    @Override
    protected void exchangeComplete(HttpServerExchange http) {
        if (!isOnThread()) {
            IoTasks.execute(getIoThread(), () -> exchangeComplete(http));
            return;
        }
        if (http != current) {
            return;
        }
        current = null;
        stream = null;
        headProblem = null;
        source.setConduit(body);
        source.setReadListener(null);
        sink.setConduit(response);
        sink.setWriteListener(null);
        body.reset();
        response.reset();
        HttpUpgradeListener upgrade = upgrade();
        if (!channel.isOpen()) {
            return;
        }
        if (http.isUpgrade() && upgrade != null) {
            handOver(upgrade, http);
        } else if (!http.isPersistent()) {
            // the client may have sent more than this request
            linger(bytes.isHeld(), () -> {});
        } else {
            next();
        }
    }

    private void next() {
        waits.forRequest();
        if (serving) {
            return;
        }
        if (bytes.isHeld() || bytes.isEnded()) {
            // whoever is writing has to have come to its end
            IoTasks.execute(getIoThread(), serveLater);
        } else {
            arm();
        }
    }

    // --- ends ---

    private void handOver(HttpUpgradeListener to, HttpServerExchange http) {
        detach();
        extraBytes = bytes.release();
        if (extraBytes != null) {
            channel.getSourceChannel().setConduit(new ReadDataStreamSourceConduit(originalSourceConduit, this));
        }
        to.handleUpgrade(channel, http);
        if (bytes.isEnded() || bytes.isFull()) {
            // what no selector tells
            channel.getSourceChannel().wakeupReads();
        }
    }

    private void handOver(Http1.Http2Switch to) {
        detach();
        handedOver = true;
        to.take(RequestParser.PREFACE_LENGTH, bytes.release());
    }

    /** Whether the connection speaks HTTP/2, and is somebody else's. */
    public boolean isHandedOver() {
        return handedOver;
    }

    /** Leaves the channel to somebody else. */
    private void detach() {
        closing = true;
        waits.stop();
        armed = false;
        originalSourceConduit.suspendReads();
        originalSinkConduit.suspendWrites();
        originalSourceConduit.setReadReadyHandler(
                new ReadReadyHandler.ChannelListenerHandler<>(channel.getSourceChannel()));
        originalSinkConduit.setWriteReadyHandler(
                new WriteReadyHandler.ChannelListenerHandler<>(channel.getSinkChannel()));
    }

    /**
     * The connection is closed as soon as its client has the last answer.
     *
     * @param sending whether the client is known to be sending
     * @param onEnd runs once it is closed
     */
    void linger(boolean sending, Runnable onEnd) {
        if (closing) {
            onEnd.run();
            return;
        }
        detach();
        bytes.drop();
        StreamConnection socket = origin.socket();
        StreamSourceConduit lowest = socket == channel
                ? originalSourceConduit
                : socket.getSourceChannel().getConduit();
        LingeringClose close = new LingeringClose(channel, origin, lowest, originalSinkConduit, sweeper, onEnd);
        if (sending) {
            close.sending();
        }
        close.start();
    }

    /**
     * The endpoint goes away: the connection ends after the exchange that is under way, or once no request comes any
     * more.
     */
    public void leave() {
        waits.leave();
    }

    boolean isLeaving() {
        return waits.isLeaving();
    }

    @Override
    public void waitedInVain() {
        closeNow();
    }

    @Override
    public void headTooSlow() {
        if (current == null && !closing) {
            parser.refuse(Problems.TOO_SLOW);
            begin();
        }
    }

    @Override
    public void lastLook() {
        resting = false;
        readReady();
        if (waits.isIdle()) {
            closeNow();
        }
    }

    @Override
    public void forceTermination() {
        closeNow();
    }

    @Override
    public void terminated() {
        // the close listener runs once both directions have ended
    }
}
