package io.webproxy.undertow.tunnel;

import io.webproxy.http.AddressRange;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.undertow.relay.NewConnections;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** How many visitors there are: of a client address, of a name, waiting for an agent; and how many come in a minute. Thread-safe. */
final class Counts {
    private final Map<AddressRange, Integer> byClient = new ConcurrentHashMap<>();
    private final Map<Message.Item, Integer> byItem = new ConcurrentHashMap<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final NewConnections<AddressRange> newOfClients = new NewConnections<>();
    private final NewConnections<Message.Item> newOfItems = new NewConnections<>();
    private final NewConnections<String> newOfAgents = new NewConnections<>();
    private volatile TunnelServer limits;

    /** Why a visitor is refused, and a sentence that says more. */
    record Full(Refusal why, String detail) {}

    Counts(TunnelServer limits) {
        this.limits = limits;
    }

    void limits(TunnelServer others) {
        limits = others;
    }

    /** Counts a visitor that waits for an agent; what is given says which limit is reached, null if none is. */
    @Nullable Full enter(AddressRange client, Message.Item item, long now) {
        TunnelServer most = limits;
        Full full = full(most, client, item, now);
        if (full != null) {
            leave(client, item);
            waiting.decrementAndGet();
        }
        return full;
    }

    private @Nullable Full full(TunnelServer most, AddressRange client, Message.Item item, long now) {
        int ofClient = byClient.merge(client, 1, Integer::sum);
        int ofItem = byItem.merge(item, 1, Integer::sum);
        int all = waiting.incrementAndGet();
        if (isAbove(ofClient, most.connectionsPerAddress())) {
            return new Full(Refusal.LIMIT, "its address has as many connections as it may have");
        } else if (isAbove(ofItem, most.connectionsPerName())) {
            return new Full(Refusal.LIMIT, item + " has as many connections as it may have");
        } else if (all > most.waiting()) {
            return new Full(Refusal.LIMIT, "too many clients wait for agents");
        } else if (most.newConnectionsPerMinute() > 0
                && !newOfClients.take(client, most.newConnectionsPerMinute(), now)) {
            return new Full(Refusal.RATE, "its address has as many new connections as it may have");
        } else if (most.newConnectionsPerMinutePerName() > 0
                && !newOfItems.take(item, most.newConnectionsPerMinutePerName(), now)) {
            return new Full(Refusal.RATE, item + " has as many new connections as it may have");
        }
        return null;
    }

    private static boolean isAbove(int count, int limit) {
        return limit > 0 && count > limit;
    }

    /** Whether an agent with so many clients may get one more. */
    @Nullable Full fullAgent(AgentState agent, long now) {
        TunnelServer most = limits;
        if (isAbove(agent.relays() + 1, most.connectionsPerAgent())) {
            return new Full(Refusal.LIMIT, "agent " + agent.name() + " has as many clients as it may have");
        } else if (most.newConnectionsPerMinutePerAgent() > 0
                && !newOfAgents.take(agent.fingerprint(), most.newConnectionsPerMinutePerAgent(), now)) {
            return new Full(Refusal.RATE, "agent " + agent.name() + " has as many new clients as it may have");
        }
        return null;
    }

    /** A visitor waits no more: it is relayed, or is gone. */
    void settled() {
        waiting.decrementAndGet();
    }

    /** A visitor is gone. */
    void leave(AddressRange client, Message.Item item) {
        leave(byClient, client);
        leave(byItem, item);
    }

    private static <K> void leave(Map<K, Integer> counts, K key) {
        counts.computeIfPresent(key, (same, count) -> count == 1 ? null : count - 1);
    }

    /** How many wait for an agent. */
    int waiting() {
        return waiting.get();
    }

    /** How many there are in all. */
    int all() {
        return byItem.values().stream().mapToInt(Integer::intValue).sum();
    }
}
