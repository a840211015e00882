package io.webproxy.undertow.tunnel;

import io.webproxy.spi.AddressRange;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.undertow.deadline.TokenBuckets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Counts visitors against the limits: per client address, per name, waiting for an agent, and new ones per minute.
 * Thread-safe.
 */
final class Counts {
    private final Map<AddressRange, Integer> byClient = new ConcurrentHashMap<>();
    private final Map<Message.Item, Integer> byItem = new ConcurrentHashMap<>();
    /** The minimum of each part of the limit of waiting visitors, for small servers and tests. */
    private static final int LEAST_PART = 256;

    private final AtomicInteger waiting = new AtomicInteger();
    private final Map<AddressRange, Integer> waitingByClient = new ConcurrentHashMap<>();
    private final Map<Message.Item, Integer> waitingByItem = new ConcurrentHashMap<>();
    private final TokenBuckets<AddressRange> newOfClients = new TokenBuckets<>();
    private final TokenBuckets<Message.Item> newOfItems = new TokenBuckets<>();
    private final TokenBuckets<String> newOfAgents = new TokenBuckets<>();
    private volatile TunnelServer limits;

    /** The limit that a visitor exceeds, with a sentence of detail. */
    record Full(Refusal why, String detail) {}

    Counts(TunnelServer limits) {
        this.limits = limits;
    }

    void limits(TunnelServer others) {
        limits = others;
    }

    /** Counts a visitor that waits for an agent; returns the limit that it exceeds, null if none. */
    @Nullable Full enter(AddressRange client, Message.Item item, long now) {
        TunnelServer most = limits;
        Full full = full(most, client, item, now);
        if (full != null) {
            leave(client, item);
            settled(client, item);
        }
        return full;
    }

    private @Nullable Full full(TunnelServer most, AddressRange client, Message.Item item, long now) {
        int ofClient = byClient.merge(client, 1, Integer::sum);
        int ofItem = byItem.merge(item, 1, Integer::sum);
        int all = waiting.incrementAndGet();
        int waitingOfClient = waitingByClient.merge(client, 1, Integer::sum);
        int waitingOfItem = waitingByItem.merge(item, 1, Integer::sum);
        // an unresponsive agent, or one client address, can take at most half
        int part = Math.max(LEAST_PART, most.waiting() / 2);
        if (isAbove(ofClient, most.connectionsPerAddress())) {
            return new Full(Refusal.LIMIT, "its address has as many connections as it may have");
        } else if (isAbove(ofItem, most.connectionsPerName())) {
            return new Full(Refusal.LIMIT, item + " has as many connections as it may have");
        } else if (all > most.waiting()) {
            return new Full(Refusal.LIMIT, "too many clients wait for agents");
        } else if (waitingOfClient > part) {
            return new Full(Refusal.LIMIT, "too many clients of its address wait for agents");
        } else if (waitingOfItem > part) {
            return new Full(Refusal.LIMIT, "too many clients wait for " + item);
        } else if (most.newConnectionsPerMinute() > 0
                && !newOfClients.takeOfMinute(client, most.newConnectionsPerMinute(), now)) {
            return new Full(Refusal.RATE, "its address has as many new connections as it may have");
        } else if (most.newConnectionsPerMinutePerName() > 0
                && !newOfItems.takeOfMinute(item, most.newConnectionsPerMinutePerName(), now)) {
            return new Full(Refusal.RATE, item + " has as many new connections as it may have");
        }
        return null;
    }

    private static boolean isAbove(int count, int limit) {
        return limit > 0 && count > limit;
    }

    /** Whether an agent has too many clients, including the one that was just counted. */
    @Nullable Full fullAgent(AgentState agent, long now) {
        TunnelServer most = limits;
        if (isAbove(agent.clients(), most.connectionsPerAgent())) {
            return new Full(Refusal.LIMIT, "agent " + agent.name() + " has as many clients as it may have");
        } else if (most.newConnectionsPerMinutePerAgent() > 0
                && !newOfAgents.takeOfMinute(agent.fingerprint(), most.newConnectionsPerMinutePerAgent(), now)) {
            return new Full(Refusal.RATE, "agent " + agent.name() + " has as many new clients as it may have");
        }
        return null;
    }

    /** A visitor no longer waits: it is relayed, or has left. */
    void settled(AddressRange client, Message.Item item) {
        waiting.decrementAndGet();
        leave(waitingByClient, client);
        leave(waitingByItem, item);
    }

    /** A visitor has left. */
    void leave(AddressRange client, Message.Item item) {
        leave(byClient, client);
        leave(byItem, item);
    }

    private static <K> void leave(Map<K, Integer> counts, K key) {
        counts.computeIfPresent(key, (same, count) -> count == 1 ? null : count - 1);
    }

    /** Number of visitors waiting for an agent. */
    int waiting() {
        return waiting.get();
    }

    /** Total number of visitors. */
    int all() {
        return byItem.values().stream().mapToInt(Integer::intValue).sum();
    }
}
