package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.http.Http2Limits;
import io.webproxy.undertow.endpoint.ProxyGreeting;
import io.webproxy.undertow.pipeline.RateLimiter;
import io.webproxy.undertow.pipeline.Settings;

/**
 * What the connections and requests of a server go by: one snapshot, replaced as a whole by an update. Immutable.
 *
 * @param http for requests, with the limits of heads and bodies
 * @param http2 for connections of HTTP/2 that come from now on
 * @param proxyProtocol whose PROXY headers are read, at endpoints that have nothing of their own
 */
record ServerSettings(Settings http, Http2Limits http2, ProxyGreeting.Policy proxyProtocol) {
    /** What a configuration says; the rates outlive it. */
    static ServerSettings of(ProxyConfig config, RateLimiter rates) {
        return new ServerSettings(
                Settings.of(config, rates),
                config.tuning().http2(),
                new ProxyGreeting.Policy(config.proxyProtocol(), config.trustedProxies()));
    }
}
