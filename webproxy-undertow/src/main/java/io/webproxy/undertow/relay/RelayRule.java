package io.webproxy.undertow.relay;

import io.webproxy.port.Relay;
import io.webproxy.route.OutlierEjection;
import io.webproxy.spi.AddressRange;
import io.webproxy.undertow.deadline.OncePerMinute;
import io.webproxy.undertow.deadline.TokenBuckets;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A relay rule at an endpoint: its settings and targets, and the state that survives an update: counters, rates,
 * ejections. Thread-safe.
 */
public final class RelayRule {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.upstream");

    private final Relay settings;
    private final List<RelayTarget> targets;
    private final State state;

    /** State that survives a change of the settings. */
    static final class State {
        private final String endpoint;
        private final String name;
        private final RuleCounters counters = new RuleCounters();
        private final Map<AddressRange, Integer> byClient = new ConcurrentHashMap<>();
        private final TokenBuckets<AddressRange> rate = new TokenBuckets<>();
        private final Map<InetSocketAddress, RelayTarget> known = new ConcurrentHashMap<>();
        private final AtomicInteger turn = new AtomicInteger();
        private final OncePerMinute warning = new OncePerMinute();

        State(String endpoint, String name) {
            this.endpoint = endpoint;
            this.name = name;
        }

        String endpoint() {
            return endpoint;
        }

        String name() {
            return name;
        }

        RuleCounters counters() {
            return counters;
        }

        List<String> ejected(OutlierEjection rule) {
            return known.values().stream()
                    .filter(target -> target.ejection().isEjected(rule))
                    .map(RelayTarget::text)
                    .sorted()
                    .toList();
        }
    }

    RelayRule(State state, Relay settings, Dialer dialer) {
        this.state = state;
        this.settings = settings;
        this.targets = settings.targets().stream()
                .map(target -> state.known.computeIfAbsent(target, added -> RelayTarget.of(added, dialer)))
                .toList();
        state.known.keySet().retainAll(settings.targets());
    }

    /** The name of its endpoint. */
    public String endpoint() {
        return state.endpoint;
    }

    /** Its name. */
    public String name() {
        return state.name;
    }

    /** Its settings. */
    public Relay settings() {
        return settings;
    }

    RuleCounters counters() {
        return state.counters;
    }

    /** No target could be connected; logged at most once a minute. */
    void unreachable(String detail) {
        if (state.warning.isDue()) {
            LOG.warn(
                    "Rule {} of {}: no target can be connected to, which is logged at most once a minute: {}; start"
                            + " one of them, or correct its address",
                    state.name,
                    state.endpoint,
                    detail);
        }
    }

    /** A target is ejected: it is skipped as long as the rule has others. */
    void ejected(RelayTarget target, String detail) {
        if (targets.size() > 1) {
            LOG.warn("Rule {} of {}: target {} is skipped: {}", state.name, state.endpoint, target.text(), detail);
        }
    }

    /** A connection to an ejected target succeeded. */
    void isBack(RelayTarget target) {
        if (targets.size() > 1) {
            LOG.info("Rule {} of {}: target {} is back", state.name, state.endpoint, target.text());
        }
    }

    /** Whether a client stays within the rate limit. */
    boolean isWithinRate(AddressRange client, long now) {
        int most = settings.newConnectionsPerMinute();
        return most == 0 || state.rate.takeOfMinute(client, most, now);
    }

    /** Counts a connection of a client, until {@link #left}; false if it exceeds the limit. */
    boolean entered(AddressRange client) {
        int count = state.byClient.merge(client, 1, Integer::sum);
        return settings.connectionsPerAddress() == 0 || count <= settings.connectionsPerAddress();
    }

    void left(AddressRange client) {
        state.byClient.computeIfPresent(client, (same, count) -> count == 1 ? null : count - 1);
    }

    /**
     * The order in which a connection tries the targets: round robin, ejected ones last. The caller may change the list
     * if there are several.
     */
    List<RelayTarget> order(OutlierEjection rule, long now) {
        int count = targets.size();
        if (count == 1) {
            return targets;
        }
        List<RelayTarget> usable = new ArrayList<>(count);
        List<RelayTarget> ejected = new ArrayList<>();
        int first = Math.floorMod(state.turn.getAndIncrement(), count);
        for (int i = 0; i < count; i++) {
            RelayTarget target = targets.get((first + i) % count);
            (target.ejection().mayBeTried(rule, now) ? usable : ejected).add(target);
        }
        usable.addAll(ejected);
        return usable;
    }

    @Override
    public String toString() {
        return state.endpoint + "/" + state.name;
    }
}
