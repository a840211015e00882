package io.webproxy.spi;

import io.webproxy.tunnel.TunnelStatus;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The status of an agent's channel. The parameters are those of {@link TunnelStatus.Agent}. */
public record TunnelAgentData(
        String name,
        String address,
        String software,
        Instant since,
        Instant lastSeen,
        Optional<String> left,
        List<String> announced,
        int ready,
        int clients)
        implements TunnelStatus.Agent {
    /** Copies the collections; nothing is null. */
    public TunnelAgentData {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(address, "address");
        Objects.requireNonNull(software, "software");
        Objects.requireNonNull(since, "since");
        Objects.requireNonNull(lastSeen, "lastSeen");
        Objects.requireNonNull(left, "left");
        announced = List.copyOf(announced);
    }

    @Override
    public String toString() {
        return Text.of(
                "Agent",
                "name",
                name,
                "address",
                address,
                "software",
                software,
                "since",
                since,
                "lastSeen",
                lastSeen,
                "left",
                left,
                "announced",
                announced,
                "ready",
                ready,
                "clients",
                clients);
    }
}
