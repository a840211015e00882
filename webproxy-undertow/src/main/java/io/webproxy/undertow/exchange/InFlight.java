package io.webproxy.undertow.exchange;

import java.util.concurrent.atomic.AtomicInteger;

/** The number of exchanges in flight at one upstream, tunnels included, over all IO threads. Thread-safe. */
public final class InFlight {
    private final AtomicInteger count = new AtomicInteger();

    /** How many there are now. */
    public int count() {
        return count.get();
    }

    void entered() {
        count.incrementAndGet();
    }

    void left() {
        count.decrementAndGet();
    }
}
