package io.webproxy.undertow.tls;

import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.util.List;

/**
 * All of a server's choosers: one that has something for the client's name, else one that has something for who names
 * no host. Immutable.
 */
record DefaultLast(KeyChooser all) implements KeyChooser {
    @Override
    public List<KeyMaterial> choose(ClientHello hello) {
        List<KeyMaterial> found = all.choose(hello);
        return found.isEmpty() && hello.serverName().isPresent() ? all.choose(hello.withoutServerName()) : found;
    }
}
