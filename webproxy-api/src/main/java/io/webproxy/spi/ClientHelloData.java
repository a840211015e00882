package io.webproxy.spi;

import io.webproxy.tls.ClientHello;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** A ClientHello. The parameters are those of {@link ClientHello}. */
public record ClientHelloData(
        Optional<String> serverName,
        List<String> applicationProtocols,
        InetSocketAddress localAddress,
        Set<String> keyTypes)
        implements ClientHello {
    /** Copies the collections; no component may be null. */
    public ClientHelloData {
        Objects.requireNonNull(serverName, "serverName");
        applicationProtocols = List.copyOf(applicationProtocols);
        Objects.requireNonNull(localAddress, "localAddress");
        keyTypes = Set.copyOf(keyTypes);
    }

    @Override
    public ClientHello withoutServerName() {
        return new ClientHelloData(Optional.empty(), applicationProtocols, localAddress, keyTypes);
    }

    @Override
    public String toString() {
        return Text.of(
                "ClientHello",
                "serverName",
                serverName,
                "applicationProtocols",
                applicationProtocols,
                "localAddress",
                localAddress,
                "keyTypes",
                keyTypes);
    }
}
