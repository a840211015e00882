package io.webproxy.port;

import io.webproxy.spi.AddressRange;
import io.webproxy.spi.PortRule;
import io.webproxy.spi.PortRules;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Collects the rules that are possible both at a port and within TLS. */
abstract class RuleBuilder<B extends RuleBuilder<B>> {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._:*/@-]{1,64}");
    /** Names in counters and logs for relays without a rule. */
    private static final Set<String> RESERVED = Set.of("silent", "otherwise");

    private static final Duration SHORTEST = Duration.ofMillis(10);
    private static final Duration LONGEST = Duration.ofSeconds(5);

    private final List<PortRule> rules = new ArrayList<>();
    private List<AddressRange> clients = List.of();
    private @Nullable Relay silent;
    private @Nullable Relay otherwise;
    private Duration detectTime = Duration.ofSeconds(2);

    RuleBuilder() {}

    abstract B self();

    final B add(String name, PortRule.Protocol protocol, Relay relay) {
        return add(new PortRule(
                name,
                protocol,
                PortRule.Action.RELAY,
                Sni.any(),
                null,
                clients,
                Objects.requireNonNull(relay, "relay"),
                null));
    }

    final B add(PortRule rule) {
        rules.add(rule);
        return self();
    }

    final List<AddressRange> clients() {
        return clients;
    }

    /** Relays SSH, recognised by the client's banner. */
    public B ssh(String... targets) {
        return ssh(Relay.to(targets));
    }

    /** The same with options. */
    public B ssh(Relay relay) {
        return add("ssh", PortRule.Protocol.SSH, relay);
    }

    /** Relays cleartext HTTP byte for byte, without parsing requests. */
    public B http(String... targets) {
        return http(Relay.to(targets));
    }

    /** The same with options. */
    public B http(Relay relay) {
        return add("http", PortRule.Protocol.HTTP, relay);
    }

    /** Relays SOCKS5. */
    public B socks5(String... targets) {
        return socks5(Relay.to(targets));
    }

    /** The same with options. */
    public B socks5(Relay relay) {
        return add("socks5", PortRule.Protocol.SOCKS5, relay);
    }

    /** Relays OpenVPN over TCP. */
    public B openVpn(String... targets) {
        return openVpn(Relay.to(targets));
    }

    /** The same with options. */
    public B openVpn(Relay relay) {
        return add("openvpn", PortRule.Protocol.OPENVPN, relay);
    }

    /** Relays PostgreSQL, whose clients first ask for TLS in a message of its own protocol. */
    public B postgreSql(String... targets) {
        return postgreSql(Relay.to(targets));
    }

    /** The same with options. */
    public B postgreSql(Relay relay) {
        return add("postgresql", PortRule.Protocol.POSTGRESQL, relay);
    }

    /**
     * Relays connections that start with the given bytes.
     *
     * @param name the rule's name in status, events and logs: 1 to 64 letters, digits, or one of {@code . _ : * / @ -};
     *     not {@code silent} or {@code otherwise}
     * @throws IllegalArgumentException if the name is anything else
     */
    public B match(String name, BytePattern pattern, String... targets) {
        return match(name, pattern, Relay.to(targets));
    }

    /** The same with options. */
    public B match(String name, BytePattern pattern, Relay relay) {
        return add(new PortRule(
                checked(name),
                PortRule.Protocol.BYTES,
                PortRule.Action.RELAY,
                Sni.any(),
                Objects.requireNonNull(pattern, "pattern"),
                clients,
                Objects.requireNonNull(relay, "relay"),
                null));
    }

    private static String checked(String name) {
        if (!NAME.matcher(Objects.requireNonNull(name, "name")).matches()) {
            throw new IllegalArgumentException(
                    "name: '" + name + "' (expected: 1-64 letters, digits, or one of . _ : * / @ -)");
        }
        if (RESERVED.contains(name)) {
            throw new IllegalArgumentException(
                    "name: '" + name + "' (expected: another name, for counters and logs use this one)");
        }
        return name;
    }

    /**
     * Adds rules that only apply to some clients.
     *
     * @param ranges addresses, or ranges such as {@code 10.0.0.0/8}; a trusted proxy's PROXY header names the client,
     *     if there is one
     * @param some adds them; it may only add rules
     * @throws IllegalArgumentException if there is no range, one is malformed, or it is used within another
     *     {@code from}
     */
    public B from(List<String> ranges, Consumer<B> some) {
        if (Objects.requireNonNull(ranges, "ranges").isEmpty()) {
            throw new IllegalArgumentException("from: none (expected: at least one address or range)");
        }
        Objects.requireNonNull(some, "rules");
        outsideFrom("from");
        clients = ranges.stream()
                .map(range -> AddressRange.of(Objects.requireNonNull(range, "range")))
                .toList();
        try {
            some.accept(self());
        } finally {
            clients = List.of();
        }
        return self();
    }

    /** The same for one address or range. */
    public B from(String range, Consumer<B> some) {
        return from(List.of(Objects.requireNonNull(range, "range")), some);
    }

    /** A setting for all clients must not look as if it were only for some. */
    final void outsideFrom(String name) {
        if (!clients.isEmpty()) {
            throw new IllegalArgumentException(
                    name + ": within from " + clients + " (expected: outside, for it is for all clients)");
        }
    }

    /**
     * Relays clients that have sent nothing within the {@linkplain #detectTime detect time}: they wait for the server
     * to speak first. Default: they are closed.
     */
    public B silent(String... targets) {
        return silent(Relay.to(targets));
    }

    /** The same with options. */
    public B silent(Relay relay) {
        Objects.requireNonNull(relay, "silent");
        outsideFrom("silent");
        this.silent = relay;
        return self();
    }

    /**
     * Relays connections that no rule takes, and those whose first bytes don't match a rule within 5 s or before the
     * client ends. Default: they are closed and counted.
     */
    public B otherwise(String... targets) {
        return otherwise(Relay.to(targets));
    }

    /** The same with options. */
    public B otherwise(Relay relay) {
        Objects.requireNonNull(relay, "otherwise");
        outsideFrom("otherwise");
        this.otherwise = relay;
        return self();
    }

    /**
     * How long a client may send nothing before it counts as one that waits for the server to speak first, 10 ms to 5
     * s; default: 2 s. The first byte ends the wait.
     *
     * @throws IllegalArgumentException if it is out of range
     */
    public B detectTime(Duration limit) {
        Objects.requireNonNull(limit, "detectTime");
        outsideFrom("detectTime");
        if (limit.compareTo(SHORTEST) < 0 || limit.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("detectTime: " + limit + " (expected: 10 ms to 5 s)");
        }
        this.detectTime = limit;
        return self();
    }

    /** The rules; a duplicate name gets a number appended. */
    final PortRules rules() {
        Set<String> taken = new HashSet<>();
        List<PortRule> named = new ArrayList<>();
        for (PortRule rule : rules) {
            String name = rule.name();
            for (int i = 2; !Collections.disjoint(taken, names(name, rule)); i++) {
                name = rule.name() + "-" + i;
            }
            taken.addAll(names(name, rule));
            named.add(name.equals(rule.name()) ? rule : rule.named(name));
        }
        return new PortRules(named, silent, otherwise, detectTime, RuleProblems.of(named, silent, otherwise));
    }

    /** The names in counters and logs of a rule and those inside of it. */
    private static List<String> names(String name, PortRule rule) {
        List<String> names = new ArrayList<>();
        names.add(name);
        rule.inside().ifPresent(inside -> {
            inside.rules().forEach(within -> names.add(name + "/" + within.name()));
            RESERVED.forEach(within -> names.add(name + "/" + within));
        });
        return names;
    }
}
