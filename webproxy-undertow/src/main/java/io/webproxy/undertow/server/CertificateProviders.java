package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.undertow.tls.ServerTls;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Function;

/** The certificate providers that a server has started; each runs as long as the configuration names it. */
final class CertificateProviders implements Part, AutoCloseable {
    private final Function<CertificateProvider, RunningProvider> lending;
    private volatile IdentityHashMap<CertificateProvider, RunningProvider> running = new IdentityHashMap<>();

    /** None yet; {@code lending} wraps a provider with all that it needs to run. */
    CertificateProviders(Function<CertificateProvider, RunningProvider> lending) {
        this.lending = lending;
    }

    /** Starts those that aren't running yet: all or none. */
    @Override
    public Change prepare(ProxyConfig next) {
        Started change = new Started();
        try {
            for (CertificateProvider provider : ServerTls.providers(next.certificates())) {
                RunningProvider same = running.get(provider);
                if (same == null) {
                    same = lending.apply(provider);
                    same.start();
                    change.started.add(same);
                }
                change.next.put(provider, same);
            }
        } catch (Throwable e) {
            change.rollBack();
            throw e;
        }
        return change;
    }

    /** Stops all; no commit may follow. */
    @Override
    public void close() {
        running.values().forEach(RunningProvider::stop);
    }

    /** New ones are running; those that aren't needed any more run until everything is committed. */
    private final class Started implements Change {
        private final IdentityHashMap<CertificateProvider, RunningProvider> before = running;
        private final IdentityHashMap<CertificateProvider, RunningProvider> next = new IdentityHashMap<>();
        private final List<RunningProvider> started = new ArrayList<>();

        @Override
        public void commit() {
            running = next;
        }

        @Override
        public void rollBack() {
            for (int i = started.size() - 1; i >= 0; i--) {
                started.get(i).stop();
            }
        }

        @Override
        public void finish() {
            before.forEach((provider, run) -> {
                if (!next.containsKey(provider)) {
                    run.stop();
                }
            });
        }
    }
}
