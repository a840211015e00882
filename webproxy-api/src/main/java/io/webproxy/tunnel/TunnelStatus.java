package io.webproxy.tunnel;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The tunnels of a server, at one moment.
 *
 * @param fingerprint of the public side's key; empty where no port has tunnels
 * @param agents those of the public side: each channel that is open, and the last one of each agent that has none
 * @param clients connected to agents, or waiting to be
 * @param refused clients that no agent was asked for, or none has taken, since the start
 * @param refusedAgents connections of agents that weren't let in since the start: unknown keys, and data connections
 *     that nobody had asked for
 * @param servers the public servers that this one dials
 */
public record TunnelStatus(
        String fingerprint, List<Agent> agents, int clients, long refused, long refusedAgents, List<Server> servers) {
    private static final TunnelStatus NONE = new TunnelStatus("", List.of(), 0, 0, 0, List.of());

    /** Copies the lists. */
    public TunnelStatus {
        Objects.requireNonNull(fingerprint, "fingerprint");
        agents = List.copyOf(agents);
        servers = List.copyOf(servers);
    }

    /** That of a server without tunnels. */
    public static TunnelStatus none() {
        return NONE;
    }

    /**
     * One channel of an agent.
     *
     * @param name as in the agents file
     * @param address where it comes from
     * @param software what it calls itself
     * @param since when it was connected
     * @param lastSeen when it was heard of last
     * @param left why it isn't connected any more; empty as long as it is
     * @param announced what it has announced and may
     * @param ready connections that wait for clients
     * @param clients connected to it by this channel
     */
    public record Agent(
            String name,
            String address,
            String software,
            Instant since,
            Instant lastSeen,
            Optional<String> left,
            List<String> announced,
            int ready,
            int clients) {
        /** Copies the list. */
        public Agent {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(left, "left");
            announced = List.copyOf(announced);
        }
    }

    /**
     * A public server that is dialled.
     *
     * @param address host and port as they were given
     * @param connected whether it has decided about everything that is announced there
     * @param attempts that have failed since it was connected last
     * @param accepted what is announced there
     * @param refused what isn't accepted there, and why
     * @param failure why it isn't connected; empty if it is, or no attempt has ended yet
     */
    public record Server(
            String address,
            boolean connected,
            int attempts,
            List<String> accepted,
            Map<String, String> refused,
            Optional<String> failure) {
        /** Copies the collections. */
        public Server {
            Objects.requireNonNull(address, "address");
            accepted = List.copyOf(accepted);
            refused = Map.copyOf(refused);
            Objects.requireNonNull(failure, "failure");
        }
    }
}
