package io.webproxy.undertow.tls;

import io.undertow.connector.ByteBufferPool;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.ProxyStartException;
import io.webproxy.spi.TlsProvider;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.engine.EngineContext;
import io.webproxy.undertow.tls.engine.TlsEngines;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.ssl.SslConnection;

/**
 * TLS 1.3 between two sides that know each other's keys: both present a certificate, and only its key is compared.
 * There is one application protocol (ALPN, RFC 7301). Thread-safe.
 */
public final class PinnedTls {
    /** Checks the key of a certificate; called on an IO thread. */
    @FunctionalInterface
    public interface Pins {
        /**
         * Returns if the key is expected.
         *
         * @throws CertificateException if it isn't
         */
        void check(X509Certificate leaf) throws CertificateException;
    }

    private final TlsEngines engines;
    private final SSLContext inner;
    private final String protocol;
    private final UndertowXnioSsl ssl;

    private PinnedTls(TlsEngines engines, SSLContext inner, String protocol, ByteBufferPool records, boolean client) {
        this.engines = engines;
        this.inner = inner;
        this.protocol = protocol;
        SSLContext context = new EngineContext(inner, (host, port) -> newEngine(host, port, client));
        this.ssl = new UndertowXnioSsl(Xnio.getInstance(), OptionMap.EMPTY, records, context);
    }

    /** The side that accepts; {@code records} holds a whole TLS record in each buffer. */
    public static PinnedTls server(
            KeyMaterial own, Pins pins, String protocol, ByteBufferPool records, TlsProvider provider) {
        return create(own, pins, protocol, records, provider, false);
    }

    /** The side that dials. */
    public static PinnedTls client(
            KeyMaterial own, Pins pins, String protocol, ByteBufferPool records, TlsProvider provider) {
        return create(own, pins, protocol, records, provider, true);
    }

    private static PinnedTls create(
            KeyMaterial own, Pins pins, String protocol, ByteBufferPool records, TlsProvider provider, boolean client) {
        TlsEngines engines = TlsEngines.of(provider);
        try {
            SSLContext inner = engines.context(
                    new KeyManager[] {new PinnedKeyManager(own)}, new TrustManager[] {new PinnedTrustManager(pins)});
            return new PinnedTls(engines, inner, protocol, records, client);
        } catch (GeneralSecurityException e) {
            throw new ProxyStartException("TLS by " + engines.name() + " can't start: " + e.getMessage() + ".", e);
        }
    }

    private SSLEngine newEngine(@Nullable String host, int port, boolean client) {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3"});
        parameters.setApplicationProtocols(new String[] {protocol});
        if (!client) {
            parameters.setNeedClientAuth(true);
        }
        return engines.newEngine(inner, client ? host : null, port, client, parameters);
    }

    /** TLS over a connection that was accepted. */
    public SslConnection accept(StreamConnection connection) {
        return ssl.wrapExistingConnection(connection, OptionMap.EMPTY, false);
    }

    /** TLS over a connection that was dialled; SNI names the host, unless it is an address. */
    public SslConnection dial(StreamConnection connection, String host, int port) {
        return ssl.wrapExistingConnection(
                connection,
                OptionMap.builder()
                        .set(Options.SSL_PEER_HOST_NAME, host)
                        .set(Options.SSL_PEER_PORT, port)
                        .getMap(),
                true);
    }

    /** The peer's leaf certificate after the handshake; null if there is none. */
    public static @Nullable X509Certificate peer(SslConnection connection) {
        try {
            return UndertowXnioSsl.getSslEngine(connection).getSession().getPeerCertificates()[0]
                            instanceof X509Certificate leaf
                    ? leaf
                    : null;
        } catch (javax.net.ssl.SSLPeerUnverifiedException e) {
            return null;
        }
    }
}
