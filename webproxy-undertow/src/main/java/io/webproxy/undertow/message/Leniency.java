package io.webproxy.undertow.message;

import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Which deviations the responses on one connection may have, none or all, and which they had. Not thread-safe, except
 * {@link #NONE}.
 */
public final class Leniency {
    /** Admits nothing. */
    public static final Leniency NONE = new Leniency(null);

    private final @Nullable Consumer<Set<Deviation>> listener;
    private final Set<Deviation> seen = EnumSet.noneOf(Deviation.class);
    private boolean told;

    /** Admits all deviations; {@code listener} hears of the first ones that were forwarded. */
    public Leniency(@Nullable Consumer<Set<Deviation>> listener) {
        this.listener = listener;
    }

    /** Whether it may admit anything. */
    public boolean isLenient() {
        return listener != null;
    }

    /** Whether a response may deviate so, as it does; if it may, it is remembered. */
    public boolean admits(Deviation deviation) {
        return listener != null && (seen.contains(deviation) || seen.add(deviation));
    }

    /** Whether a response was admitted that deviates: the connection must not serve another exchange. */
    public boolean isUsed() {
        return !seen.isEmpty();
    }

    /** What was admitted is forwarded: tells the listener, once. */
    public void forwarded() {
        if (listener != null && isUsed() && !told) {
            told = true;
            listener.accept(Set.copyOf(seen));
        }
    }
}
