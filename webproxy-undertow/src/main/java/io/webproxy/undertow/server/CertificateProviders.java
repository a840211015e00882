package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.tls.CertificateProvider;
import io.webproxy.undertow.tls.ServerTls;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Function;

/** The providers of certificates that a server has started: each stays as long as the configuration has it. */
final class CertificateProviders implements Part, AutoCloseable {
    private final Function<CertificateProvider, RunningProvider> lending;
    private volatile IdentityHashMap<CertificateProvider, RunningProvider> running = new IdentityHashMap<>();

    /** None yet; {@code lending} gives one all that it needs to run. */
    CertificateProviders(Function<CertificateProvider, RunningProvider> lending) {
        this.lending = lending;
    }

    /** Starts those that don't run yet: all, or none. */
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

    /** Stops all; nothing may be committed any more. */
    @Override
    public void close() {
        running.values().forEach(RunningProvider::stop);
    }

    /** New ones are started; those that aren't wanted any more run on until all is committed. */
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
