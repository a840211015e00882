package io.webproxy.tunnel;

import io.webproxy.spi.TunnelAgentData;
import io.webproxy.spi.TunnelServerData;
import io.webproxy.spi.TunnelStatusData;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The current status of a server's tunnels. Made by the engine; immutable. */
public sealed interface TunnelStatus permits TunnelStatusData {
    /** The fingerprint of the public side's key; empty if no port has tunnels. */
    String fingerprint();

    /** The agents of the public side: each open channel, and the last one of each agent that has none. */
    List<Agent> agents();

    /** Clients that are connected to agents, or are waiting. */
    int clients();

    /** Clients refused since the start: no agent was asked, or none took them. */
    long refused();

    /** Connections of agents refused since the start: unknown keys, and data connections that weren't requested. */
    long refusedAgents();

    /** The public servers that this one dials. */
    List<Server> servers();

    /** One channel of an agent. */
    sealed interface Agent permits TunnelAgentData {
        /** The agent's name in the agents file. */
        String name();

        /** Its address. */
        String address();

        /** Its software. */
        String software();

        /** When it was connected. */
        Instant since();

        /** When a message of it last arrived. */
        Instant lastSeen();

        /** Why it is no longer connected; empty while it is connected. */
        Optional<String> left();

        /** Its accepted announcements. */
        List<String> announced();

        /** Ready connections, which wait for clients. */
        int ready();

        /** Clients connected through this channel. */
        int clients();
    }

    /** A public server that this one dials. */
    sealed interface Server permits TunnelServerData {
        /** Host and port as configured. */
        String address();

        /** Whether it has decided about all announcements. */
        boolean connected();

        /** Failed attempts since it was last connected. */
        int attempts();

        /** The accepted announcements. */
        List<String> accepted();

        /** The refused announcements, each with the reason. */
        Map<String, String> refused();

        /** Why it isn't connected; empty if it is, or if no attempt has ended yet. */
        Optional<String> failure();
    }
}
