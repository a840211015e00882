package io.webproxy.undertow.relay;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** Counts the connections of one port rule since the start, by outcome. Thread-safe. */
public final class RuleCounters {
    private final AtomicInteger open = new AtomicInteger();
    private final LongAdder total = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder failed = new LongAdder();

    RuleCounters() {}

    /** The rule takes a connection; returns the number of open ones, including this one. */
    public int opened() {
        total.increment();
        return open.incrementAndGet();
    }

    /** An {@link #opened} connection has closed. */
    public void closed() {
        open.decrementAndGet();
    }

    /** An opened connection is refused; {@link #closed} is still to come. */
    public void refused() {
        refused.increment();
    }

    /** No target could be connected for an opened connection; {@link #closed} is still to come. */
    public void failed() {
        failed.increment();
    }

    /** Number of open connections. */
    public int open() {
        return open.get();
    }

    /** Number of connections so far. */
    public long total() {
        return total.sum();
    }

    /** Number of refused ones. */
    public long refusals() {
        return refused.sum();
    }

    /** Number of those for which no target could be connected. */
    public long failures() {
        return failed.sum();
    }
}
