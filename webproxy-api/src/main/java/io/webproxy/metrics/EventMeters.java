package io.webproxy.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.webproxy.observe.RelayRecord;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What is counted of events: certificates, relays, tunnels. Thread-safe. */
final class EventMeters {
    private static final String BYTES = "bytes";
    private static final Set<String> RENEWALS = Set.of("obtained", "renewed", "reloaded");

    private final MeterSet meters;
    private final Map<Rule, OfRule> rules = new ConcurrentHashMap<>();
    private volatile double renewed = Double.NaN;

    /** A rule of a port. */
    private record Rule(String endpoint, String rule) {}

    EventMeters(MeterSet meters) {
        this.meters = meters;
    }

    /** Counts an event of a certificate. */
    void certificate(String kind) {
        increment(meters.counter(
                "webproxy.certificates.events", "Events of certificates, such as failures.", null, "event", kind));
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
        Rule rule = new Rule(relay.endpoint(), relay.rule().orElse(MeterSet.NONE));
        OfRule counts = rules.get(rule);
        if (counts == null) {
            Rule told = rules.size() < ExchangeMeters.MOST_NAMES ? rule : new Rule(MeterSet.OTHER, MeterSet.OTHER);
            counts = rules.computeIfAbsent(told, OfRule::new);
        }
        counts.count(relay);
    }

    private final class OfRule {
        private final Rule rule;
        private final Map<String, Timer> byEnd = new ConcurrentHashMap<>();
        private final @Nullable Counter received;
        private final @Nullable Counter sent;

        OfRule(Rule rule) {
            this.rule = rule;
            this.received = bytes("received", "Bytes from clients that targets have taken.");
            this.sent = bytes("sent", "Bytes from targets that clients have taken.");
        }

        private @Nullable Counter bytes(String name, String description) {
            return meters.counter("webproxy.relays." + name, description, BYTES, tags());
        }

        private String[] tags(String... more) {
            String[] tags = new String[4 + more.length];
            tags[0] = "endpoint";
            tags[1] = rule.endpoint();
            tags[2] = "rule";
            tags[3] = rule.rule();
            System.arraycopy(more, 0, tags, 4, more.length);
            return tags;
        }

        void count(RelayRecord relay) {
            String end = relay.end().toString();
            Timer timer = byEnd.get(end);
            if (timer == null) {
                timer = meters.timer(
                        "webproxy.relays", "Ended and refused connections of port rules.", tags("end", end));
                if (timer == null) {
                    return;
                }
                byEnd.put(end, timer);
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
