package io.webproxy.tls;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A source of certificates that chooses by itself, and may obtain and change them while the server runs. Thread-safe.
 * One provider serves one running server at a time.
 */
public non-sealed interface CertificateProvider extends CertificateSource {
    /**
     * Chooses what to serve to a client. Called on an IO thread during the handshake, possibly several times for one:
     * it must not block, and what it throws fails that handshake only.
     *
     * <p>For a client that {@linkplain ClientHello#serverName() names no host} a provider answers with what it serves
     * by default: by the local address, or its first certificate. The server also asks so, by
     * {@link ClientHello#withoutServerName}, when no source has anything for a client's name.
     *
     * @return null if there is nothing for this client: then the next source is tried
     */
    @Nullable KeyMaterial select(ClientHello hello);

    /**
     * Called once when a server starts that uses this provider, or an update brings it in, before connections are
     * accepted. What is at hand, such as stored certificates, is loaded here; what takes time is handed to
     * {@link CertificateContext#executor()}: a start doesn't wait for a CA.
     *
     * @throws Exception if the provider can't work at all: the server then doesn't start, and its message is the
     *     sentence that says why and what to do
     */
    default void start(CertificateContext context) throws Exception {}

    /** Called once when the server closes or an update drops this provider; it may be started again afterwards. */
    default void stop() {}

    /** What it serves and tries to obtain, one entry for each certificate. */
    default List<CertificateStatus> status() {
        return List.of();
    }
}
