package io.webproxy.spi;

import io.webproxy.http.ProxyProtocol;
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
 * @param rules of a {@link Protocol#RULES} endpoint; empty for others
 */
public record Listen(Protocol protocol, int port, EndpointSettings settings, Optional<PortRules> rules) {
    /** What an endpoint speaks. */
    public enum Protocol {
        /** Cleartext HTTP. */
        HTTP,
        /** HTTP over TLS; cleartext HTTP is redirected. */
        HTTPS,
        /** Cleartext HTTP, answered with a redirect to the HTTPS endpoint. */
        REDIRECT,
        /** Several protocols, distinguished by rules. */
        RULES;

        /** As in names of endpoints and in {@link io.webproxy.port.Endpoint#protocol}, such as {@code https}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Checks that nothing is null. */
    public Listen {
        Objects.requireNonNull(protocol, "protocol");
        Objects.requireNonNull(settings, "settings");
        Objects.requireNonNull(rules, "rules");
    }

    /** Whether TLS is terminated here, for some connections at least. */
    public boolean isTls() {
        return protocol == Protocol.HTTPS || rules.filter(PortRules::hasTls).isPresent();
    }

    /** Whether TLS is terminated here for more than the status page. */
    public boolean servesHttps() {
        return isTls() && !isStatusPage();
    }

    /** Whether a client that is redirected to HTTPS finds TLS here, terminated here or not. */
    public boolean speaksTls() {
        return servesHttps() || rules.filter(PortRules::speaksTls).isPresent();
    }

    /** Whether cleartext requests are answered here, if only by a redirect. */
    public boolean isCleartext() {
        return (protocol == Protocol.HTTP && !isStatusPage())
                || protocol == Protocol.REDIRECT
                || rules.filter(PortRules::hasCleartext).isPresent();
    }

    /** Whether requests for the routes arrive here. */
    public boolean isHttp() {
        return !isStatusPage()
                && (protocol != Protocol.RULES
                        || rules.filter(PortRules::hasHttp).isPresent());
    }

    /** Whether it has the status page in place of the routes. */
    public boolean isStatusPage() {
        return settings.statusPage().isPresent();
    }

    /** Whether requests are redirected here. */
    public boolean isRedirect() {
        return protocol == Protocol.REDIRECT
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

    /** Its name, or the default of its protocol and port as given, such as {@code https-8443} or {@code https-0}. */
    public String givenName() {
        return settings.name().orElse(protocol + "-" + port);
    }

    /** Its name, if that is known before its port is bound. */
    public Optional<String> expectedName() {
        return port == 0 ? settings.name() : Optional.of(givenName());
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
        settings.statusPage()
                .filter(page -> protocol == Protocol.REDIRECT)
                .ifPresent(page -> problems.add("answer: " + page + " (expected: http(port) or https(port))"));
        rules.ifPresent(some -> problems.addAll(some.problems()));
        return problems;
    }
}
