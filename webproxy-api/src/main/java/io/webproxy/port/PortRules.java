package io.webproxy.port;

import io.webproxy.tunnel.TunnelServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one port, in the order in which they are tried, and what becomes of connections that none takes.
 * Immutable; made by {@link PortBuilder}.
 */
public final class PortRules {
    private final List<PortRule> rules;
    private final @Nullable Relay silent;
    private final @Nullable Relay otherwise;
    private final Duration detectTime;

    PortRules(List<PortRule> rules, @Nullable Relay silent, @Nullable Relay otherwise, Duration detectTime) {
        this.rules = List.copyOf(rules);
        this.silent = silent;
        this.otherwise = otherwise;
        this.detectTime = detectTime;
    }

    /** The rules, the first one first. */
    public List<PortRule> rules() {
        return rules;
    }

    /** Where clients are relayed to that have sent nothing within {@link #detectTime()}; empty when they are closed. */
    public Optional<Relay> silent() {
        return Optional.ofNullable(silent);
    }

    /** Where connections are relayed to that no rule takes; empty when they are closed. */
    public Optional<Relay> otherwise() {
        return Optional.ofNullable(otherwise);
    }

    /** How long a client may be silent before it counts as one that waits for the server to speak first. */
    public Duration detectTime() {
        return detectTime;
    }

    /** Whether a rule ends TLS here, so that the server needs a certificate. */
    public boolean hasTls() {
        return rules.stream()
                .anyMatch(rule -> rule.protocol() == PortRule.Protocol.TLS && rule.action() != PortRule.Action.RELAY);
    }

    /** Whether a rule ends TLS here for the server's routes. */
    public boolean hasHttps() {
        return rules.stream()
                .anyMatch(rule -> rule.protocol() == PortRule.Protocol.TLS && rule.action() == PortRule.Action.SERVE);
    }

    /** Whether TLS is spoken at the port, wherever it ends: so that cleartext HTTP can be redirected to it. */
    public boolean speaksTls() {
        return rules.stream().anyMatch(rule -> rule.protocol() == PortRule.Protocol.TLS);
    }

    /**
     * Whether a rule leads to the server's routes. What HTTP within TLS that is looked into gets without a route is
     * 404.
     */
    public boolean hasHttp() {
        return rules.stream().anyMatch(rule -> rule.action() == PortRule.Action.SERVE);
    }

    /** Whether requests in cleartext are answered here, by the routes or by a redirect. */
    public boolean hasCleartext() {
        return rules.stream()
                .anyMatch(rule -> rule.protocol() == PortRule.Protocol.HTTP && rule.action() != PortRule.Action.RELAY);
    }

    /** The tunnels that rules are for, each once. */
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

    /**
     * What is wrong in combination, a sentence each: no rules, rules that never take a connection, options that don't
     * fit the protocol or the target.
     */
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        if (rules.isEmpty() && silent == null && otherwise == null) {
            problems.add("rules: none (expected: at least one, such as https() or ssh(\"127.0.0.1:22\"))");
        }
        for (int i = 0; i < rules.size(); i++) {
            PortRule rule = rules.get(i);
            rules.subList(0, i).stream()
                    .filter(earlier -> earlier.covers(rule))
                    .findFirst()
                    .ifPresent(earlier -> problems.add(neverTaking(rule, earlier)));
            rule.relay().ifPresent(relay -> {
                relay.problems().forEach(problem -> problems.add(rule.name() + ": " + problem));
                if (relay.loopbackSource() && rule.protocol() == PortRule.Protocol.HTTP) {
                    problems.add(rule.name() + ": loopbackSource: on (expected: not for HTTP, whose header fields carry"
                            + " the client's address)");
                }
            });
            rule.inside()
                    .ifPresent(
                            within -> within.problems().forEach(problem -> problems.add(rule.name() + ": " + problem)));
        }
        if (silent != null) {
            silent.problems().forEach(problem -> problems.add("silent: " + problem));
        }
        if (otherwise != null) {
            otherwise.problems().forEach(problem -> problems.add("otherwise: " + problem));
        }
        return problems;
    }

    private static String neverTaking(PortRule rule, PortRule earlier) {
        return rule.name() + ": after " + earlier.name() + ", which takes all of its connections (expected: "
                + (rule.covers(earlier) ? "one of the two" : "before it") + ")";
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

    /** The rules, and where connections are relayed to that none takes. */
    @Override
    public String toString() {
        Stream<String> last = Stream.of(
                        silent == null ? "" : "silent->" + silent, otherwise == null ? "" : "otherwise->" + otherwise)
                .filter(text -> !text.isEmpty());
        return Stream.concat(rules.stream().map(PortRule::toString), last).collect(Collectors.joining(", "));
    }
}
