package io.webproxy.undertow.forward;

import io.undertow.client.ClientCallback;
import io.undertow.client.ClientConnection;
import io.undertow.client.ClientExchange;
import io.undertow.client.ClientRequest;
import io.undertow.client.ClientResponse;
import io.undertow.client.ClientStatistics;
import io.undertow.client.ContinueNotification;
import io.undertow.client.PushCallback;
import io.undertow.connector.ByteBufferPool;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.ResponseCodeHandler;
import io.undertow.server.handlers.proxy.ProxyCallback;
import io.undertow.server.handlers.proxy.ProxyClient;
import io.undertow.server.handlers.proxy.ProxyConnection;
import io.undertow.server.handlers.proxy.ProxyHandler;
import io.undertow.util.AbstractAttachable;
import io.undertow.util.HeaderMap;
import io.undertow.util.Protocols;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.ParsedHead;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.Option;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.Configurable;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;

/**
 * All of the glue to Undertow's proxy handler. The handler asks for a connection and runs an exchange on it; this
 * class, one instance per exchange, plays both. It decides nothing and never waits: subclasses do.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread.
 */
abstract class Facade extends AbstractAttachable implements ClientConnection, ClientExchange {
    private static final InetSocketAddress NOWHERE = InetSocketAddress.createUnresolved("upstream", 0);

    private final HttpServerExchange http;
    private @Nullable ClientCallback<ClientExchange> onSent;
    private @Nullable ClientCallback<ClientExchange> onResponse;
    private @Nullable ConduitStreamSinkChannel requestChannel;
    private @Nullable ConduitStreamSourceChannel responseChannel;
    private @Nullable ClientResponse response;
    private boolean open = true;

    Facade(HttpServerExchange http) {
        this.http = http;
    }

    /**
     * Makes the proxy handler.
     *
     * @param facades makes the façade of an exchange
     */
    static ProxyHandler handler(Function<Exchange, Facade> facades) {
        return ProxyHandler.builder()
                .setProxyClient(new Client(facades))
                .setMaxRequestTime(-1)
                .setMaxConnectionRetries(0)
                .setNext(ResponseCodeHandler.HANDLE_404)
                .build();
    }

    private record Client(Function<Exchange, Facade> facades) implements ProxyClient {
        private static final ProxyTarget TARGET = new ProxyTarget() {};

        @Override
        public ProxyTarget findTarget(HttpServerExchange http) {
            return TARGET;
        }

        @Override
        public List<ProxyTarget> getAllTargets() {
            return List.of(TARGET);
        }

        @Override
        public void getConnection(
                ProxyTarget target,
                HttpServerExchange http,
                ProxyCallback<ProxyConnection> callback,
                long timeout,
                TimeUnit unit) {
            Exchange exchange = Exchange.of(http);
            if (!exchange.isEnded()) {
                callback.completed(http, new ProxyConnection(facades.apply(exchange), "/"));
            }
        }
    }

    final HttpServerExchange http() {
        return http;
    }

    /** The handler wants the request to be sent. */
    abstract void begin();

    /** The IO thread is ending, because the server has closed. */
    abstract void threadEnds();

    /** The handler threw. */
    abstract void handlerFailed();

    @Override
    public final void sendRequest(ClientRequest request, ClientCallback<ClientExchange> callback) {
        onSent = callback;
        begin();
    }

    /** The exchange has ended, or continues without the handler: ignores what else is reported to it. */
    final void shut() {
        open = false;
    }

    @Override
    public final boolean isOpen() {
        return open;
    }

    /** Whether the handler knows the sink for the request body. */
    final boolean isSending() {
        return requestChannel != null;
    }

    /** The head was written: gives the handler the sink for the request body. */
    final void send(StreamSinkConduit body) {
        requestChannel = new ConduitStreamSinkChannel(Configurable.EMPTY, body);
        ClientCallback<ClientExchange> callback = onSent;
        if (callback != null) {
            onSent = null;
            guarded(() -> callback.completed(this));
        }
    }

