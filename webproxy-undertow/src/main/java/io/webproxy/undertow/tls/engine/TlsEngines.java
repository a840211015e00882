package io.webproxy.undertow.tls.engine;

import io.webproxy.spi.TlsProvider;
import java.security.GeneralSecurityException;
import java.security.NoSuchAlgorithmException;
import java.security.NoSuchProviderException;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/** A TLS implementation: makes contexts and engines that are ready to use. Thread-safe. */
public abstract class TlsEngines {
    /** The JDK's TLS. */
    private static final class Jdk extends TlsEngines {
        @Override
        public String name() {
            return "JDK";
        }

        @Override
        public boolean canServe(String keyType) {
            return true;
        }

        @Override
        SSLContext newContext() throws NoSuchAlgorithmException {
            try {
                // by name: another provider may be registered before it
                return SSLContext.getInstance("TLS", "SunJSSE");
            } catch (NoSuchProviderException e) {
                return SSLContext.getInstance("TLS");
            }
        }

        @Override
        public SSLEngine newEngine(
                SSLContext context, @Nullable String host, int port, boolean client, SSLParameters p) {
            SSLEngine engine = host == null ? context.createSSLEngine() : context.createSSLEngine(host, port);
            engine.setUseClientMode(client);
            engine.setSSLParameters(p);
            return client ? new ClientSslEngine(engine) : new KeyedSslEngine(engine);
        }
    }

    /** The implementation to use: Conscrypt if it is wanted and loads, else the JDK's. */
    public static TlsEngines of(TlsProvider provider) {
        if (provider == TlsProvider.AUTO) {
            try {
                TlsEngines conscrypt = ConscryptEngines.orNull();
                if (conscrypt != null) {
                    return conscrypt;
                }
            } catch (LinkageError e) {
                // not on the class path, or made for another JVM: the JDK's is always available
            }
        }
        return new Jdk();
    }

    /** {@code Conscrypt} or {@code JDK}. */
    public abstract String name();

    /** Whether a server key of this type works. */
    public abstract boolean canServe(String keyType);

    /** A context that isn't initialised yet. */
    abstract SSLContext newContext() throws GeneralSecurityException;

    /**
     * An engine, ready for its handshake.
     *
     * @param host for a client, the upstream's name; for a server, null
     */
    public abstract SSLEngine newEngine(
            SSLContext context, @Nullable String host, int port, boolean client, SSLParameters parameters);

    /** A context with these key and trust managers. */
    public final SSLContext context(KeyManager[] keys, TrustManager[] trust) throws GeneralSecurityException {
        SSLContext context = newContext();
        context.init(keys, trust, null);
        return context;
    }
}
