package io.webproxy.spi;

import io.webproxy.port.Endpoint;
import java.net.InetSocketAddress;
import java.util.Objects;

/** A bound address. The parameters are those of {@link Endpoint}. */
public record EndpointData(InetSocketAddress address, String protocol, String name) implements Endpoint {
    /** Nothing is null. */
    public EndpointData {
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(protocol, "protocol");
        Objects.requireNonNull(name, "name");
    }

    @Override
    public String toString() {
        return Text.of("Endpoint", "address", address, "protocol", protocol, "name", name);
    }
}
