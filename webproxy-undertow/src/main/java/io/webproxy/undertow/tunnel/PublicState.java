package io.webproxy.undertow.tunnel;

import io.webproxy.tunnel.TunnelServer;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * The state that a new public side takes over from the one that it replaces: relays with their agents, clients' counts
 * against limits, tokens of current hand-overs, and counters since the start. Thread-safe.
 */
public final class PublicState {
    final Counts counts = new Counts(TunnelServer.agents(Path.of("agents")));
    final Tokens<Claim> tokens = new Tokens<>(System::nanoTime);
    /** By fingerprint. */
    final Map<String, AgentState> agents = new ConcurrentHashMap<>();

    final Map<Refusal, LongAdder> refusals = new ConcurrentHashMap<>();
    final LongAdder refusedAgents = new LongAdder();

    /** The state of a server without a public side so far. */
    public PublicState() {}
}
