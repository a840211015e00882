package io.webproxy.undertow.http1;

import io.undertow.conduits.ReadDataStreamSourceConduit;
import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.HttpUpgradeListener;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.ExchangeSource;
import io.webproxy.undertow.exchange.HeadProblem;
import io.webproxy.undertow.exchange.LingeringClose;
import io.webproxy.undertow.exchange.Origin;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * A client's HTTP/1.1 connection (RFC 9112), in cleartext or over TLS: runs one exchange after the other, and closes.
 * It belongs to its IO thread.
 */
public final class Http1Connection extends UndertowConnection implements ExchangeSource {
    private final Origin origin;
    private final Sweeper sweeper;
    private final RequestReceiver receiver;
    private final RequestSource body;
    private final ByteBufferPool bulk;
    private final ResponseSink response;
    private final ConduitStreamSourceChannel source;
    private final ConduitStreamSinkChannel sink;
    private @Nullable Http1Stream stream;
    /** The problem of the current exchange's head. */
    private @Nullable HeadProblem headProblem;

    private boolean queryEmpty;
    private boolean handedOver;

    Http1Connection(
            Http1 shared,
            StreamConnection connection,
            Origin origin,
            HttpHandler root,
            Http1.@Nullable Http2Switch http2) {
        super(connection, shared.buffers(), root);
        this.origin = origin;
        this.bulk = shared.bulk();
        this.sweeper = shared.sweeper(connection.getIoThread());
        this.receiver = new RequestReceiver(shared, this, originalSourceConduit, shared.buffers(), sweeper, http2);
        this.body = receiver.body();
        this.response = new ResponseSink(originalSinkConduit, shared.buffers(), isSecure() ? shared.records() : null);
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
        receiver.start(read);
    }

    private void closed() {
        receiver.closed();
        response.reset();
    }

    /** Whether an exchange is in progress. */
    boolean isBusy() {
        return current != null;
    }

    /** Whether this is the exchange in progress. */
    boolean isServing(HttpServerExchange http) {
        return current == http;
    }

    RequestReceiver receiver() {
        return receiver;
    }

    // --- exchanges ---

    /** A request head is complete or refused: starts its exchange, and leaves the parser ready for the next one. */
    void begin(RequestParser parser) {
        HttpServerExchange http = exchange(parser);
        RequestFields fields = parser.fields();
        headProblem = parser.problem();
        parser.reset();
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
            // setQueryString strips one leading question mark
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

    /** The client has closed its direction, or, if {@code broken}, the connection. */
    void clientEnded(boolean broken) {
        if (stream != null) {
            stream.left(broken);
        }
    }

    @Override
    protected StreamSinkConduit getSinkConduit(HttpServerExchange http, StreamSinkConduit conduit) {
        response.start(http);
        return response;
    }

    /** For the transfer of the response that has started, or of the request. */
    @Override
    public ByteBufferPool getByteBufferPool() {
        return response.isLong() ? bulk : super.getByteBufferPool();
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

    /** Sends an interim response, always before the final one. */
    void interim(int status, String reason, HeaderMap fields, HttpServerExchange http) throws IOException {
        response.interim(status, reason, fields, http);
        if (!flushInterim()) {
            sink.setWriteListener(ready -> {
                try {
                    if (flushInterim()) {
                        sink.suspendWrites();
                    }
                } catch (IOException e) {
                    // the final response notices that too
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
            linger(receiver.holdsBytes(), () -> {});
        } else {
            receiver.next();
        }
    }

    // --- ends ---

    private void handOver(HttpUpgradeListener to, HttpServerExchange http) {
        detach();
        extraBytes = receiver.release();
        if (extraBytes != null) {
            channel.getSourceChannel().setConduit(new ReadDataStreamSourceConduit(originalSourceConduit, this));
        }
        to.handleUpgrade(channel, http);
        if (receiver.mayHaveMore()) {
            // bytes that no selector reports
            channel.getSourceChannel().wakeupReads();
        }
    }

    /** The client speaks HTTP/2. */
    void handOver(Http1.Http2Switch to) {
        detach();
        handedOver = true;
        to.take(RequestParser.PREFACE_LENGTH, receiver.release());
    }

    /** Whether the connection speaks HTTP/2, and was handed over. */
    public boolean isHandedOver() {
        return handedOver;
    }

    /** Leaves the channel to another class. */
    private void detach() {
        receiver.stop();
        originalSinkConduit.suspendWrites();
        originalSourceConduit.setReadReadyHandler(
                new ReadReadyHandler.ChannelListenerHandler<>(channel.getSourceChannel()));
        originalSinkConduit.setWriteReadyHandler(
                new WriteReadyHandler.ChannelListenerHandler<>(channel.getSinkChannel()));
    }

    /**
     * Closes the connection as soon as its client has the last response.
     *
     * @param sending whether the client is known to be sending
     * @param onEnd runs once it is closed
     */
    void linger(boolean sending, Runnable onEnd) {
        if (receiver.isClosing()) {
            onEnd.run();
            return;
        }
        detach();
        receiver.drop();
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

    /** The endpoint is closing: the connection ends after the current exchange, or if no further request arrives. */
    public void leave() {
        receiver.leave();
    }
}
