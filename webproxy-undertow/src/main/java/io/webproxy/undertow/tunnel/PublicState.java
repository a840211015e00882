package io.webproxy.undertow.tunnel;

import io.webproxy.tunnel.TunnelServer;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What outlives a public side that another one takes the place of: relays with their agents, what clients count for,
 * tokens of hand-overs that are under way, and what was counted since the start. Thread-safe.
 */
public final class PublicState {
    final Counts counts = new Counts(TunnelServer.agents(Path.of("agents")));
    final Tokens<Claim> tokens = new Tokens<>(System::nanoTime);
    /** By fingerprint. */
    final Map<String, AgentState> agents = new ConcurrentHashMap<>();

    final Map<Refusal, LongAdder> refusals = new ConcurrentHashMap<>();
    final LongAdder refusedAgents = new LongAdder();

    /** That of a server which has had no public side yet. */
    public PublicState() {}
}
