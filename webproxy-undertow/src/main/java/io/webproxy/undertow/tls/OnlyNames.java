package io.webproxy.undertow.tls;

import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.keys.HostNames;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A chooser for some names and addresses only; there it serves its certificate even if that is for other names.
 * Immutable.
 */
final class OnlyNames implements KeyChooser {
    private final Set<String> names;
    private final Set<InetAddress> addresses;
    private final KeyChooser chooser;

    OnlyNames(List<String> all, KeyChooser chooser) {
        this.names = all.stream()
                .filter(name -> IpLiteral.parse(name) == null)
                .map(HostNames::canonical)
                .collect(Collectors.toUnmodifiableSet());
        this.addresses = all.stream()
                .map(IpLiteral::parse)
                .filter(java.util.Objects::nonNull)
                .collect(Collectors.toUnmodifiableSet());
        this.chooser = chooser;
    }

    @Override
    public List<KeyMaterial> choose(ClientHello hello) {
        String name = hello.serverName().orElse(null);
        InetAddress local = hello.localAddress().getAddress();
        if (name == null ? local == null || !addresses.contains(local) : !HostNames.cover(names, name)) {
            return List.of();
        }
        List<KeyMaterial> found = chooser.choose(hello);
        return found.isEmpty() && name != null ? chooser.choose(hello.withoutServerName()) : found;
    }
}
