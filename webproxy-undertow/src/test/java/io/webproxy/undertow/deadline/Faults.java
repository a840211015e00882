package io.webproxy.undertow.deadline;

import java.util.function.Consumer;

/** Throws in place of the steps that a {@link Guard} runs. */
public final class Faults {
    private Faults() {}

    /** From now on every step is preceded by this, which is told the step's place and may throw. */
    public static void inject(Consumer<String> fault) {
        Guard.faults = fault;
    }

    /** Throws no more, and forgets which places were logged. */
    public static void reset() {
        Guard.faults = null;
        Guard.reset();
    }
}
