package io.webproxy.undertow.http1;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.AbstractServerConnection;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.HttpUpgradeListener;
import io.undertow.server.SSLSessionInfo;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.channels.SslChannel;

/** The methods that Undertow requires of a connection, as far as they need no decision. */
abstract class UndertowConnection extends AbstractServerConnection {
    private final boolean secure;
    private @Nullable SSLSessionInfo sessionInfo;
    private @Nullable HttpUpgradeListener upgrade;

    UndertowConnection(StreamConnection connection, ByteBufferPool buffers, HttpHandler root) {
        super(connection, buffers, root, OptionMap.EMPTY, buffers.getBufferSize());
        this.secure = connection instanceof SslChannel;
    }

    /** Whether it uses TLS. */
    final boolean isSecure() {
        return secure;
    }

    final boolean isOnThread() {
        return Thread.currentThread() == getIoThread();
    }

    final void closeNow() {
        IoUtils.safeClose(channel);
    }

    /** Takes over the connection after a 101; null if no upgrade was requested. */
    final @Nullable HttpUpgradeListener upgrade() {
        return upgrade;
    }

    @Override
    public final @Nullable SSLSession getSslSession() {
        return secure ? ((SslChannel) channel).getSslSession() : null;
    }

    @Override
    public final @Nullable SSLSessionInfo getSslSessionInfo() {
        return sessionInfo;
    }

    @Override
    public final void setSslSessionInfo(@Nullable SSLSessionInfo info) {
        sessionInfo = info;
    }

    @Override
    public final HttpServerExchange sendOutOfBandResponse(HttpServerExchange http) {
        throw new UnsupportedOperationException("interim responses go through the client's stream");
    }

    @Override
    public final boolean isContinueResponseSupported() {
        return false;
    }

    @Override
    protected final StreamConnection upgradeChannel() {
        return channel;
    }

    @Override
    protected final boolean isUpgradeSupported() {
        return true;
    }

    @Override
    protected final void setUpgradeListener(HttpUpgradeListener listener) {
        upgrade = listener;
    }

    @Override
    protected final boolean isConnectSupported() {
        return false;
    }

    @Override
    protected final void setConnectListener(HttpUpgradeListener listener) {
        throw new UnsupportedOperationException("CONNECT");
    }

    @Override
    public final String getTransportProtocol() {
        return "http/1.1";
    }
}
