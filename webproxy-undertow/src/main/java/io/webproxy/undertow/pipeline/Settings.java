package io.webproxy.undertow.pipeline;

import io.webproxy.ErrorPages;
import io.webproxy.ProxyConfig;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.HttpLimits;
import io.webproxy.spi.RouteTable;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.undertow.exchange.GuardedPages;
import io.webproxy.undertow.exchange.Trust;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the handlers go by: a request reads it once, so that it sees the old or the new configuration. Immutable.
 *
 * @param routes which request goes where
 * @param authenticator who decides whether a request may pass, or null for everybody
 * @param timeouts for routes that have none of their own
 * @param trust whose forwarding fields are believed
 * @param clientCertificates how the upstream is told who the client is
 * @param limits of heads and bodies
 * @param unusualNamesDropped whether fields are dropped on every route whose names have other characters than letters,
 *     digits and hyphens
 * @param rates how often clients have come
 * @param canonicalHosts which hosts are sent to another name of theirs
 * @param strictTransport what is said about HTTPS, or null for nothing
 * @param errorPages the operator's, or null for the proxy's own
 */
public record Settings(
        RouteTable routes,
        @Nullable Authenticator authenticator,
        TimeoutPolicy timeouts,
        Trust trust,
        ClientCertificates clientCertificates,
        HttpLimits limits,
        boolean unusualNamesDropped,
        RateLimiter rates,
        Map<String, String> canonicalHosts,
        @Nullable StrictTransport strictTransport,
        @Nullable ErrorPages errorPages) {
    /** What a configuration says; the rates outlive it. */
    public static Settings of(ProxyConfig config, RateLimiter rates) {
        return new Settings(
                new RouteTable(config.routes()),
                config.authenticator().orElse(null),
                config.timeouts(),
                new Trust(config.trustedProxies()),
                config.clientCertificates(),
                config.tuning().http(),
                config.dropUnderscoreHeaders(),
                rates,
                Map.copyOf(config.canonicalHosts()),
                config.hsts().map(StrictTransport::new).orElse(null),
                config.errorPages().map(GuardedPages::new).orElse(null));
    }

    /** The same for an endpoint whose clients are asked for something of their own. */
    public Settings withClientCertificates(ClientCertificates asked) {
        return new Settings(
                routes,
                authenticator,
                timeouts,
                trust,
                asked,
                limits,
                unusualNamesDropped,
                rates,
                canonicalHosts,
                strictTransport,
                errorPages);
    }
}
