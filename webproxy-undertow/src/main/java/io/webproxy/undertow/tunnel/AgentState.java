package io.webproxy.undertow.tunnel;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The state of one agent that outlives its channels: its waiting clients and their relays. Thread-safe. */
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

    /** Sets its current name in the agents file. */
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

    /** Number of clients that wait for it, and of its relays. */
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

    /** Whether it was removed from the agents file: it gets no clients. */
    boolean isRemoved() {
        return removed;
    }

    /** It was removed from the agents file. */
    void remove() {
        removed = true;
        List.copyOf(relays).forEach(TunnelRelay::abort);
    }
}
