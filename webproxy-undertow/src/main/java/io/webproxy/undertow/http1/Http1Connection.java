package io.webproxy.undertow.http1;

import io.undertow.conduits.ReadDataStreamSourceConduit;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.AbstractServerConnection;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.HttpUpgradeListener;
import io.undertow.server.SSLSessionInfo;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.undertow.util.ImmediatePooledByteBuffer;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.deadline.Watched;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.ExchangeSource;
import io.webproxy.undertow.exchange.HeadProblem;
import io.webproxy.undertow.exchange.LingeringClose;
import io.webproxy.undertow.exchange.Origin;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.channels.SslChannel;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * A connection of a client that speaks HTTP/1.1 (RFC 9112), in cleartext or through TLS: reads heads, one exchange after the other, and ends.
 *
 * <p>It reads while an exchange is under way, too, as far as one buffer goes: that is how a client that leaves is noticed. Between requests it holds no buffer. It
 * belongs to its IO thread.
 */
public final class Http1Connection extends AbstractServerConnection implements ExchangeSource, ReadReadyHandler {
    private static final long FAREWELL_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    /** So many requests are served that have come at once before it is another connection's turn. */
    private static final int BURST = 32;

    private final Http1 shared;
    private final Origin origin;
    private final Sweeper sweeper;
    private final IdleConnections idle;
    private final boolean secure;
    private final RequestParser parser = new RequestParser();
    private final RequestSource body;
    private final ResponseSink response;
    private final ConduitStreamSourceChannel source;
    private final ConduitStreamSinkChannel sink;
    private final Place place = new Place();
    private final Runnable serveLater = this::readReady;
    private final Runnable wakeLater = this::wake;

    private @Nullable HeadWait headWait;
    private @Nullable Farewell farewell;
    private @Nullable HttpUpgradeListener upgrade;
    /** Until the first request has come. */
    private Http1.@Nullable Http2Switch http2;

    private boolean handedOver;
    private @Nullable Http1Stream stream;
    private @Nullable SSLSessionInfo session;
    /** Of the exchange that is under way. */
    private @Nullable HeadProblem headProblem;

    private boolean queryEmpty;

    private boolean armed;
    private boolean serving;
    private boolean waking;
    /** The last read from the socket filled its buffer. */
    private boolean full;
    /** The client has ended its direction, or the connection is broken. */
    private boolean ended;

    private boolean broken;

    private boolean watched;
    private boolean leaving;
    /** Nothing is read for HTTP any more. */
    private boolean closing;

