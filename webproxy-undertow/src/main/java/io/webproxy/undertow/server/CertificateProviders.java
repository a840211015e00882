package io.webproxy.undertow.server;

import io.webproxy.tls.CertificateProvider;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The providers of certificates that a server has started: each stays as long as the configuration has it. Changes come one at a time; the end may come any
 * time.
 */
final class CertificateProviders implements AutoCloseable {
    private final Function<CertificateProvider, RunningProvider> lending;
    private IdentityHashMap<CertificateProvider, RunningProvider> running = new IdentityHashMap<>();
    private boolean closed;

    /** None yet; {@code lending} gives one all that it needs to run. */
    CertificateProviders(Function<CertificateProvider, RunningProvider> lending) {
        this.lending = lending;
    }

    /** Others in place of those that run, as long as it isn't certain that they stay. */
    final class Change {
        private final IdentityHashMap<CertificateProvider, RunningProvider> next = new IdentityHashMap<>();
        private final List<RunningProvider> started = new ArrayList<>();

        private Change(List<CertificateProvider> wanted) {
            try {
                IdentityHashMap<CertificateProvider, RunningProvider> before = running();
                for (CertificateProvider provider : wanted) {
                    RunningProvider same = before.get(provider);
                    if (same == null) {
                        same = lending.apply(provider);
                        same.start();
                        started.add(same);
                    }
                    next.put(provider, same);
                }
            } catch (RuntimeException | Error e) {
                undo();
                throw e;
            }
        }

        /** Stops those that have been started for it. */
        void undo() {
            for (int i = started.size() - 1; i >= 0; i--) {
                started.get(i).stop();
            }
        }

        /** Stops those that aren't wanted any more. */
        void keep() {
            IdentityHashMap<CertificateProvider, RunningProvider> before = replaced(next);
            if (before == null) {
                undo();
                return;
            }
            before.forEach((provider, run) -> {
                if (!next.containsKey(provider)) {
                    run.stop();
                }
            });
        }
    }

    private synchronized IdentityHashMap<CertificateProvider, RunningProvider> running() {
        return running;
    }

    /** What ran before; null if everything has been stopped for good meanwhile. */
    private synchronized @Nullable IdentityHashMap<CertificateProvider, RunningProvider> replaced(
            IdentityHashMap<CertificateProvider, RunningProvider> next) {
        if (closed) {
            return null;
        }
        IdentityHashMap<CertificateProvider, RunningProvider> before = running;
        running = next;
        return before;
    }

    /** Stops all, for good. */
    @Override
    public void close() {
        IdentityHashMap<CertificateProvider, RunningProvider> last;
        synchronized (this) {
            closed = true;
            last = running;
            running = new IdentityHashMap<>();
        }
        last.values().forEach(RunningProvider::stop);
    }

    /**
     * Starts those that don't run yet.
     *
     * @throws io.webproxy.ProxyStartException if one can't; those that were started for it are stopped again
     */
    Change change(List<CertificateProvider> wanted) {
        return new Change(wanted);
    }
}
