package io.webproxy.undertow;

import io.webproxy.ProxyConfig;
import io.webproxy.spi.ProxyEngine;
import io.webproxy.undertow.server.RunningProxy;

/** Runs configurations on Undertow; found by {@link java.util.ServiceLoader}. */
public final class UndertowEngine implements ProxyEngine {
    /** For {@link java.util.ServiceLoader}. */
    public UndertowEngine() {}

    @Override
    public Running start(ProxyConfig config) {
        return RunningProxy.start(config);
    }
}