    Http1Connection(
            Http1 shared,
            StreamConnection connection,
            Origin origin,
            HttpHandler root,
            Http1.@Nullable Http2Switch http2) {
        super(
                connection,
                shared.buffers(),
                root,
                Http1.OPTIONS,
                shared.buffers().getBufferSize());
        this.shared = shared;
        this.origin = origin;
        this.http2 = http2;
        this.sweeper = shared.sweeper(connection.getIoThread());
        this.idle = shared.idle(connection.getIoThread());
        this.secure = connection instanceof SslChannel;
        this.body = new RequestSource(originalSourceConduit, this);
        this.response = new ResponseSink(originalSinkConduit, shared.buffers(), secure);
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

    private boolean isOnThread() {
        return Thread.currentThread() == getIoThread();
    }

    void start(@Nullable PooledByteBuffer read) {
        channel.getSourceChannel().setReadListener(null);
        channel.getSinkChannel().setWriteListener(null);
        originalSourceConduit.setReadReadyHandler(this);
        if (read != null) {
            if (read.getBuffer().hasRemaining()) {
                extraBytes = read;
            } else {
                read.close();
            }
        }
        idle.add(place);
        readReady();
    }

    private void closed() {
        closing = true;
        stopWaiting();
        response.reset();
    }

    private void stopWaiting() {
        idle.remove(place);
        if (headWait != null) {
            sweeper.forget(headWait);
        }
        if (farewell != null) {
            sweeper.forget(farewell);
            farewell = null;
        }
    }

    private void closeNow() {
        IoUtils.safeClose(channel);
    }

    // --- what comes ---

    @Override
    public void readReady() {
        try {
            if (secure && armed) {
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

    private void take() throws IOException {
        if (current == null) {
            serve();
        } else if (body.isActive() && body.isReadResumed()) {
            body.ready();
        } else if (readsAhead()) {
            readAhead();
        }
    }

    /** Whether bytes are read that no reader wants yet. */
    private boolean readsAhead() {
        return !ended && (!body.isActive() || watched) && hasRoom();
    }

    private boolean hasRoom() {
        PooledByteBuffer held = extraBytes;
        return held == null || held.getBuffer().remaining() < held.getBuffer().capacity();
    }

    /** Has the socket watched for bytes, if they are wanted. */
    private void arm() {
        boolean wants =
                !closing && !ended && channel.isOpen() && (current == null || body.isReadResumed() || readsAhead());
        if (wants && secure && full) {
            // the TLS engine may hold more than the last read could take
            armed = true;
            full = false;
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
    private void serve() throws IOException {
        if (serving) {
            return;
        }
        serving = true;
        try {
            int served = 0;
            boolean read = false;
            while (current == null && !closing && channel.isOpen()) {
                if (extraBytes == null) {
                    if ((read && !full) || !fill()) {
                        break;
                    }
                    read = true;
                }
                if (!parse()) {
                    awaitHead();
                } else if (http2 != null && parser.isPreface()) {
                    handOver(http2);
                } else {
                    begin();
                    if (++served == BURST) {
                        break;
                    }
                }
            }
        } finally {
            serving = false;
        }
        if (current == null && extraBytes != null && !closing) {
            IoTasks.execute(getIoThread(), serveLater);
        }
    }

    private boolean parse() {
        PooledByteBuffer held = extraBytes;
        if (held == null) {
            return false;
        }
        boolean complete = parser.parse(held.getBuffer(), shared.limits());
        if (!held.getBuffer().hasRemaining()) {
            dropBytes();
        }
        return complete;
    }

    private void dropBytes() {
        if (extraBytes != null) {
            extraBytes.close();
            extraBytes = null;
        }
    }

    /** Reads into an empty buffer; returns whether there is anything. */
    private boolean fill() {
        if (ended) {
            closeNow();
            return false;
        }
        PooledByteBuffer pooled = bufferPool.allocate();
        int read = -1;
        try {
            read = originalSourceConduit.read(pooled.getBuffer().clear());
        } catch (IOException e) {
            // a client that has gone between two requests
        } finally {
            if (read <= 0) {
                pooled.close();
            }
        }
        full = read > 0 && !pooled.getBuffer().hasRemaining();
        if (read < 0) {
            ended = true;
            closeNow();
        } else if (read > 0) {
            pooled.getBuffer().flip();
            extraBytes = pooled;
        }
        return read > 0;
    }

    private void awaitHead() {
        if (parser.hasBegun() && place.isWaiting()) {
            idle.remove(place);
            if (headWait == null) {
                headWait = new HeadWait();
            }
            headWait.start();
        }
    }

    /** Reads what belongs to a later reader; the end is told to the exchange. */
    private void readAhead() {
        PooledByteBuffer held = extraBytes;
        boolean fresh = held == null;
        if (held == null) {
            held = bufferPool.allocate();
            held.getBuffer().clear().limit(0);
        }
        ByteBuffer bytes = held.getBuffer();
        if (bytes.limit() == bytes.capacity()) {
            bytes.compact().flip();
        }
        int from = bytes.position();
        int to = bytes.limit();
        int read = -1;
        try {
            bytes.limit(bytes.capacity()).position(to);
            read = originalSourceConduit.read(bytes);
            full = read > 0 && !bytes.hasRemaining();
        } catch (IOException e) {
            broken = true;
        } finally {
            bytes.limit(bytes.position()).position(from);
            if (fresh) {
                if (read > 0) {
                    extraBytes = held;
                } else {
                    held.close();
                }
            }
        }
        if (read < 0) {
            ended = true;
            if (stream != null) {
                stream.left(broken);
            }
        }
    }

    // --- what a request body is made of ---

    /** The next bytes of a body, from those that were read ahead, or else from the socket; -1 if there won't be any. */
    int take(ByteBuffer dst) throws IOException {
        PooledByteBuffer held = extraBytes;
        if (!channel.isOpen()) {
            return -1;
        }
        if (closing || !dst.hasRemaining()) {
            return 0;
        }
        if (held == null) {
            if (ended) {
                return -1;
            }
            int read = originalSourceConduit.read(dst);
            full = read > 0 && !dst.hasRemaining();
            ended = read < 0;
            return read;
        }
        ByteBuffer bytes = held.getBuffer();
        int count = Math.min(bytes.remaining(), dst.remaining());
        int limit = bytes.limit();
        dst.put(bytes.limit(bytes.position() + count));
        bytes.limit(limit);
        if (!bytes.hasRemaining()) {
            dropBytes();
        }
        return count;
    }

    /** Takes back the last bytes that were given. */
    void giveBack(ByteBuffer rest) {
        PooledByteBuffer held = extraBytes;
        if (held != null) {
            // they are there still
            held.getBuffer().position(held.getBuffer().position() - rest.remaining());
            return;
        }
        held = rest.remaining() <= bufferPool.getBufferSize()
                ? bufferPool.allocate()
                : new ImmediatePooledByteBuffer(ByteBuffer.allocate(rest.remaining()));
        held.getBuffer().clear().put(rest).flip();
        extraBytes = held;
    }

    boolean holdsBytes() {
        return extraBytes != null;
    }

    void readerResumed() {
        if (extraBytes != null || ended) {
            wakeReader();
        } else {
            arm();
        }
    }

    void readerSuspended() {
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
        if (body.isActive() && body.isReadResumed() && !closing) {
            readReady();
            if (body.isActive() && body.isReadResumed() && (extraBytes != null || ended)) {
                wakeReader();
            }
        }
    }

    void bodyEnded() {
        arm();
    }

    // --- exchanges ---

    private void begin() {
        stopWaiting();
        http2 = null;
        RequestParser head = parser;
        HttpServerExchange http = new HttpServerExchange(this, head.headers(), new HeaderMap(), -1);
        HeadProblem problem = head.problem();
        RequestFields fields = head.fields();
        String path = head.path();
        String query = head.query();
        HttpString method = head.method();
        boolean http11 = head.isHttp11();
        http.setProtocol(head.protocol());
        http.setRequestMethod(method == null ? RequestParser.NO_METHOD : method);
        http.setRequestURI(path, head.isAbsolute());
        http.setRequestPath(path);
        http.setRelativePath(path);
        if (query != null) {
            // one question mark in front is taken off
            http.setQueryString(query.startsWith("?") ? "?" + query : query);
        }
        http.setRequestScheme(secure ? "https" : "http");
        http.setPersistent(problem == null && fields.isPersistent(http11));
        headProblem = problem;
        queryEmpty = query != null && query.isEmpty();
        watched = false;
        parser.reset();
        current = http;
        if (problem == null) {
            if (fields.isChunked()) {
                body.startChunks(http);
            } else if (fields.length() > 0) {
                body.startLength(http, fields.length());
            } else {
                Connectors.terminateRequest(http);
            }
        }
        Connectors.executeRootHandler(rootHandler, http);
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

    /** A client that leaves is to be noticed also while nothing else is read. */
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

    boolean hasEnded() {
        return ended;
    }

    /** Whether the connection speaks HTTP/2, and is somebody else's. */
    public boolean isHandedOver() {
        return handedOver;
    }

    boolean isBroken() {
        return broken;
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
        watched = false;
        source.setConduit(body);
        source.setReadListener(null);
        sink.setConduit(response);
        sink.setWriteListener(null);
        body.reset();
        response.reset();
        if (!channel.isOpen()) {
            return;
        }
        if (http.isUpgrade() && upgrade != null) {
            handOver(upgrade, http);
        } else if (!http.isPersistent()) {
            // the client may have sent more than this request
            linger(extraBytes != null, () -> {});
        } else {
            next();
        }
    }

    private void next() {
        idle.add(place);
        if (leaving) {
            awaitFarewell();
        }
        if (!serving) {
            if (extraBytes != null || ended) {
                // whoever is writing has to have come to its end
                IoTasks.execute(getIoThread(), serveLater);
            } else {
                arm();
            }
        }
    }

    private void handOver(HttpUpgradeListener to, HttpServerExchange http) {
        detach();
        if (extraBytes != null) {
            channel.getSourceChannel().setConduit(new ReadDataStreamSourceConduit(originalSourceConduit, this));
        }
        to.handleUpgrade(channel, http);
        if (ended || full) {
            // what no selector tells
            channel.getSourceChannel().wakeupReads();
        }
    }

    private void handOver(Http1.Http2Switch to) {
        detach();
        PooledByteBuffer read = extraBytes;
        extraBytes = null;
        handedOver = true;
        to.take(RequestParser.PREFACE_LENGTH, read);
    }

    /** Leaves the channel to somebody else. */
    private void detach() {
        closing = true;
        stopWaiting();
        armed = false;
        originalSourceConduit.suspendReads();
        originalSinkConduit.suspendWrites();
        originalSourceConduit.setReadReadyHandler(
                new ReadReadyHandler.ChannelListenerHandler<>(channel.getSourceChannel()));
        originalSinkConduit.setWriteReadyHandler(
                new WriteReadyHandler.ChannelListenerHandler<>(channel.getSinkChannel()));
    }

    // --- ends ---

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
        dropBytes();
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

    /** The endpoint goes away: the connection ends after the exchange that is under way, or once no request comes any more. */
    public void leave() {
        leaving = true;
        awaitFarewell();
    }

    boolean isLeaving() {
        return leaving;
    }

    private boolean isIdle() {
        return place.isWaiting() && !parser.hasBegun() && channel.isOpen();
    }

    private void awaitFarewell() {
        if (farewell == null && isIdle()) {
            farewell = new Farewell();
            sweeper.watch(farewell);
        }
    }

    private final class Place extends IdleConnections.Place {
        @Override
        void expired() {
            closeNow();
        }
    }

    /**
     * The close of an idle connection. A client that has just had an answer is about to ask again, most likely, and would lose what it asks: it has half a second
     * to be told that the connection closes (RFC 9112 section 9.5).
     */
    private final class Farewell extends Watched {
        @Override
        protected long deadline() {
            return place.since() + FAREWELL_NANOS;
        }

        @Override
        protected void seen(long now) {
            if (!isIdle()) {
                end();
            }
        }

        @Override
        protected void expired(long now) {
            end();
            // what has come by now is served
            readReady();
            if (isIdle()) {
                closeNow();
            }
        }

        @Override
        protected void cut() {
            end();
            closeNow();
        }

        private void end() {
            sweeper.forget(this);
            farewell = null;
        }
    }

    /** For the rest of a head. */
    private final class HeadWait extends Watched {
        private long deadline;

        void start() {
            deadline = sweeper.now() + shared.limits().headTime().toNanos();
            sweeper.watch(this);
        }

        @Override
        protected long deadline() {
            return deadline;
        }

        @Override
        protected void expired(long now) {
            sweeper.forget(this);
            if (current == null && parser.hasBegun()) {
                parser.refuse(Problems.TOO_SLOW);
                begin();
            }
        }

        @Override
        protected void cut() {
            closeNow();
        }
    }

    // --- what Undertow asks for ---

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
    public @Nullable HttpServerExchange sendOutOfBandResponse(HttpServerExchange http) {
        throw new UnsupportedOperationException("interim responses go through the client's stream");
    }

    @Override
    public boolean isContinueResponseSupported() {
        return false;
    }

    @Override
    public @Nullable SSLSession getSslSession() {
        return secure ? ((SslChannel) channel).getSslSession() : null;
    }

    @Override
    public @Nullable SSLSessionInfo getSslSessionInfo() {
        return session;
    }

    @Override
    public void setSslSessionInfo(@Nullable SSLSessionInfo info) {
        session = info;
    }

    @Override
    protected StreamConnection upgradeChannel() {
        return channel;
    }

    @Override
    protected boolean isUpgradeSupported() {
        return true;
    }

    @Override
    protected boolean isConnectSupported() {
        return false;
    }

    @Override
    protected void setUpgradeListener(HttpUpgradeListener listener) {
        upgrade = listener;
    }

    @Override
    protected void setConnectListener(HttpUpgradeListener listener) {
        throw new UnsupportedOperationException("CONNECT");
    }

    @Override
    public String getTransportProtocol() {
        return "http/1.1";
    }

    @Override
    public boolean isRequestTrailerFieldsSupported() {
        return body.isChunked();
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
