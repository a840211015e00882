package io.webproxy.undertow.relay;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What became of the connections of one port rule, since the start. Thread-safe. */
public final class RuleCounters {
    private final AtomicInteger open = new AtomicInteger();
    private final LongAdder total = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder failed = new LongAdder();

    RuleCounters() {}

    /** The rule has taken a connection; gives how many are open with it. */
    public int opened() {
        total.increment();
        return open.incrementAndGet();
    }

    /** One that was {@link #opened} has closed. */
    public void closed() {
        open.decrementAndGet();
    }

    /** One that was opened is refused: it is still to be closed. */
    public void refused() {
        refused.increment();
    }

    /** No target could be connected to for one that was opened: it is still to be closed. */
    public void failed() {
        failed.increment();
    }

    /** How many are open. */
    public int open() {
        return open.get();
    }

    /** How many there were. */
    public long total() {
        return total.sum();
    }

    /** How many of them were refused. */
    public long refusals() {
        return refused.sum();
    }

    /** For how many of them no target could be connected to. */
    public long failures() {
        return failed.sum();
    }
}
