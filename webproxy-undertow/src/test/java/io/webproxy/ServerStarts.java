package io.webproxy;

import io.webproxy.spi.ProxyEngine;

/** Starts servers on an engine that the service loader doesn't know. */
public final class ServerStarts {
    private ServerStarts() {}

    public static ProxyServer start(ProxyConfig config, ProxyEngine engine) {
        return ProxyServer.start(config, engine);
    }
}
