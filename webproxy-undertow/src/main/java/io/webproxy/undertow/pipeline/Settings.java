package io.webproxy.undertow.pipeline;

import io.webproxy.ErrorPages;
import io.webproxy.ProxyConfig;
import io.webproxy.auth.Authenticator;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.http.HttpLimits;
import io.webproxy.route.Route;
import io.webproxy.spi.RouteTable;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.undertow.exchange.GuardedPages;
import io.webproxy.undertow.exchange.Trust;
import io.webproxy.undertow.exchange.UserFields;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One snapshot of the settings that the stages use. A request reads it once, so it sees either the old or the new
 * configuration. Immutable.
 *
 * @param routes the routing table
 * @param authenticator the server-wide authenticator, or null
 * @param timeouts for routes without their own
 * @param trust whose forwarding fields are believed
 * @param forwarded which forwarding fields are written, for routes without their own setting
 * @param clientCertificates how the upstream is told about client certificates
 * @param userFields which fields only this server sends
 * @param limits of heads and bodies
 * @param unusualNamesDropped whether fields are dropped on every route whose names have characters other than letters,
 *     digits and hyphens
 * @param rates the clients' token buckets
 * @param canonicalHosts hosts that are redirected, with their canonical hosts
 * @param strictTransport the {@code Strict-Transport-Security} policy, or null
 * @param errorPages the operator's, or null for the proxy's own
 */
public record Settings(
        RouteTable routes,
        @Nullable Authenticator authenticator,
        TimeoutPolicy timeouts,
        Trust trust,
        ForwardedHeaders forwarded,
        ClientCertificates clientCertificates,
        UserFields userFields,
        HttpLimits limits,
        boolean unusualNamesDropped,
        RateLimiter rates,
        Map<String, String> canonicalHosts,
        @Nullable StrictTransport strictTransport,
        @Nullable ErrorPages errorPages) {
    /** The settings of a configuration; {@code rates} survive it. */
    public static Settings of(ProxyConfig config, RateLimiter rates) {
        return new Settings(
                new RouteTable(config.routes()),
                config.authenticator().orElse(null),
                config.timeouts(),
                new Trust(config.trustedProxies()),
                config.forwardedHeaders(),
                config.clientCertificates(),
                UserFields.of(config.routes()),
                config.tuning().http(),
                config.dropUnderscoreHeaders(),
                rates,
                Map.copyOf(config.canonicalHosts()),
                config.hsts().map(StrictTransport::new).orElse(null),
                config.errorPages().map(GuardedPages::new).orElse(null));
    }

    /** A copy for an endpoint that has one route alone. */
    public Settings withOnly(Route route) {
        return new Settings(
                new RouteTable(List.of(route)),
                authenticator,
                timeouts,
                trust,
                forwarded,
                clientCertificates,
                userFields,
                limits,
                unusualNamesDropped,
                rates,
                Map.of(),
                strictTransport,
                errorPages);
    }

    /** A copy for an endpoint with its own rules for client certificates. */
    public Settings withClientCertificates(ClientCertificates asked) {
        return new Settings(
                routes,
                authenticator,
                timeouts,
                trust,
                forwarded,
                asked,
                userFields,
                limits,
                unusualNamesDropped,
                rates,
                canonicalHosts,
                strictTransport,
                errorPages);
    }
}
