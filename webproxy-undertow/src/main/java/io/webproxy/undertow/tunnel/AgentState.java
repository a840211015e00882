package io.webproxy.undertow.tunnel;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** What is known of one agent beyond its channels: the relays of its visitors, which outlive a channel. Thread-safe. */
final class AgentState {
    private volatile String name = "";
    private final String fingerprint;
    private final Set<TunnelRelay> relays = ConcurrentHashMap.newKeySet();
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile boolean removed;

    AgentState(String fingerprint) {
        this.fingerprint = fingerprint;
    }

    String name() {
        return name;
    }

    /** The agents file calls it so now. */
    void name(String given) {
        name = given;
    }

    String fingerprint() {
        return fingerprint;
    }

    void add(TunnelRelay relay) {
        relays.add(relay);
    }

    void remove(TunnelRelay relay) {
        relays.remove(relay);
    }

    /** Whoever waits for it, and its relays. */
    int clients() {
        return waiting.get() + relays.size();
    }

    /** A client waits for it, until {@link #waitsNoMore}. */
    void waits() {
        waiting.incrementAndGet();
    }

    void waitsNoMore() {
        waiting.decrementAndGet();
    }

    /** Whether the agents file has it no more: it gets no clients. */
    boolean isRemoved() {
        return removed;
    }

    /** The agents file has it no more. */
    void remove() {
        removed = true;
        List.copyOf(relays).forEach(TunnelRelay::abort);
    }
}
