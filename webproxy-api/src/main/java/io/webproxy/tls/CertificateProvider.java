package io.webproxy.tls;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A certificate source that chooses certificates itself, and may obtain and change them while the server runs.
 * Thread-safe. One provider serves one running server at a time.
 */
public non-sealed interface CertificateProvider extends Certificates {
    /**
     * Chooses the certificate for a client. Called on an IO thread during the handshake, possibly several times: it
     * must not block; an exception fails that handshake only.
     *
     * <p>For a client that {@linkplain ClientHello#serverName() names no host} a provider returns its default: by the
     * local address, or its first certificate. The server also does so, by {@link ClientHello#withoutServerName}, if no
     * source has a certificate for a client's name.
     *
     * @return null if it has none for this client: then the next source is tried
     */
    @Nullable KeyMaterial select(ClientHello hello);

    /**
     * Called once when a server starts that uses this provider, or an update brings it in, before connections are
     * accepted. Load available certificates here, such as stored ones, and do slow work on the
     * {@link CertificateContext#executor()}: a start doesn't wait for a CA.
     *
     * @throws Exception if the provider can't work at all: the server then doesn't start; the message must be a
     *     sentence that says why and what to do
     */
    default void start(CertificateContext context) throws Exception {}

    /** Called once when the server closes or an update drops this provider; it may be started again afterwards. */
    default void stop() {}

    /** The certificates that it serves or tries to obtain. */
    default List<CertificateStatus> status() {
        return List.of();
    }
}
