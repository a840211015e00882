package io.webproxy.undertow.tls;

import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import java.util.List;

/** Several choosers; the first one with a certificate for a client serves it. Immutable. */
record InOrder(List<KeyChooser> choosers) implements KeyChooser {
    @Override
    public List<KeyMaterial> choose(ClientHello hello) {
        for (int i = 0; i < choosers.size(); i++) {
            List<KeyMaterial> found = choosers.get(i).choose(hello);
            if (!found.isEmpty()) {
                return found;
            }
        }
        return List.of();
    }
}
