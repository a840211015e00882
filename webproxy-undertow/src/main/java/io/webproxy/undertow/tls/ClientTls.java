package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.tls.TlsProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.NoSuchAlgorithmException;
import java.security.NoSuchProviderException;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of TLS, towards upstreams: TLS 1.3 and 1.2, ALPN {@code http/1.1}.
 *
 * <p>The upstream's certificate has to be trusted and to name the host that was asked for, an IP address as
 * {@code iPAddress} (RFC 9525). There is no way around that. Immutable.
 */
public final class ClientTls {
    private final TlsEngines engines;
    private final SSLContext inner;
    private final SSLContext context;

    private ClientTls(TlsEngines engines, TrustManagerFactory trust) throws GeneralSecurityException {
        this.engines = engines;
        this.inner = engines.context(new KeyManager[0], NamedAuthType.around(trust.getTrustManagers()));
        this.context = new EngineContext(inner, this::newEngine);
    }

    /**
     * Makes the context. Reads files: not for an IO thread.
     *
     * @param pemTrust the certificates to trust in place of the JVM's trust store
     * @throws ProxyStartException with one sentence, if that file can't be used
     */
    public static ClientTls create(Optional<Path> pemTrust, TlsProvider provider) {
        try {
            TrustManagerFactory trust = trustManagers();
            trust.init(pemTrust.isPresent() ? keyStore(pemTrust.get()) : null);
            return new ClientTls(TlsEngines.of(provider), trust);
        } catch (GeneralSecurityException | IOException e) {
            throw new ProxyStartException("TLS to upstreams can't start: " + e.getMessage() + ".", e);
        }
    }

    /**
     * The JDK's, for Conscrypt too: they compare the host name with the certificate, Conscrypt's want a callback for
     * it.
     */
    private static TrustManagerFactory trustManagers() throws NoSuchAlgorithmException {
        try {
            return TrustManagerFactory.getInstance("PKIX", "SunJSSE");
        } catch (NoSuchProviderException e) {
            return TrustManagerFactory.getInstance("PKIX");
        }
    }

    private static KeyStore keyStore(Path pem) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        int number = 0;
        for (X509Certificate certificate :
                PemFile.read(pem, "trusted certificates").certificates()) {
            store.setCertificateEntry("trusted-" + number++, certificate);
        }
        return store;
    }

    /** The context; make engines with the upstream's host and port. */
    public SSLContext sslContext() {
        return context;
    }

    private SSLEngine newEngine(@Nullable String host, int port) {
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setApplicationProtocols(new String[] {"http/1.1"});
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        return engines.newEngine(inner, host == null ? null : plain(host), port, true, parameters);
    }

    /** Without brackets or the dot at the end, as names stand in certificates and SNI (RFC 6066 section 3). */
    private static String plain(String host) {
        if (host.startsWith("[") && host.endsWith("]")) {
            return host.substring(1, host.length() - 1);
        }
        return host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
    }
}
