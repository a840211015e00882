package io.webproxy.samples;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** What a server shows: for a self-signed certificate that exists only while the server runs. */
final class PresentedCertificate {
    private PresentedCertificate() {}

    /** The leaf that a server on localhost presents. Trusts nothing: the handshake ends there. */
    static X509Certificate of(int port) throws IOException, GeneralSecurityException {
        AtomicReference<X509Certificate> seen = new AtomicReference<>();
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Refusing(seen)}, null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
            socket.startHandshake();
            throw new AssertionError("a certificate that was refused has been taken");
        } catch (SSLHandshakeException e) {
            X509Certificate leaf = seen.get();
            if (leaf == null) {
                throw e;
            }
            return leaf;
        }
    }

    private record Refusing(AtomicReference<X509Certificate> seen) implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw new CertificateException("a server");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            seen.set(chain[0]);
            throw new CertificateException("seen");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
