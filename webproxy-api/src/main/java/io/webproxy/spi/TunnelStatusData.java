package io.webproxy.spi;

import io.webproxy.tunnel.TunnelStatus;
import java.util.List;
import java.util.Objects;

/** The status of tunnels. The parameters are those of {@link TunnelStatus}. */
public record TunnelStatusData(
        String fingerprint,
        List<TunnelStatus.Agent> agents,
        int clients,
        long refused,
        long refusedAgents,
        List<TunnelStatus.Server> servers)
        implements TunnelStatus {
    /** The status of a server without tunnels. */
    public static final TunnelStatusData NONE = new TunnelStatusData("", List.of(), 0, 0, 0, List.of());

    /** Copies the collections; nothing is null. */
    public TunnelStatusData {
        Objects.requireNonNull(fingerprint, "fingerprint");
        agents = List.copyOf(agents);
        servers = List.copyOf(servers);
    }

    @Override
    public String toString() {
        return Text.of(
                "TunnelStatus",
                "fingerprint",
                fingerprint,
                "agents",
                agents,
                "clients",
                clients,
                "refused",
                refused,
                "refusedAgents",
                refusedAgents,
                "servers",
                servers);
    }
}
