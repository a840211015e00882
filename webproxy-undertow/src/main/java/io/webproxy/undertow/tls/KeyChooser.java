package io.webproxy.undertow.tls;

import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.util.List;

/** Chooses the certificates that fit a client. Thread-safe, never blocks: it is called on the IO thread. */
@FunctionalInterface
interface KeyChooser {
    /**
     * The certificates that fit, of different key types; empty if there is none. For a client without SNI these are the
     * default ones.
     *
     * @throws AskedProvider.Failed if a provider failed: then the handshake fails
     */
    List<KeyMaterial> choose(ClientHello hello);
}
