package io.webproxy.tunnel;

import io.webproxy.spi.TunnelAgentData;
import io.webproxy.spi.TunnelServerData;
import io.webproxy.spi.TunnelStatusData;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The tunnels of a server, at one moment. Made by the engine; immutable. */
public sealed interface TunnelStatus permits TunnelStatusData {
    /** Of the public side's key; empty where no port has tunnels. */
    String fingerprint();

    /** Those of the public side: each channel that is open, and the last one of each agent that has none. */
    List<Agent> agents();

    /** Connected to agents, or waiting to be. */
    int clients();

    /** Clients that no agent was asked for, or none has taken, since the start. */
    long refused();

    /**
     * Connections of agents that weren't let in since the start: unknown keys, and data connections that weren't asked
     * for.
     */
    long refusedAgents();

    /** The public servers that this one dials. */
    List<Server> servers();

    /** One channel of an agent. */
    sealed interface Agent permits TunnelAgentData {
        /** As in the agents file. */
        String name();

        /** Where it comes from. */
        String address();

        /** What it calls itself. */
        String software();

        /** When it was connected. */
        Instant since();

        /** When it was heard of last. */
        Instant lastSeen();

        /** Why it isn't connected any more; empty as long as it is. */
        Optional<String> left();

        /** What it has announced and may. */
        List<String> announced();

        /** Connections that wait for clients. */
        int ready();

        /** Clients connected to it by this channel. */
        int clients();
    }

    /** A public server that is dialled. */
    sealed interface Server permits TunnelServerData {
        /** Host and port as they were given. */
        String address();

        /** Whether it has decided about everything that is announced there. */
        boolean connected();

        /** Attempts that have failed since it was connected last. */
        int attempts();

        /** What is announced there. */
        List<String> accepted();

        /** What isn't accepted there, and why. */
        Map<String, String> refused();

        /** Why it isn't connected; empty if it is, or no attempt has ended yet. */
        Optional<String> failure();
    }
}
