package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.http.Http2Limits;
import io.webproxy.undertow.endpoint.ProxyGreeting;
import io.webproxy.undertow.pipeline.RateLimiter;
import io.webproxy.undertow.pipeline.Settings;

/**
 * One snapshot of the settings of a server's connections and requests; an update replaces it as a whole. Immutable.
 *
 * @param http for requests, with the limits of heads and bodies
 * @param http2 for new HTTP/2 connections
 * @param proxyProtocol which PROXY headers are read, at endpoints without their own rules
 */
record ServerSettings(Settings http, Http2Limits http2, ProxyGreeting.Policy proxyProtocol) {
    /** The settings of a configuration; {@code rates} survive it. */
    static ServerSettings of(ProxyConfig config, RateLimiter rates) {
        return new ServerSettings(
                Settings.of(config, rates),
                config.tuning().http2(),
                new ProxyGreeting.Policy(config.proxyProtocol(), config.trustedProxies()));
    }
}
