package io.webproxy.undertow.tunnel;

import io.webproxy.spi.AddressRange;
import io.webproxy.tunnel.TunnelServer;
import io.webproxy.undertow.deadline.TokenBuckets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * How many visitors there are: of a client address, of a name, waiting for an agent; and how many come in a minute.
 * Thread-safe.
 */
final class Counts {
    private final Map<AddressRange, Integer> byClient = new ConcurrentHashMap<>();
    private final Map<Message.Item, Integer> byItem = new ConcurrentHashMap<>();
    /** A part of what may wait is never too small for tests and small servers. */
    private static final int LEAST_PART = 256;

    private final AtomicInteger waiting = new AtomicInteger();
    private final Map<AddressRange, Integer> waitingByClient = new ConcurrentHashMap<>();
    private final Map<Message.Item, Integer> waitingByItem = new ConcurrentHashMap<>();
    private final TokenBuckets<AddressRange> newOfClients = new TokenBuckets<>();
    private final TokenBuckets<Message.Item> newOfItems = new TokenBuckets<>();
    private final TokenBuckets<String> newOfAgents = new TokenBuckets<>();
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
        // an agent that answers nothing, or who visits it, leaves others their half
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

    /** Whether an agent has too many clients, the one included that was counted just now. */
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

    /** A visitor waits no more: it is relayed, or is gone. */
    void settled(AddressRange client, Message.Item item) {
        waiting.decrementAndGet();
        leave(waitingByClient, client);
        leave(waitingByItem, item);
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
