package io.webproxy.undertow.tls;

import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.util.List;

/**
 * All choosers of a server: first those with a certificate for the name that the client asks for, then those with a
 * default one. Immutable.
 */
record DefaultLast(KeyChooser all) implements KeyChooser {
    @Override
    public List<KeyMaterial> choose(ClientHello hello) {
        List<KeyMaterial> found = all.choose(hello);
        return found.isEmpty() && hello.serverName().isPresent() ? all.choose(hello.withoutServerName()) : found;
    }
}
