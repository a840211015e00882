package io.webproxy.spi;

import io.webproxy.port.PortBuilder;
import io.webproxy.port.Relay;
import io.webproxy.tunnel.TunnelServer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one port, in the order in which they are tried, and the targets of connections that none takes.
 * Immutable; made by {@link PortBuilder}.
 */
public final class PortRules {
    private final List<PortRule> rules;
    private final @Nullable Relay silent;
    private final @Nullable Relay otherwise;
    private final Duration detectTime;
    private final List<String> problems;

    /** Copies the lists. */
    public PortRules(
            List<PortRule> rules,
            @Nullable Relay silent,
            @Nullable Relay otherwise,
            Duration detectTime,
            List<String> problems) {
        this.rules = List.copyOf(rules);
        this.silent = silent;
        this.otherwise = otherwise;
        this.detectTime = detectTime;
        this.problems = List.copyOf(problems);
    }

    /** The rules, in order. */
    public List<PortRule> rules() {
        return rules;
    }

    /** The relay for clients that send nothing within {@link #detectTime()}; empty if they are closed. */
    public Optional<Relay> silent() {
        return Optional.ofNullable(silent);
    }

    /** The relay for connections that no rule takes; empty if they are closed. */
    public Optional<Relay> otherwise() {
        return Optional.ofNullable(otherwise);
    }

    /** How long a client may be silent before it counts as one that waits for the server to speak first. */
    public Duration detectTime() {
        return detectTime;
    }

    /** Whether a rule terminates TLS, so that the server needs a certificate. */
    public boolean hasTls() {
        return rules.stream()
                .anyMatch(rule -> rule.protocol() == PortRule.Protocol.TLS && rule.action() != PortRule.Action.RELAY);
    }

    /** Whether a rule terminates TLS for the server's routes. */
    public boolean hasHttps() {
        return rules.stream()
                .anyMatch(rule -> rule.protocol() == PortRule.Protocol.TLS && rule.action() == PortRule.Action.SERVE);
    }

    /** Whether TLS is spoken at the port, terminated here or not: so cleartext HTTP can be redirected to it. */
    public boolean speaksTls() {
        return rules.stream().anyMatch(rule -> rule.protocol() == PortRule.Protocol.TLS);
    }

    /**
     * Whether a rule leads to the server's routes. HTTP that is found within terminated TLS gets 404 if there is no
     * route.
     */
    public boolean hasHttp() {
        return rules.stream().anyMatch(rule -> rule.action() == PortRule.Action.SERVE);
    }

    /** Whether cleartext requests are answered here, by the routes or by a redirect. */
    public boolean hasCleartext() {
        return rules.stream()
                .anyMatch(rule -> rule.protocol() == PortRule.Protocol.HTTP && rule.action() != PortRule.Action.RELAY);
    }

    /** The tunnels of its rules, each once. */
    public List<TunnelServer> tunnels() {
        return rules.stream()
                .map(PortRule::tunnels)
                .flatMap(Optional::stream)
                .distinct()
                .toList();
    }

    /** Whether a rule redirects cleartext HTTP. */
    public boolean hasRedirect() {
        return rules.stream().anyMatch(rule -> rule.action() == PortRule.Action.REDIRECT);
    }

    /** Problems of the combination, a sentence each. */
    public List<String> problems() {
        return problems;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PortRules that
                && rules.equals(that.rules)
                && Objects.equals(silent, that.silent)
                && Objects.equals(otherwise, that.otherwise)
                && detectTime.equals(that.detectTime);
    }

    @Override
    public int hashCode() {
        return Objects.hash(rules, silent, otherwise, detectTime);
    }

    /** The rules, and the relay for connections that none takes. */
    @Override
    public String toString() {
        Stream<String> last = Stream.of(
                        silent == null ? "" : "silent->" + silent, otherwise == null ? "" : "otherwise->" + otherwise)
                .filter(text -> !text.isEmpty());
        return Stream.concat(rules.stream().map(PortRule::toString), last).collect(Collectors.joining(", "));
    }
}
