package io.webproxy.spi;

import io.webproxy.http.ProxyProtocol;
import io.webproxy.port.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * One endpoint to open.
 *
 * @param protocol its protocol
 * @param port 0 for any free one
 * @param settings its own settings
 * @param rules of a {@link Endpoint.Protocol#RULES} endpoint; empty for others
 */
public record Listen(Endpoint.Protocol protocol, int port, EndpointSettings settings, Optional<PortRules> rules) {
    /** Checks that nothing is null. */
    public Listen {
        Objects.requireNonNull(protocol, "protocol");
        Objects.requireNonNull(settings, "settings");
        Objects.requireNonNull(rules, "rules");
    }

    /** Whether TLS is terminated here, for some connections at least. */
    public boolean isTls() {
        return protocol == Endpoint.Protocol.HTTPS
                || rules.filter(PortRules::hasTls).isPresent();
    }

    /** Whether a client that is redirected to HTTPS finds TLS here, terminated here or not. */
    public boolean speaksTls() {
        return protocol == Endpoint.Protocol.HTTPS
                || rules.filter(PortRules::speaksTls).isPresent();
    }

    /** Whether cleartext requests are answered here, if only by a redirect. */
    public boolean isCleartext() {
        return protocol == Endpoint.Protocol.HTTP
                || protocol == Endpoint.Protocol.REDIRECT
                || rules.filter(PortRules::hasCleartext).isPresent();
    }

    /** Whether HTTP requests arrive here. */
    public boolean isHttp() {
        return protocol != Endpoint.Protocol.RULES
                || rules.filter(PortRules::hasHttp).isPresent();
    }

    /** Whether requests are redirected here. */
    public boolean isRedirect() {
        return protocol == Endpoint.Protocol.REDIRECT
                || rules.filter(PortRules::hasRedirect).isPresent();
    }

    /** The same endpoint, with other rules or settings. */
    public boolean isSameAs(Listen other) {
        return (settings.name().isPresent() && settings.name().equals(other.settings.name()))
                || (hasPortOf(other) && settings.bind().equals(other.settings.bind()));
    }

    /** Whether it has the protocol and the port of the other one, and the port isn't 0. */
    public boolean hasPortOf(Listen other) {
        return port != 0 && port == other.port && protocol == other.protocol;
    }

    /** The builder's method that has added it. */
    public String verb() {
        return switch (protocol) {
            case HTTP -> "http";
            case HTTPS -> "https";
            case REDIRECT -> "redirectHttp";
            case RULES -> "listen";
        };
    }

    /** Its name, if that is known before its port is bound. */
    public Optional<String> expectedName() {
        return settings.name()
                .or(() -> port == 0
                        ? Optional.empty()
                        : Optional.of(protocol.name().toLowerCase(Locale.ROOT) + "-" + port));
    }

    /** Problems of its own settings, a sentence each. */
    public List<String> problems(boolean trustsProxies) {
        List<String> problems = new ArrayList<>();
        settings.clientCertificates()
                .filter(asked -> !asked.isOff() && !isTls())
                .ifPresent(asked ->
                        problems.add("clientCertificates: " + asked + " (expected: an endpoint where TLS ends)"));
        settings.proxyProtocol()
                .filter(mode -> mode == ProxyProtocol.REQUIRED && !trustsProxies)
                .ifPresent(mode -> problems.add(
                        "proxyProtocol: REQUIRED (expected: trustedProxies(…) whose headers are believed)"));
        rules.ifPresent(some -> problems.addAll(some.problems()));
        return problems;
    }
}
