package io.webproxy.spi;

import io.webproxy.tunnel.TunnelStatus;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The status of the connection to a public server. The parameters are those of {@link TunnelStatus.Server}. */
public record TunnelServerData(
        String address,
        boolean connected,
        int attempts,
        List<String> accepted,
        Map<String, String> refused,
        Optional<String> failure)
        implements TunnelStatus.Server {
    /** Copies the collections; nothing is null. */
    public TunnelServerData {
        Objects.requireNonNull(address, "address");
        accepted = List.copyOf(accepted);
        refused = Map.copyOf(refused);
        Objects.requireNonNull(failure, "failure");
    }

    @Override
    public String toString() {
        return Text.of(
                "Server",
                "address",
                address,
                "connected",
                connected,
                "attempts",
                attempts,
                "accepted",
                accepted,
                "refused",
                refused,
                "failure",
                failure);
    }
}
