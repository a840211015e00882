package io.webproxy.undertow.deadline;

import java.util.Collection;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs the steps of a close: each runs whatever the others throw, and failures are logged once. Not thread-safe. */
public final class CloseSteps {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");

    private @Nullable Throwable first;
    private String failed = "";

    /** Runs a step now; {@code what} it releases is named in the log if it throws. */
    public CloseSteps step(String what, Runnable step) {
        try {
            step.run();
        } catch (Throwable e) {
            remember(what, e);
        }
        return this;
    }

    /** Runs the same step for each element. */
    public <T> CloseSteps each(String what, Collection<T> all, Consumer<T> step) {
        for (T one : all) {
            step(what, () -> step.accept(one));
        }
        return this;
    }

    /** Whether no step has thrown so far. */
    public boolean succeeded() {
        return first == null;
    }

    private void remember(String what, Throwable thrown) {
        Throwable before = first;
        if (before == null) {
            first = thrown;
            failed = what;
            return;
        }
        if (before != thrown) {
            before.addSuppressed(thrown);
        }
        if (!failed.contains(what)) {
            failed += ", " + what;
        }
    }

    /** Logs the failures, if any. */
    public void report() {
        if (first != null) {
            LOG.warn("These failed to close, and all else was closed all the same: {}", failed, first);
        }
    }
}
