package io.webproxy.undertow;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.spi.AcceptedPasswords;
import io.webproxy.spi.ProxyEngine;
import io.webproxy.undertow.auth.BasicCredentials;
import io.webproxy.undertow.server.RunningProxy;

/** The engine: runs a proxy configuration on Undertow. {@link java.util.ServiceLoader} finds it. */
public final class UndertowEngine implements ProxyEngine {
    /** For {@link java.util.ServiceLoader}. */
    public UndertowEngine() {}

    @Override
    public Running start(ProxyConfig config) {
        return RunningProxy.start(config);
    }

    @Override
    public Authenticator basicAuth(AcceptedPasswords accepted, AuthDecision challenge) {
        return BasicCredentials.of(accepted, challenge);
    }
}
