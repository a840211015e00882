package io.webproxy.undertow.deadline;

import java.util.Collection;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps in which something closes: each is taken whatever the others throw, and what they throw is logged once. Not
 * thread-safe.
 */
public final class CloseSteps {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");

    private @Nullable Throwable first;
    private String failed = "";

    /** Takes a step now; {@code what} it releases is named in the log if it throws. */
    public CloseSteps step(String what, Runnable step) {
        try {
            step.run();
        } catch (Throwable e) {
            remember(what, e);
        }
        return this;
    }

    /** Takes the same step for each of several. */
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

    /** Logs what was thrown, if anything was. */
    public void report() {
        if (first != null) {
            LOG.warn("These failed to close, and all else was closed all the same: {}", failed, first);
        }
    }
}
