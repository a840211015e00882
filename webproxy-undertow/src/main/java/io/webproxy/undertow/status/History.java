package io.webproxy.undertow.status;

import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.RelayEnd;
import io.webproxy.observe.RelayRecord;
import io.webproxy.observe.UpstreamEvent;
import io.webproxy.undertow.exchange.Flights;
import io.webproxy.undertow.status.Failure.Leg;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What the status page remembers: the throughput of five minutes, the latency of each upstream, the last failures.
 * Events only count, on IO threads; {@link #sample} moves the counts into slots of time, on one thread. What it holds
 * is bounded by the configuration and by fixed numbers, never by what clients send.
 */
final class History implements ProxyObserver {
    /** The slots of throughput. */
    static final int SLOTS = 150;

    static final long SLOT_NANOS = TimeUnit.SECONDS.toNanos(2);
    /** The slots of an upstream's latency. */
    static final int LATENCY_SLOTS = 30;

    static final long LATENCY_SLOT_NANOS = TimeUnit.SECONDS.toNanos(10);
    /** How many failures of each leg are kept: those of one don't push out another's. */
    static final int MOST_FAILURES = 20;
    /** How many upstreams are followed. */
    static final int MOST_UPSTREAMS = 200;

    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT");

    private final LongAdder requests = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder bytesIn = new LongAdder();
    private final LongAdder bytesOut = new LongAdder();
    private final Map<Leg, ArrayDeque<Failure>> failures = new EnumMap<>(Leg.class);
    private volatile Set<String> skipped = Set.of();
    private volatile Map<String, OfUpstream> upstreams = Map.of();

    private final Ring throughput;
    private final Counted requestCount = new Counted();
    private final Counted failureCount = new Counted();
    private final Counted inCount = new Counted();
    private final Counted outCount = new Counted();
    private boolean followed;

    History(long now) {
        this.throughput = new Ring(4, SLOTS, SLOT_NANOS, now);
    }

    /**
     * Follows other routes and upstreams; what is known of those that stay is kept.
     *
     * @param withoutRoutes the names of the status page's own routes
     * @param uris the upstreams, as in records
     */
    void follow(Set<String> withoutRoutes, Set<String> uris, long now) {
        Map<String, OfUpstream> next = new HashMap<>();
        for (String uri : uris) {
            if (next.size() >= MOST_UPSTREAMS) {
                break;
            }
            OfUpstream known = upstreams.get(uri);
            next.put(uri, known == null ? new OfUpstream(now) : known);
        }
        upstreams = Map.copyOf(next);
        skipped = Set.copyOf(withoutRoutes);
    }

    /** The names of routes that don't count. */
    Set<String> skipped() {
        return skipped;
    }

    // --- events, on any thread ---

    @Override
    public void exchangeEnded(ExchangeRecord exchange) {
        String route = exchange.route().orElse(null);
        if (route != null && skipped.contains(route)) {
            return;
        }
        requests.increment();
        bytesIn.add(exchange.bytesIn());
        bytesOut.add(exchange.bytesOut());
        ForwardError error = exchange.error().orElse(null);
        String upstream = exchange.upstream().orElse(null);
        OfUpstream of = upstream == null ? null : upstreams.get(upstream);
        Leg leg = error == null ? null : Failure.leg(error);
        if (of != null) {
            of.count(exchange.firstByte().orElse(null), leg == Leg.UPSTREAM);
        }
        if (error != null && leg != null) {
            if (leg != Leg.CLIENT) {
                failed.increment();
            }
            add(new Failure(
                    Instant.now(),
                    leg,
                    error.name(),
                    Failure.reason(error),
                    METHODS.contains(exchange.method()) ? exchange.method() : "other",
                    exchange.status(),
                    route == null ? null : Json.cut(route),
                    upstream == null ? null : Json.cut(upstream),
                    exchange.total().toNanos()));
        }
    }

    @Override
    public void relayEnded(RelayRecord relay) {
        RelayEnd end = relay.end();
        if (end == RelayEnd.CONNECT_FAILED || end == RelayEnd.FAILED) {
            add(new Failure(
                    Instant.now(),
                    end == RelayEnd.FAILED ? Leg.PROXY : Leg.UPSTREAM,
                    end.name(),
                    relay.detail().isEmpty() ? "The connection failed." : Failure.sentence(relay.detail()),
                    null,
                    0,
                    Json.cut(relay.endpoint()
                            + relay.rule().map(rule -> " " + rule).orElse("")),
                    relay.target().map(Json::cut).orElse(null),
                    relay.duration().toNanos()));
        }
    }

    @Override
    public void upstreamDown(UpstreamEvent event) {
        add(ofProxy(
                Leg.UPSTREAM, event.error().map(Enum::name).orElse("UPSTREAM_DOWN"), event.detail(), event.upstream()));
    }

    @Override
    public void certificateFailed(CertificateEvent event) {
        add(ofProxy(Leg.PROXY, "CERTIFICATE_FAILED", event.detail(), null));
    }

    private static Failure ofProxy(Leg leg, String error, String detail, @Nullable String upstream) {
        return new Failure(
                Instant.now(),
                leg,
                error,
                Failure.sentence(detail),
                null,
                0,
                null,
                upstream == null ? null : Json.cut(upstream),
                -1);
    }

    private void add(Failure failure) {
        synchronized (failures) {
            ArrayDeque<Failure> ofLeg = failures.computeIfAbsent(failure.leg(), leg -> new ArrayDeque<>(MOST_FAILURES));
            if (ofLeg.size() >= MOST_FAILURES) {
                ofLeg.removeFirst();
            }
            ofLeg.addLast(failure);
        }
    }

    /** The last failures, the newest first. */
    List<Failure> failures() {
        synchronized (failures) {
            return failures.values().stream()
                    .flatMap(ArrayDeque::stream)
                    .sorted(Comparator.comparing(Failure::time).reversed())
                    .toList();
        }
    }

    // --- slots, on one thread ---

    /**
     * Moves what was counted into the slots of a time.
     *
     * @param flights what is in flight, whose bytes then show while they move; null to see them when exchanges end
     */
    void sample(long now, @Nullable Flights flights) {
        long in = bytesIn.sum() + (flights == null ? 0 : flights.bytesIn());
        long out = bytesOut.sum() + (flights == null ? 0 : flights.bytesOut());
        if (flights != null && !followed) {
            // what has moved before isn't of this moment
            inCount.skipTo(in);
            outCount.skipTo(out);
        }
        followed = flights != null;
        throughput.add(
                now,
                requestCount.more(requests.sum()),
                failureCount.more(failed.sum()),
                inCount.more(in),
                outCount.more(out));
        upstreams.values().forEach(upstream -> upstream.sample(now));
    }

    /** Requests, failures, bytes from clients, bytes to clients: one of these, by slot. */
    long[] throughput(int column, long now) {
        return throughput.column(column, now);
    }

    @Nullable OfUpstream upstream(String uri) {
        return upstreams.get(uri);
    }

    /** How many upstreams and failures it holds. */
    int size() {
        return upstreams.size() + failures().size();
    }

    /** A count that only grows, and how much of it is in slots. */
    private static final class Counted {
        private long seen;

        long more(long total) {
            long more = Math.max(0, total - seen);
            seen += more;
            return more;
        }

        void skipTo(long total) {
            seen = Math.max(seen, total);
        }
    }

    /** What is remembered of one upstream. */
    static final class OfUpstream {
        private final LongAdder answers = new LongAdder();
        private final LongAdder nanos = new LongAdder();
        private final LongAdder failed = new LongAdder();
        private final Counted answerCount = new Counted();
        private final Counted nanoCount = new Counted();
        private final Counted failureCount = new Counted();
        private final Ring ring;

        OfUpstream(long now) {
            this.ring = new Ring(3, LATENCY_SLOTS, LATENCY_SLOT_NANOS, now);
        }

        void count(@Nullable Duration firstByte, boolean failure) {
            if (firstByte != null) {
                answers.increment();
                nanos.add(firstByte.toNanos());
            }
            if (failure) {
                failed.increment();
            }
        }

        void sample(long now) {
            ring.add(
                    now, answerCount.more(answers.sum()), nanoCount.more(nanos.sum()), failureCount.more(failed.sum()));
        }

        /** The mean time to the first byte in microseconds, by slot; -1 where there was no response. */
        long[] latency(long now) {
            long[] count = ring.column(0, now);
            long[] sum = ring.column(1, now);
            long[] mean = new long[count.length];
            for (int i = 0; i < mean.length; i++) {
                mean[i] = count[i] == 0 ? -1 : sum[i] / count[i] / 1000;
            }
            return mean;
        }

        /** Responses, or failures, of the time that is remembered. */
        long answers(long now) {
            return sum(ring.column(0, now));
        }

        long failures(long now) {
            return sum(ring.column(2, now));
        }

        private static long sum(long[] values) {
            long sum = 0;
            for (long value : values) {
                sum += value;
            }
            return sum;
        }
    }
}