    /** Keeps a response for {@link #respond}. */
    final void setResponse(ParsedHead answer, HeaderMap fields, StreamSourceConduit body) {
        response = new ClientResponse(
                answer.status(), answer.reason().isEmpty() ? null : answer.reason(), Protocols.HTTP_1_1, fields);
        responseChannel = new ConduitStreamSourceChannel(Configurable.EMPTY, body);
    }

    /** Gives the handler the response. */
    final void respond() {
        ClientCallback<ClientExchange> callback = onResponse;
        if (callback != null) {
            guarded(() -> callback.completed(this));
        }
    }

    /** Makes the handler read the response body again. */
    final void wakeReads() {
        if (responseChannel != null) {
            responseChannel.wakeupReads();
        }
    }

    /**
     * Runs a callback of the handler (2.4.4) outside of its calls: an exception would end up in the IO thread's loop,
     * and leave the client waiting forever. Canary:
     * {@code ProxyHandlerDefectsTest.callbackThrowsIntoTheLoopOfTheThread}.
     */
    private void guarded(Runnable call) {
        try {
            call.run();
        } catch (RejectedExecutionException e) {
            threadEnds();
        } catch (Throwable e) {
            Guard.failed("the proxy handler", e);
            handlerFailed();
        }
    }

    @Override
    public final void setResponseListener(ClientCallback<ClientExchange> listener) {
        onResponse = listener;
    }

    @Override
    public final StreamSinkChannel getRequestChannel() {
        return Objects.requireNonNull(requestChannel, "requestChannel");
    }

    @Override
    public final StreamSourceChannel getResponseChannel() {
        return Objects.requireNonNull(responseChannel, "responseChannel");
    }

    @Override
    public final @Nullable ClientResponse getResponse() {
        return response;
    }

    @Override
    public final ClientConnection getConnection() {
        return this;
    }

    @Override
    public final ClientRequest getRequest() {
        return new ClientRequest();
    }

    @Override
    public final @Nullable ClientResponse getContinueResponse() {
        return null;
    }

    @Override
    public final void setContinueHandler(ContinueNotification handler) {
        // interim responses are relayed by the exchange itself
    }

    @Override
    public final void setPushHandler(PushCallback callback) {
        // server push is a protocol error here
    }

    @Override
    public final StreamConnection performUpgrade() {
        throw new IllegalStateException("tunnels don't go through the proxy handler");
    }

    @Override
    public final ByteBufferPool getBufferPool() {
        return http.getConnection().getByteBufferPool();
    }

    @Override
    public final SocketAddress getPeerAddress() {
        return NOWHERE;
    }

    @Override
    public final <A extends SocketAddress> A getPeerAddress(Class<A> type) {
        return type.cast(NOWHERE);
    }

    @Override
    public final SocketAddress getLocalAddress() {
        return NOWHERE;
    }

    @Override
    public final <A extends SocketAddress> A getLocalAddress(Class<A> type) {
        return type.cast(NOWHERE);
    }

    @Override
    public final ChannelListener.Setter<? extends ClientConnection> getCloseSetter() {
        return new ChannelListener.SimpleSetter<ClientConnection>();
    }

    @Override
    public final XnioWorker getWorker() {
        return http.getConnection().getWorker();
    }

    @Override
    public final XnioIoThread getIoThread() {
        return http.getIoThread();
    }

    @Override
    public final boolean supportsOption(Option<?> option) {
        return false;
    }

    @Override
    public final <T> @Nullable T getOption(Option<T> option) {
        return null;
    }

    @Override
    public final <T> @Nullable T setOption(Option<T> option, T value) {
        return null;
    }

    @Override
    public final boolean isUpgraded() {
        return false;
    }

    @Override
    public final boolean isPushSupported() {
        return false;
    }

    @Override
    public final boolean isMultiplexingSupported() {
        return false;
    }

    @Override
    public final @Nullable ClientStatistics getStatistics() {
        return null;
    }

    @Override
    public final boolean isUpgradeSupported() {
        return false;
    }

    @Override
    public final void addCloseListener(ChannelListener<ClientConnection> listener) {
        // there is no listener: the exchange ends itself
    }
}
