package io.webproxy.undertow.tunnel;

import io.webproxy.undertow.deadline.BulkBuffers;
import io.webproxy.undertow.deadline.Guard;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The open relays of a server's tunnels, on both sides. Thread-safe. */
public final class LiveRelays {
    private final Map<Object, Runnable> all = new ConcurrentHashMap<>();
    private final BulkBuffers bulkBuffers = new BulkBuffers();
    private volatile Runnable whenOneEnds = () -> {};

    /** None yet. */
    public LiveRelays() {}

    /** Buffers for relays that move much data. */
    BulkBuffers bulkBuffers() {
        return bulkBuffers;
    }

    void opened(Object relay, Runnable abort) {
        all.put(relay, abort);
    }

    void ended(Object relay) {
        if (all.remove(relay) != null) {
            Guard.run("the end of a relay", whenOneEnds);
        }
    }

    /** Number of open relays. */
    public int open() {
        return all.size();
    }

    /** Runs {@code listener} whenever a relay has ended. */
    public void whenOneEnds(Runnable listener) {
        whenOneEnds = listener;
    }

    /** Resets all open relays. */
    public void cutAll() {
        List.copyOf(all.values()).forEach(Runnable::run);
    }
}
