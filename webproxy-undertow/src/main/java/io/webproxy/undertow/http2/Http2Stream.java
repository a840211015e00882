package io.webproxy.undertow.http2;

import io.undertow.UndertowOptions;
import io.undertow.connector.ByteBufferPool;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.HttpUpgradeListener;
import io.undertow.server.SSLSessionInfo;
import io.undertow.server.ServerConnection;
import io.undertow.server.XnioBufferPoolAdaptor;
import io.undertow.util.AttachmentKey;
import io.undertow.util.AttachmentList;
import io.webproxy.undertow.exchange.ClientStream;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.ExchangeSource;
import io.webproxy.undertow.exchange.Origin;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.Option;
import org.xnio.OptionMap;
import org.xnio.Pool;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.Configurable;
import org.xnio.channels.ConnectedChannel;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.StreamSinkConduit;

/**
 * A stream opened by a client. To Undertow it looks like a connection with one exchange; its addresses and TLS session
 * are those of the real connection.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
final class Http2Stream extends ServerConnection implements ExchangeSource, LinkStream {
    private static final OptionMap OPTIONS =
            OptionMap.builder().set(UndertowOptions.ALWAYS_SET_DATE, false).getMap();

    private final Http2Connection connection;
    private final int id;
    /** The protocol of an extended CONNECT, or null. */
    private final @Nullable String protocol;

    private final boolean queryEmpty;
    private final RequestSource source;
    private final ResponseSink sink;
    private @Nullable HttpServerExchange http;
    private @Nullable Http2ClientStream client;
    private @Nullable ConduitStreamSourceChannel sourceChannel;
    private @Nullable ConduitStreamSinkChannel sinkChannel;
    private @Nullable HttpUpgradeListener upgrade;
    private @Nullable SSLSessionInfo sslSessionInfo;
    /** Bytes that were read without updating the window yet. */
    private int owed;

    private int grown;

    Http2Stream(Http2Connection connection, int id, RequestFields head, long window) {
        this.connection = connection;
        this.id = id;
        this.protocol = head.protocol();
        this.queryEmpty = head.path().endsWith("?")
                && head.path().indexOf('?') == head.path().length() - 1;
        this.source = new RequestSource(this);
        this.sink = new ResponseSink(this, window);
    }

    void carries(HttpServerExchange exchange) {
        http = exchange;
    }

    Http2Connection connection() {
        return connection;
    }

    @Override
    public int id() {
        return id;
    }

    /** The protocol of an extended CONNECT (RFC 8441), or null. */
    @Nullable String protocol() {
        return protocol;
    }

    /** Whether the target ends with a question mark and no query. */
    boolean isQueryEmpty() {
        return queryEmpty;
    }

    boolean isTunnelRequest() {
        return protocol != null;
    }

    @Override
    public RequestSource source() {
        return source;
    }

    @Override
    public ResponseSink sink() {
        return sink;
    }

    @Override
    public void failed() {
        connection.failed(this);
    }

    HttpServerExchange http() {
        HttpServerExchange carried = http;
        if (carried == null) {
            throw new IllegalStateException("no exchange yet");
        }
        return carried;
    }

    /** The client's side of the exchange; null before there is one. */
    @Nullable Http2ClientStream client() {
        return client;
    }

    /** Bytes were read; returns by how many bytes to update the window, 0 if they are too few. */
    int owe(int bytes, int enough) {
        owed += bytes;
        if (owed < enough) {
            return 0;
        }
        int due = owed;
        owed = 0;
        return due;
    }

    /** By how much to increase the window so that it is {@code growth} bytes larger than initially. */
    int growBy(int growth) {
        int more = growth - grown;
        grown = growth;
        return more;
    }

    // --- the exchange's source ---

    @Override
    public Origin origin() {
        return connection.client().origin();
    }

    @Override
    public ClientStream stream(Exchange exchange) {
        Http2ClientStream made = new Http2ClientStream(exchange, this);
        client = made;
        return made;
    }

    // --- Undertow's connection ---

    @Override
    protected ConduitStreamSinkChannel getSinkChannel() {
        if (sinkChannel == null) {
            sinkChannel = new ConduitStreamSinkChannel(Configurable.EMPTY, sink);
        }
        return sinkChannel;
    }

    @Override
    protected ConduitStreamSourceChannel getSourceChannel() {
        if (sourceChannel == null) {
            sourceChannel = new ConduitStreamSourceChannel(Configurable.EMPTY, source);
        }
        return sourceChannel;
    }

    @Override
    protected StreamSinkConduit getSinkConduit(HttpServerExchange exchange, StreamSinkConduit conduit) {
        sink.begin(exchange);
        return sink;
    }

    @Override
    protected boolean isUpgradeSupported() {
        return protocol != null;
    }

    @Override
    protected void setUpgradeListener(@Nullable HttpUpgradeListener listener) {
        upgrade = listener;
    }

    /** Whether the request for a tunnel is granted. */
    boolean isUpgraded() {
        return upgrade != null;
    }

    @Override
    protected void exchangeComplete(HttpServerExchange exchange) {
        HttpUpgradeListener listener = upgrade;
        if (listener != null && exchange.isUpgrade()) {
            sink.tunnel();
            listener.handleUpgrade(
                    new StreamTunnel(connection.socket(), this, () -> connection.tunnelClosed(this)), exchange);
        }
    }

    @Override
    protected StreamConnection upgradeChannel() {
        throw new UnsupportedOperationException("a tunnel starts after the exchange");
    }

    @Override
    protected boolean isConnectSupported() {
        return false;
    }

    @Override
    protected void setConnectListener(HttpUpgradeListener listener) {
        throw new UnsupportedOperationException("CONNECT isn't served");
    }

    @Override
    public HttpServerExchange sendOutOfBandResponse(HttpServerExchange exchange) {
        throw new UnsupportedOperationException("interim responses go through the client's stream");
    }

    @Override
    public boolean isContinueResponseSupported() {
        return false;
    }

    @Override
    public void terminateRequestChannel(HttpServerExchange exchange) {
        source.terminateReads();
    }

    @Override
    protected void maxEntitySizeUpdated(HttpServerExchange exchange) {
        // the proxy has its own limits of bodies
    }

    @Override
    public void close() {
        Http2ClientStream known = client;
        if (known != null) {
            known.close(ErrorCode.CANCEL);
        } else {
            connection.reset(this, ErrorCode.INTERNAL_ERROR);
        }
    }

    @Override
    public boolean isOpen() {
        return connection.client().isConnected();
    }

    @Override
    @Deprecated
    public Pool<ByteBuffer> getBufferPool() {
        return new XnioBufferPoolAdaptor(connection.buffers());
    }

    @Override
    public ByteBufferPool getByteBufferPool() {
        return connection.buffers();
    }

    @Override
    public int getBufferSize() {
        return connection.buffers().getBufferSize();
    }

    @Override
    public XnioWorker getWorker() {
        return connection.socket().getWorker();
    }

    @Override
    public XnioIoThread getIoThread() {
        return connection.socket().getIoThread();
    }

    @Override
    public boolean supportsOption(Option<?> option) {
        return false;
    }

    @Override
    public <T> @Nullable T getOption(Option<T> option) {
        return null;
    }

    @Override
    public <T> @Nullable T setOption(Option<T> option, T value) {
        return null;
    }

    @Override
    public SocketAddress getPeerAddress() {
        return connection.socket().getPeerAddress();
    }

    @Override
    public <A extends SocketAddress> A getPeerAddress(Class<A> type) {
        return connection.socket().getPeerAddress(type);
    }

    @Override
    public SocketAddress getLocalAddress() {
        return connection.socket().getLocalAddress();
    }

    @Override
    public <A extends SocketAddress> A getLocalAddress(Class<A> type) {
        return connection.socket().getLocalAddress(type);
    }

    @Override
    public OptionMap getUndertowOptions() {
        return OPTIONS;
    }

    @Override
    public @Nullable SSLSession getSslSession() {
        return connection.client().sslSession();
    }

    @Override
    public @Nullable SSLSessionInfo getSslSessionInfo() {
        return sslSessionInfo;
    }

    @Override
    public void setSslSessionInfo(@Nullable SSLSessionInfo info) {
        sslSessionInfo = info;
    }

    @Override
    public void addCloseListener(CloseListener listener) {
        connection.client().onClose(() -> listener.closed(this));
    }

    @Override
    public ChannelListener.Setter<? extends ConnectedChannel> getCloseSetter() {
        return connection.socket().getCloseSetter();
    }

    @Override
    public String getTransportProtocol() {
        return "h2";
    }

    @Override
    public boolean isRequestTrailerFieldsSupported() {
        return true;
    }

    // --- what is attached belongs to the client's connection ---

    @Override
    public <T> @Nullable T getAttachment(AttachmentKey<T> key) {
        return connection.client().attachments().getAttachment(key);
    }

    @Override
    public <T> @Nullable List<T> getAttachmentList(AttachmentKey<? extends List<T>> key) {
        return connection.client().attachments().getAttachmentList(key);
    }

    @Override
    public <T> @Nullable T putAttachment(AttachmentKey<T> key, T value) {
        return connection.client().attachments().putAttachment(key, value);
    }

    @Override
    public <T> @Nullable T removeAttachment(AttachmentKey<T> key) {
        return connection.client().attachments().removeAttachment(key);
    }

    @Override
    public <T> void addToAttachmentList(AttachmentKey<AttachmentList<T>> key, T value) {
        connection.client().attachments().addToAttachmentList(key, value);
    }
}
