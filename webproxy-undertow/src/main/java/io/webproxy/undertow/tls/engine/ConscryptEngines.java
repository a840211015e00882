package io.webproxy.undertow.tls.engine;

import java.security.GeneralSecurityException;
import java.security.Provider;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.conscrypt.Conscrypt;
import org.jspecify.annotations.Nullable;

/**
 * TLS by Conscrypt, from a provider instance that isn't registered in the JVM. Loading this class may fail with a
 * {@link LinkageError}.
 */
final class ConscryptEngines extends TlsEngines {
    private final Provider provider;

    private ConscryptEngines(Provider provider) {
        this.provider = provider;
    }

    /** Conscrypt, or null if its native library doesn't load. */
    static @Nullable TlsEngines orNull() {
        return Conscrypt.isAvailable() ? new ConscryptEngines(Conscrypt.newProvider()) : null;
    }

    @Override
    public String name() {
        return "Conscrypt";
    }

    @Override
    public boolean canServe(String keyType) {
        return keyType.equals("EC") || keyType.equals("RSA");
    }

    @Override
    SSLContext newContext() throws GeneralSecurityException {
        return SSLContext.getInstance("TLS", provider);
    }

    @Override
    public SSLEngine newEngine(
            SSLContext context, @Nullable String host, int port, boolean client, SSLParameters parameters) {
        SSLEngine engine = host == null ? context.createSSLEngine() : context.createSSLEngine(host, port);
        engine.setUseClientMode(client);
        if (host == null || !isServerName(host)) {
            // else its getSSLParameters() (2.9.0) throws for names that SNI can't carry; canary:
            // ConscryptDefectsTest.namesThatSniCannotCarryMakeItThrow
            Conscrypt.setHostname(engine, null);
        }
        engine.setSSLParameters(parameters);
        // off by default (2.9.0); canary: ConscryptDefectsTest.sessionsAreResumedOnlyWhenToldSo
        Conscrypt.setUseSessionTickets(engine, true);
        Conscrypt.setBufferAllocator(engine, RecordBuffers.BRIDGE);
        return new ReleasingSslEngine(engine, client);
    }

    private static boolean isServerName(String host) {
        try {
            return !new SNIHostName(host).getAsciiName().isEmpty();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
