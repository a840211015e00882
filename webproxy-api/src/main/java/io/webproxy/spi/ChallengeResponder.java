package io.webproxy.spi;

import io.webproxy.tls.KeyMaterial;

/**
 * Answers ACME challenges, by which a CA checks that this server controls a name (RFC 8555 section 8, RFC 8737, RFC
 * 8738). Thread-safe; an answer is active from the return of the method until the returned object is closed.
 */
public interface ChallengeResponder {
    /** The port of the first endpoint that answers {@code http-01}: a cleartext one; 0 if there is none. */
    int httpPort();

    /** The port of the first endpoint that answers {@code tls-alpn-01}: one that speaks TLS; 0 if there is none. */
    int httpsPort();

    /**
     * Answers {@code GET /.well-known/acme-challenge/TOKEN} on every cleartext endpoint, before redirects, routing and
     * authentication, with 200 and the key authorization (RFC 8555 section 8.3). Requests with unknown tokens are
     * handled as usual, so that upstreams can use the same path.
     *
     * @throws IllegalArgumentException if the token isn't base64url
     */
    Answer http(String token, String keyAuthorization);

    /**
     * Presents this certificate to clients that offer only {@code acme-tls/1} by ALPN and ask for this name (RFC 8737
     * section 3). The connection is closed after the handshake.
     *
     * @param name a DNS name, or an IP address, which the CA asks for by its reverse name (RFC 8738 section 6)
     */
    Answer tlsAlpn(String name, KeyMaterial certificate);

    /** An active answer. */
    interface Answer extends AutoCloseable {
        /** Stops the answer; idempotent. */
        @Override
        void close();
    }
}
