package io.webproxy.spi;

import io.webproxy.tls.KeyMaterial;

/**
 * Answers the challenges by which a CA checks that this server has control of a name (RFC 8555 section 8, RFC 8737, RFC
 * 8738). Thread-safe; answers are given from the moment on at which a method here returns, and until what it returned
 * is closed.
 */
public interface ChallengeResponder {
    /** The port of the first endpoint that answers {@code http-01}: a cleartext one; 0 if there is none. */
    int httpPort();

    /** The port of the first endpoint that answers {@code tls-alpn-01}: one that speaks TLS; 0 if there is none. */
    int httpsPort();

    /**
     * Answers {@code GET /.well-known/acme-challenge/TOKEN} on every cleartext endpoint, before redirect, route and
     * password, with 200 and the key authorization (RFC 8555 section 8.3). Tokens that aren't known here go their usual
     * way, so that what is after the proxy can use the same path.
     *
     * @throws IllegalArgumentException if the token isn't base64url
     */
    Answer http(String token, String keyAuthorization);

    /**
     * Shows this certificate to clients that offer {@code acme-tls/1} and nothing else by ALPN and ask for this name
     * (RFC 8737 section 3). The connection is closed after the handshake.
     *
     * @param name a DNS name, or an IP address, which the CA asks for by its reverse name (RFC 8738 section 6)
     */
    Answer tlsAlpn(String name, KeyMaterial certificate);

    /** An answer that is being given. */
    interface Answer extends AutoCloseable {
        /** Gives it no longer; may be called again. */
        @Override
        void close();
    }
}
