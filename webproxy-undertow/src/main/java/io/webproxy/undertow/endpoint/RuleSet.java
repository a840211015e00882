package io.webproxy.undertow.endpoint;

import io.webproxy.port.PortBuilder;
import io.webproxy.port.Relay;
import io.webproxy.spi.PortRule;
import io.webproxy.spi.PortRules;
import io.webproxy.undertow.relay.RelayRule;
import io.webproxy.undertow.relay.Relays;
import io.webproxy.undertow.relay.RuleCounters;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The rules of an endpoint, or those within its TLS, with their counters and relays. Immutable. */
final class RuleSet {
    private static final String SILENT = "silent";
    private static final String OTHERWISE = "otherwise";

    /** Takes HTTP within TLS that no rule takes. */
    private static final List<PortRule> LAST_WITHIN =
            new PortBuilder().http().build().rules();

    private final List<PortRule> rules = new ArrayList<>();
    private final IdentityHashMap<PortRule, Ruling> rulings = new IdentityHashMap<>();
    private final boolean sameForAll;
    private final @Nullable RelayRule silent;
    private final @Nullable RelayRule otherwise;
    private final long detectNanos;

    /**
     * A rule with its counters and relay.
     *
     * @param counters of connections that it sends to the routes
     * @param relay null unless it relays
     * @param inside the rules within TLS; null if TLS isn't terminated
     */
    record Ruling(
            RuleCounters counters,
            @Nullable RelayRule relay,
            @Nullable RuleSet inside) {}

    /** The rules of the endpoint of this name. */
    static RuleSet of(PortRules rules, Relays relays, String endpoint) {
        return new RuleSet(rules, List.of(), relays, endpoint, "");
    }

    /** {@code within}: the name of the surrounding rule, and a slash. */
    private RuleSet(PortRules from, List<PortRule> last, Relays relays, String endpoint, String within) {
        for (PortRule rule : from.rules()) {
            String name = within + rule.name();
            RelayRule relay = relay(rule.relay(), relays, endpoint, name);
            RuleSet inside = rule.inside()
                    .map(some -> new RuleSet(some, LAST_WITHIN, relays, endpoint, name + "/"))
                    .orElse(null);
            rules.add(rule);
            rulings.put(rule, new Ruling(relays.counters(endpoint, name), relay, inside));
        }
        for (PortRule rule : last) {
            rules.add(rule);
            // what goes to the routes from within TLS counts for the surrounding rule
            String name = within.substring(0, within.length() - 1);
            rulings.put(rule, new Ruling(relays.counters(endpoint, name), null, null));
        }
        sameForAll = rules.stream().allMatch(rule -> rule.clients().isEmpty());
        silent = relay(from.silent(), relays, endpoint, within + SILENT);
        otherwise = relay(from.otherwise(), relays, endpoint, within + OTHERWISE);
        detectNanos = from.detectTime().toNanos();
    }

    private static @Nullable RelayRule relay(Optional<Relay> relay, Relays relays, String endpoint, String name) {
        return relay.map(settings -> relays.rule(endpoint, name, settings)).orElse(null);
    }

    /**
     * All names, in order, each with its relay, if it has one. A rule within TLS is named after its surrounding rule
     * and itself, with a slash between.
     */
    static Map<String, Optional<Relay>> named(PortRules rules) {
        Map<String, Optional<Relay>> named = new LinkedHashMap<>();
        add(rules, "", named);
        return named;
    }

    private static void add(PortRules rules, String within, Map<String, Optional<Relay>> named) {
        for (PortRule rule : rules.rules()) {
            named.put(within + rule.name(), rule.relay());
            rule.inside().ifPresent(inside -> add(inside, within + rule.name() + "/", named));
        }
        rules.silent().ifPresent(relay -> named.put(within + SILENT, Optional.of(relay)));
        rules.otherwise().ifPresent(relay -> named.put(within + OTHERWISE, Optional.of(relay)));
    }

    /** The rules that apply to a client, in order. */
    List<PortRule> rulesFor(InetAddress client) {
        return sameForAll
                ? rules
                : rules.stream().filter(rule -> rule.isFor(client)).toList();
    }

    Ruling at(PortRule rule) {
        Ruling found = rulings.get(rule);
        if (found == null) {
            throw new IllegalArgumentException("no rule of this endpoint: " + rule);
        }
        return found;
    }

    /** Where clients that send nothing are relayed to, or null. */
    @Nullable RelayRule silent() {
        return silent;
    }

    /** Where connections that no rule takes are relayed to, or null. */
    @Nullable RelayRule otherwise() {
        return otherwise;
    }

    /** Nanoseconds until a silent client is relayed or closed. */
    long detectNanos() {
        return detectNanos;
    }
}
