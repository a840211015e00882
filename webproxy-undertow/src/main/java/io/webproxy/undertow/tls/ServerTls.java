package io.webproxy.undertow.tls;

import io.webproxy.ProxyStartException;
import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.TlsProvider;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.Options;

/**
 * The server's side of TLS: one context for its whole life, whose certificates can be swapped.
 *
 * <p>TLS 1.3 and 1.2, the latter only with forward secrecy and AEAD (RFC 9325 section 4.2), the server's order of
 * suites; ALPN {@code h2}, {@code http/1.1} (RFC 7301); session tickets. Thread-safe.
 */
public final class ServerTls {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    private static final List<String> SUITES = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    /** Marks a peer host that is the local address; a client's address is no reason to choose a certificate. */
    private static final String REACHED_AT = "reached-at:";

    private final TlsEngines engines;
    private final CertificateLoader loader;
    private final SniKeyManager keys;
    private final SSLContext inner;
    private final SSLContext context;
    private final String[] suites;

    private ServerTls(List<CertificateSource> sources, TlsEngines engines, Clock clock) {
        this.engines = engines;
        this.loader = new CertificateLoader(clock);
        this.keys = new SniKeyManager(servable(loader.load(sources), engines));
        try {
            this.inner = engines.context(new KeyManager[] {keys}, new TrustManager[0]);
        } catch (GeneralSecurityException e) {
            throw new ProxyStartException("TLS by " + engines.name() + " can't start: " + e.getMessage() + ".", e);
        }
        this.suites = supported(inner);
        this.context = new EngineContext(inner, (host, port) -> newEngine(host));
    }

    /**
     * Loads the certificates and makes the context. Reads files and, for a self-signed certificate, makes a key: not
     * for an IO thread.
     *
     * @param sources the first is for clients that ask for no name or an unknown one; empty for a self-signed
     *     certificate for localhost and the local names and addresses, which one WARN line announces
     * @throws ProxyStartException with one sentence, if one can't be served
     */
    public static ServerTls create(List<CertificateSource> sources, TlsProvider provider) {
        return create(sources, provider, Clock.systemUTC());
    }

    static ServerTls create(List<CertificateSource> sources, TlsProvider provider, Clock clock) {
        ServerTls tls = new ServerTls(sources, TlsEngines.of(provider), clock);
        LOG.info("TLS is served by {}", tls.providerName());
        return tls;
    }

    private static String[] supported(SSLContext context) {
        Set<String> supported =
                Set.copyOf(Arrays.asList(context.getSupportedSSLParameters().getCipherSuites()));
        return SUITES.stream().filter(supported::contains).toArray(String[]::new);
    }

    /** Who serves: {@code Conscrypt} or {@code JDK}. */
    public String providerName() {
        return engines.name();
    }

    /** The context; its engines come configured, also for {@link SSLEngine#setUseClientMode} to be called once more. */
    public SSLContext sslContext() {
        return context;
    }

    /**
     * The options with which to wrap a connection, for a client that names no host to get the certificate of the
     * address that it reached.
     *
     * @param local the connection's local address, null if unknown
     */
    public static OptionMap reachedAt(@Nullable InetSocketAddress local) {
        return local == null || local.getAddress() == null
                ? OptionMap.EMPTY
                : OptionMap.create(
                        Options.SSL_PEER_HOST_NAME,
                        REACHED_AT + withoutZone(local.getAddress().getHostAddress()));
    }

    private static String withoutZone(String address) {
        int zone = address.indexOf('%');
        return zone < 0 ? address : address.substring(0, zone);
    }

    /**
     * Loads these certificates and serves them from the next handshake on, all or none. Files are read again; a
     * self-signed certificate that isn't stored stays as long as its names and key kind do.
     *
     * @throws ProxyStartException with one sentence, if one can't be served: then all stays as it was
     */
    public void update(List<CertificateSource> sources) {
        synchronized (loader) {
            keys.update(servable(loader.load(sources), engines));
        }
    }

    /**
     * Whether a request came over a connection whose certificate isn't for its host, although there is one for it (RFC 9110 section 15.5.20).
     *
     * @param session the connection's
     * @param local the connection's local address
     * @param host lower case, without a port and a trailing dot
     */
    public boolean isMisdirected(SSLSession session, InetSocketAddress local, String host) {
        return session instanceof ExtendedSSLSession extended && keys.isMisdirected(extended, local.getAddress(), host);
    }

    private static List<KeyEntry> servable(List<KeyEntry> entries, TlsEngines engines) {
        for (KeyEntry entry : entries) {
            if (!engines.canServe(entry.keyType())) {
                throw new ProxyStartException("The key of the " + entry + " is of a kind that " + engines.name()
                        + " can't serve: use an EC or RSA key, or tlsProvider(TlsProvider.JDK).");
            }
            LOG.info("Serving the {}", entry);
        }
        return entries;
    }

    private SSLEngine newEngine(@Nullable String host) {
        String local = host != null && host.startsWith(REACHED_AT) ? host.substring(REACHED_AT.length()) : null;
        SSLParameters parameters = new SSLParameters(suites, new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setUseCipherSuitesOrder(true);
        parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});
        return engines.newEngine(inner, local, 0, false, parameters);
    }
}
