package io.webproxy.undertow.deadline;

/** Sweeps at a time of a test's own. */
public final class Sweeps {
    private Sweeps() {}

    /** Looks at all deadlines now; on the sweeper's thread. */
    public static void of(Sweeper sweeper) {
        sweeper.sweep();
    }
}
