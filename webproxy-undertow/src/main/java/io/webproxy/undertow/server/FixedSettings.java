package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;

/**
 * Refuses updates of settings that can't change while a server runs.
 *
 * @param started the configuration that it was started with
 */
record FixedSettings(ProxyConfig started) implements Part {
    @Override
    public Change prepare(ProxyConfig next) {
        if (!next.bind().equals(started.bind())
                || next.tuning().ioThreads() != started.tuning().ioThreads()
                || next.tuning().bufferSize() != started.tuning().bufferSize()
                || next.tuning().backlog() != started.tuning().backlog()
                || next.tlsProvider() != started.tlsProvider()) {
            throw new ProxyStartException("bind, ioThreads, bufferSize, backlog and jdkTls can't be changed"
                    + " while the server runs: start another server.");
        }
        return Change.NONE;
    }
}
