package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one way in which a server changes, its start included: all parts prepare in their order, then all commit, then
 * all finish. If one can't prepare, those before it are rolled back, the last one first. Thread-safe; one change at a
 * time.
 */
final class Transaction {
    private final List<Part> parts;
    /** Held while parts commit, so that what closes them afterwards finds all or nothing of a change. */
    private final Object commits = new Object();

    private boolean closed;

    /** Over these parts, in this order. */
    Transaction(List<Part> parts) {
        this.parts = List.copyOf(parts);
    }

    /**
     * Puts a configuration in force. Not for an IO thread.
     *
     * @return what a part has thrown after all were prepared, with the others' as suppressed; the change is in force
     *     all the same, as far as it could be put in force. Null if none has, as it should be
     * @throws ProxyStartException if a part can't, or the transaction is closed: all is as it was
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

    /** What an update of a closed server fails with. */
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
     * Commits nothing from now on. Waits for a commit, which is quick, but not for what prepares: that is rolled back.
     */
    void close() {
        synchronized (commits) {
            closed = true;
        }
    }

    /** Steps that are all taken, whatever one throws. */
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
