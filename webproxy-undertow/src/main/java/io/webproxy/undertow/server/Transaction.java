package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Changes a server, its start included: all parts prepare in order, then all commit, then all finish. If one fails to
 * prepare, those before it are rolled back in reverse order. Thread-safe; one change at a time.
 */
final class Transaction {
    private final List<Part> parts;
    /** Held while parts commit, so that a close sees all or nothing of a change. */
    private final Object commits = new Object();

    private boolean closed;

    /** Over these parts, in this order. */
    Transaction(List<Part> parts) {
        this.parts = List.copyOf(parts);
    }

    /**
     * Puts a configuration in force. Not for an IO thread.
     *
     * @return what parts threw after all were prepared, the later ones as suppressed, or null, the normal case; the
     *     change is then in force as far as possible
     * @throws ProxyStartException if a part fails to prepare, or the transaction is closed; nothing has changed then
     */
    synchronized @Nullable Throwable apply(ProxyConfig next) {
        checkOpen();
        List<Change> prepared = new ArrayList<>();
        Steps steps = new Steps();
        try {
            for (Part part : parts) {
                prepared.add(part.prepare(next));
            }
            synchronized (commits) {
                checkOpen();
                steps.each(prepared, Change::commit);
            }
        } catch (Throwable e) {
            rollBack(prepared, e);
            throw e;
        }
        steps.each(prepared, Change::finish);
        return steps.thrown;
    }

    private void checkOpen() {
        synchronized (commits) {
            if (closed) {
                throw closed();
            }
        }
    }

    /** The exception for updates of a closed server. */
    static ProxyStartException closed() {
        return new ProxyStartException("The server is closed: start another one.");
    }

    private static void rollBack(List<Change> prepared, Throwable why) {
        Steps steps = new Steps();
        steps.thrown = why;
        List<Change> lastFirst = new ArrayList<>(prepared);
        Collections.reverse(lastFirst);
        steps.each(lastFirst, Change::rollBack);
    }

    /**
     * Prevents all further commits. Waits for a running commit, which is quick, but not for a preparation, which is
     * rolled back.
     */
    void close() {
        synchronized (commits) {
            closed = true;
        }
    }

    /** Runs all steps, whatever one throws. */
    private static final class Steps {
        private @Nullable Throwable thrown;

        void each(List<Change> changes, Consumer<Change> step) {
            for (Change change : changes) {
                try {
                    step.accept(change);
                } catch (Throwable e) {
                    Throwable first = thrown;
                    if (first == null) {
                        thrown = e;
                    } else if (first != e) {
                        first.addSuppressed(e);
                    }
                }
            }
        }
    }
}
