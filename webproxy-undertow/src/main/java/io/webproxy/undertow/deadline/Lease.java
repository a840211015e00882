package io.webproxy.undertow.deadline;

/** How long exchanges may last that depend on something removable, such as an endpoint or a route. Thread-safe. */
public final class Lease {
    private volatile long end;
    private volatile boolean ending;

    /** Without an end, for now. */
    public Lease() {}

    /** Ends it at a time of the sweepers' clock; only the first call counts. */
    public synchronized void end(long at) {
        if (!ending) {
            end = at;
            ending = true;
        }
    }

    /** Whether its end is known. */
    public boolean isEnding() {
        return ending;
    }

    /** Whether it has ended. */
    public boolean isOver(long now) {
        return ending && now - end >= 0;
    }
}
