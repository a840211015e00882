package io.webproxy.undertow.tls;

import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.util.List;

/** Chooses what fits a client. Thread-safe, never blocks: it is asked on the IO thread. */
@FunctionalInterface
interface KeyChooser {
    /**
     * What fits, of different key types; empty if there is nothing. For a client that names no host that is what is
     * served by default.
     *
     * @throws AskedProvider.Failed if a provider failed: then nothing is served to this client
     */
    List<KeyMaterial> choose(ClientHello hello);
}
