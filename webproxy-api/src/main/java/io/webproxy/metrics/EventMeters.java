package io.webproxy.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.webproxy.metrics.StatusView.RuleName;
import io.webproxy.observe.RelayRecord;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What is counted of events: certificates, relays, tunnels. Thread-safe. */
final class EventMeters {
    private static final String BYTES = "bytes";
    private static final Set<String> CERTIFICATE_EVENTS =
            Set.of("obtained", "renewed", "reloaded", "failed", "expiring", "revoked");
    private static final Set<String> RENEWALS = Set.of("obtained", "renewed", "reloaded");

    private static final RuleName OTHERS = new RuleName(MeterSet.OTHER, MeterSet.OTHER);
    /** Endpoints whose rules no status lists: those of tunnels, and of what is beyond the limit. */
    private static final Set<String> UNLISTED = Set.of("tunnel", "tunnels", MeterSet.OTHER);

    private final MeterSet meters;
    private final Map<RuleName, OfRule> rules = new ConcurrentHashMap<>();
    private volatile double renewed = Double.NaN;

    EventMeters(MeterSet meters) {
        this.meters = meters;
        // from zero on: an alert compares with what was before, and the first failure must not be missed
        CERTIFICATE_EVENTS.forEach(this::certificates);
    }

    /** Counts an event of a certificate. */
    void certificate(String kind) {
        increment(certificates(kind));
        if (RENEWALS.contains(kind)) {
            boolean first = Double.isNaN(renewed);
            renewed = System.currentTimeMillis() / 1e3;
            if (first) {
                meters.gauge(
                        "webproxy.certificates.renewed",
                        "When a certificate was last obtained, renewed or reloaded, since 1970.",
                        "seconds",
                        () -> renewed);
            }
        }
    }

    private @Nullable Counter certificates(String kind) {
        return meters.counter(
                "webproxy.certificates.events", "Events of certificates, such as failures.", null, "event", kind);
    }

    /** Counts an event of a tunnel. */
    void tunnel(String kind) {
        increment(meters.counter("webproxy.tunnel.events", "Events of tunnels, by kind.", null, "event", kind));
    }

    private static void increment(@Nullable Counter counter) {
        if (counter != null) {
            counter.increment();
        }
    }

    /** Counts a connection of a port rule. */
    void count(RelayRecord relay) {
        RuleName rule = new RuleName(relay.endpoint(), relay.rule().orElse(MeterSet.NONE));
        OfRule counts = rules.get(rule);
        if (counts == null) {
            RuleName told = rules.size() < ExchangeMeters.MOST_NAMES ? rule : OTHERS;
            counts = rules.computeIfAbsent(told, OfRule::new);
        }
        counts.count(relay);
    }

    /**
     * Removes the meters of rules that no port has any more, if there is no room for new ones.
     *
     * @param names the rules of all ports
     * @param ports the endpoints with rules
     */
    void retainRules(Set<RuleName> names, Set<String> ports) {
        if (rules.size() >= ExchangeMeters.MOST_NAMES) {
            rules.forEach((name, rule) -> {
                boolean stays =
                        name.rule().equals(MeterSet.NONE) ? ports.contains(name.endpoint()) : names.contains(name);
                if (!stays && !UNLISTED.contains(name.endpoint())) {
                    // in this order: otherwise meters that a new one has made would be removed
                    rule.leave();
                    rules.remove(name, rule);
                }
            });
        }
    }

    private final class OfRule extends NamedMeters {
        private final String endpoint;
        private final Map<String, Timer> byEnd = new ConcurrentHashMap<>();
        private final @Nullable Counter received;
        private final @Nullable Counter sent;

        OfRule(RuleName rule) {
            super(meters, rule.rule());
            this.endpoint = rule.endpoint();
            this.received = bytes("received", "Bytes from clients that targets have taken.");
            this.sent = bytes("sent", "Bytes from targets that clients have taken.");
        }

        private @Nullable Counter bytes(String name, String description) {
            return own(meters.counter("webproxy.relays." + name, description, BYTES, tags()));
        }

        private String[] tags(String... more) {
            String[] tags = new String[4 + more.length];
            tags[0] = "endpoint";
            tags[1] = isGone() ? MeterSet.OTHER : endpoint;
            tags[2] = "rule";
            tags[3] = name();
            System.arraycopy(more, 0, tags, 4, more.length);
            return tags;
        }

        private synchronized @Nullable Timer add(String end) {
            Timer timer = own(
                    meters.timer("webproxy.relays", "Ended and refused connections of port rules.", tags("end", end)));
            if (timer != null) {
                byEnd.put(end, timer);
            }
            return timer;
        }

        void count(RelayRecord relay) {
            String end = relay.end().toString();
            Timer timer = byEnd.get(end);
            if (timer == null) {
                timer = add(end);
                if (timer == null) {
                    return;
                }
            }
            timer.record(relay.duration());
            // from the proxy's view, as for requests: received from clients, sent to them
            if (received != null && relay.sent() > 0) {
                received.increment((double) relay.sent());
            }
            if (sent != null && relay.received() > 0) {
                sent.increment((double) relay.received());
            }
        }
    }
}
