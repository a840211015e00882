package io.webproxy.undertow.tls;

import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Checks client certificates by the JDK's trust manager (RFC 5280 section 6), also for Conscrypt; refuses all server
 * certificates. Thread-safe.
 */
final class TrustedClients extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager jdk;

    TrustedClients(X509ExtendedTrustManager jdk) {
        this.jdk = jdk;
    }

    /**
     * The JDK's trust manager (17 to 25) accepts a certificate that is itself in the trust store without checking its
     * dates. Canary: {@code JdkDefectsTest.expiredCertificateInTheTrustStoreIsTrusted}.
     */
    private static void checkDates(X509Certificate[] chain) throws CertificateException {
        if (chain.length > 0) {
            chain[0].checkValidity();
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        checkDates(chain);
        jdk.checkClientTrusted(chain, authType, engine);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        checkDates(chain);
        jdk.checkClientTrusted(chain, authType, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        checkDates(chain);
        jdk.checkClientTrusted(chain, authType);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw noServers();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw noServers();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw noServers();
    }

    private static CertificateException noServers() {
        return new CertificateException("no server is trusted here");
    }

    /** The authorities named to clients when they are asked for a certificate (RFC 8446 section 4.2.4). */
    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return jdk.getAcceptedIssuers();
    }
}
