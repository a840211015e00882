package io.webproxy.undertow.forward;

import io.undertow.client.ClientConnection;
import io.undertow.client.ClientExchange;
import io.undertow.client.ClientRequest;
import io.undertow.client.ClientResponse;
import io.undertow.client.ClientStatistics;
import io.undertow.client.ContinueNotification;
import io.undertow.client.PushCallback;
import io.undertow.connector.ByteBufferPool;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AbstractAttachable;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.Option;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** What Undertow's proxy handler sees of a connection and an exchange, as far as there is nothing to decide. */
abstract class Facade extends AbstractAttachable implements ClientConnection, ClientExchange {
    private static final InetSocketAddress NOWHERE = InetSocketAddress.createUnresolved("upstream", 0);

    private final HttpServerExchange http;

    Facade(HttpServerExchange http) {
        this.http = http;
    }

    final HttpServerExchange http() {
        return http;
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
        // an upstream that pushes breaks the rules
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
        // nobody listens: the exchange ends itself
    }
}
