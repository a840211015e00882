package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.spi.TlsProvider;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.engine.EngineContext;
import io.webproxy.undertow.tls.engine.TlsEngines;
import io.webproxy.undertow.tls.keys.TrustFile;
import java.io.IOException;
import java.security.GeneralSecurityException;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * TLS to upstreams: TLS 1.3 and 1.2, with ALPN (RFC 7301): {@code http/1.1}, or {@code h2} before it.
 *
 * <p>It presents a client certificate if the upstream asks for one and one is configured. The upstream's certificate
 * must be trusted and must name the host, an IP address as {@code iPAddress} (RFC 9525); this can't be turned off.
 * Immutable.
 */
public final class ClientTls {
    private final TlsEngines engines;
    private final SSLContext inner;
    private final SSLContext context;
    private final SSLContext http2;

    private ClientTls(TlsEngines engines, UpstreamKeys keys) throws GeneralSecurityException, IOException {
        this.engines = engines;
        KeyManager[] identity = keys.identity().isEmpty()
                ? new KeyManager[0]
                : new KeyManager[] {new IdentityKeyManager(keys.identity())};
        this.inner = engines.context(identity, NamedAuthType.around(TrustFile.managers(keys.trusted())));
        this.context = new EngineContext(inner, (host, port) -> newEngine(host, port, "http/1.1"));
        this.http2 = new EngineContext(inner, (host, port) -> newEngine(host, port, "h2", "http/1.1"));
    }

    /**
     * Makes the context. Not for an IO thread.
     *
     * @throws ProxyStartException with one sentence, if the keys can't be used
     */
    public static ClientTls create(UpstreamKeys keys, TlsProvider provider) {
        TlsEngines engines = TlsEngines.of(provider);
        for (KeyMaterial entry : keys.identity()) {
            if (!engines.canServe(entry.keyType())) {
                throw new ProxyStartException("The key of the " + entry + " is of a kind that " + engines.name()
                        + " can't use: use an EC or RSA key, or jdkTls(true).");
            }
        }
        try {
            return new ClientTls(engines, keys);
        } catch (GeneralSecurityException | IOException e) {
            throw new ProxyStartException("TLS to upstreams can't start: " + e.getMessage() + ".", e);
        }
    }

    /** The context for HTTP/1.1; make engines with the upstream's host and port. */
    public SSLContext sslContext() {
        return context;
    }

    /**
     * The same with HTTP/2 offered too: after the handshake the engine's application protocol is the upstream's choice.
     */
    public SSLContext http2Context() {
        return http2;
    }

    private SSLEngine newEngine(@Nullable String host, int port, String... protocols) {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setApplicationProtocols(protocols);
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        return engines.newEngine(inner, host == null ? null : plain(host), port, true, parameters);
    }

    /** A host without brackets or the final dot, as it is in certificates and SNI (RFC 6066 section 3). */
    private static String plain(String host) {
        if (host.startsWith("[") && host.endsWith("]")) {
            return host.substring(1, host.length() - 1);
        }
        return host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    }
}
