package io.webproxy;

import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.spi.AcceptedPasswords;
import io.webproxy.spi.ProxyEngine;
import io.webproxy.undertow.UndertowEngine;
import java.util.function.Function;

/** Starts servers in a way that the engine, as the service loader knows it, doesn't. */
public final class ServerStarts {
    private ServerStarts() {}

    public static ProxyServer start(ProxyConfig config, Function<ProxyConfig, ProxyEngine.Running> start) {
        return ProxyServer.start(config, new ProxyEngine() {
            @Override
            public Running start(ProxyConfig started) {
                return start.apply(started);
            }

            @Override
            public Authenticator basicAuth(AcceptedPasswords accepted, AuthDecision challenge) {
                return new UndertowEngine().basicAuth(accepted, challenge);
            }
        });
    }
}
