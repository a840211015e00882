package io.webproxy.undertow.tls.engine;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BiFunction;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Wraps a TLS engine: remembers its first failure and, on a server, the keys of its handshake, and whether that resumed
 * a session.
 */
public abstract class ForwardingSslEngine extends SSLEngine {
    final SSLEngine inner;

    /** What a server's engine may serve in its handshake; null for a client's engine, or if unknown. */
    public @Nullable HandshakeKeys keys;

    /** Of a server, until it has told whether a session is resumed; called by one thread at a time. */
    private @Nullable ServerFlight flight;

    private volatile boolean resumed;
    private volatile @Nullable Exception failure;

    ForwardingSslEngine(SSLEngine inner, boolean client) {
        this.inner = inner;
        this.flight = client ? null : new ServerFlight();
    }

    /** Whole records were put into a buffer, from this index to its position. */
    final void produced(ByteBuffer records, int from) {
        ServerFlight unread = flight;
        if (unread != null && unread.read(records, from, records.position())) {
            resumed = unread.isResumed();
            flight = null;
        }
    }

    /** Whether the handshake has resumed a session of an earlier connection; false for a client's engine. */
    public final boolean isResumed() {
        return resumed;
    }

    /** The engine has failed; the first reason is kept. */
    final void failed(Exception why) {
        if (failure == null) {
            failure = why;
        }
    }

    /** Why it failed, or null. */
    public final @Nullable Exception failure() {
        return failure;
    }

    @Override
    public void closeInbound() throws SSLException {
        inner.closeInbound();
    }

    @Override
    public void closeOutbound() {
        inner.closeOutbound();
    }

    @Override
    public boolean isOutboundDone() {
        return inner.isOutboundDone();
    }

    @Override
    public boolean isInboundDone() {
        return inner.isInboundDone();
    }

    @Override
    public @Nullable Runnable getDelegatedTask() {
        Runnable task = inner.getDelegatedTask();
        HandshakeKeys now = keys;
        if (task == null || now == null) {
            return task;
        }
        return () -> {
            HandshakeKeys.enter(now);
            try {
                task.run();
            } finally {
                HandshakeKeys.leave(now);
            }
        };
    }

    @Override
    public @Nullable String getPeerHost() {
        return inner.getPeerHost();
    }

    @Override
    public int getPeerPort() {
        return inner.getPeerPort();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return inner.getSupportedCipherSuites();
    }

    @Override
    public String[] getEnabledCipherSuites() {
        return inner.getEnabledCipherSuites();
    }

    @Override
    public void setEnabledCipherSuites(String[] suites) {
        inner.setEnabledCipherSuites(suites);
    }

    @Override
    public String[] getSupportedProtocols() {
        return inner.getSupportedProtocols();
    }

    @Override
    public String[] getEnabledProtocols() {
        return inner.getEnabledProtocols();
    }

    @Override
    public void setEnabledProtocols(String[] protocols) {
        inner.setEnabledProtocols(protocols);
    }

    @Override
    public SSLParameters getSSLParameters() {
        return inner.getSSLParameters();
    }

    @Override
    public void setSSLParameters(SSLParameters parameters) {
        inner.setSSLParameters(parameters);
    }

    @Override
    public SSLSession getSession() {
        return inner.getSession();
    }

    @Override
    public @Nullable SSLSession getHandshakeSession() {
        return inner.getHandshakeSession();
    }

    @Override
    public void beginHandshake() throws SSLException {
        inner.beginHandshake();
    }

    @Override
    public HandshakeStatus getHandshakeStatus() {
        return inner.getHandshakeStatus();
    }

    @Override
    public void setUseClientMode(boolean mode) {
        inner.setUseClientMode(mode);
    }

    @Override
    public boolean getUseClientMode() {
        return inner.getUseClientMode();
    }

    @Override
    public void setNeedClientAuth(boolean need) {
        inner.setNeedClientAuth(need);
    }

    @Override
    public boolean getNeedClientAuth() {
        return inner.getNeedClientAuth();
    }

    @Override
    public void setWantClientAuth(boolean want) {
        inner.setWantClientAuth(want);
    }

    @Override
    public boolean getWantClientAuth() {
        return inner.getWantClientAuth();
    }

    @Override
    public void setEnableSessionCreation(boolean flag) {
        inner.setEnableSessionCreation(flag);
    }

    @Override
    public boolean getEnableSessionCreation() {
        return inner.getEnableSessionCreation();
    }

    @Override
    public @Nullable String getApplicationProtocol() {
        return inner.getApplicationProtocol();
    }

    @Override
    public @Nullable String getHandshakeApplicationProtocol() {
        return inner.getHandshakeApplicationProtocol();
    }

    @Override
    public void setHandshakeApplicationProtocolSelector(BiFunction<SSLEngine, List<String>, String> selector) {
        inner.setHandshakeApplicationProtocolSelector(selector);
    }

    @Override
    public BiFunction<SSLEngine, List<String>, String> getHandshakeApplicationProtocolSelector() {
        return inner.getHandshakeApplicationProtocolSelector();
    }
}
