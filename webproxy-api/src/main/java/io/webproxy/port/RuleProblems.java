package io.webproxy.port;

import io.webproxy.spi.PortRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds problems of a port's rules in combination, a sentence each: no rules, rules that never take a connection,
 * options that don't fit the protocol or the target.
 */
final class RuleProblems {
    private RuleProblems() {}

    static List<String> of(List<PortRule> rules, @Nullable Relay silent, @Nullable Relay otherwise) {
        List<String> problems = new ArrayList<>();
        if (rules.isEmpty() && silent == null && otherwise == null) {
            problems.add("rules: none (expected: at least one, such as https() or ssh(\"127.0.0.1:22\"))");
        }
        for (int i = 0; i < rules.size(); i++) {
            PortRule rule = rules.get(i);
            rules.subList(0, i).stream()
                    .filter(earlier -> covers(earlier, rule))
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
                + (covers(rule, earlier) ? "one of the two" : "before it") + ")";
    }

    /** Whether a later rule never takes a useful connection because of an earlier one. */
    private static boolean covers(PortRule earlier, PortRule later) {
        boolean clientsToo = earlier.clients().isEmpty() || earlier.clients().equals(later.clients());
        if (earlier.protocol() == PortRule.Protocol.TLS && later.protocol() != earlier.protocol()) {
            // an agent or a client of a tunnel never reaches the TLS that it takes
            return clientsToo
                    && switch (later.protocol()) {
                        case TUNNEL_AGENT, TUNNEL_CLIENT -> earlier.sni().covers(Sni.any());
                        default -> false;
                    };
        }
        return clientsToo
                && earlier.protocol() == later.protocol()
                && earlier.sni().covers(later.sni())
                && Objects.equals(earlier.pattern(), later.pattern());
    }
}
