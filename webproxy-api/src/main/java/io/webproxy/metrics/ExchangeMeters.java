package io.webproxy.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.webproxy.observe.ForwardError;
import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is counted of ended exchanges: a meter is looked up once for each set of tags. Thread-safe. */
@SuppressWarnings("EnumOrdinal") // places in arrays that never leave the JVM
final class ExchangeMeters {
    /** How many routes and upstreams are told apart. */
    static final int MOST_NAMES = 500;

    /**
     * How many sets of tags {@code webproxy.requests} has; and again, how many sets that only have the route, the
     * outcome and the error. Beyond both there are those of the outcomes and errors.
     */
    static final int MOST_SETS = 2_000;

    private static final String BYTES = "bytes";

    private final MeterSet meters;
    private final Map<String, OfRoute> routes = new ConcurrentHashMap<>();
    private final Map<String, OfUpstream> upstreams = new ConcurrentHashMap<>();
    private final OfRoute others;
    private final Consumer<String> onUpstream;
    private volatile Groups groups = Groups.NONE;

    /** How many sets of all tags there are. */
    final AtomicInteger sets = new AtomicInteger();

    /** How many sets of few tags there are, with the names of routes. */
    final AtomicInteger fewSets = new AtomicInteger();

    /** {@code onUpstream} receives each upstream that wasn't used before. */
    ExchangeMeters(MeterSet meters, Consumer<String> onUpstream) {
        this.meters = meters;
        this.onUpstream = onUpstream;
        this.others = new OfRoute(MeterSet.OTHER);
    }

    /** Counts an ended exchange. */
    void count(ExchangeData exchange) {
        if (meters.isClosed()) {
            return;
        }
        String name = exchange.routeOrNull();
        route(name == null ? MeterSet.NONE : name).count(exchange);
        String upstream = exchange.upstreamOrNull();
        if (upstream != null) {
            upstream(upstream).count(exchange);
        }
    }

    /** Sets the groups of upstreams: what an upstream is counted for in a group that it leaves, ends. */
    void configured(Groups next) {
        groups = next;
        upstreams.forEach((name, upstream) -> {
            if (next.upstreams().contains(name) && !upstream.group.equals(next.of(name))) {
                upstream.leave();
                upstreams.remove(name, upstream);
            }
        });
    }

    /**
     * Removes the meters of all other routes if there is no room for new ones. What ends for them later is counted for
     * {@code other}, or as that of a new route.
     */
    void retainRoutes(Set<String> names) {
        if (routes.size() >= MOST_NAMES || sets.get() >= MOST_SETS || fewSets.get() >= MOST_SETS) {
            retain(routes, names);
        }
    }

    /** The same for upstreams. */
    void retainUpstreams(Set<String> names) {
        if (upstreams.size() >= MOST_NAMES) {
            retain(upstreams, names);
        }
    }

    private static <M extends NamedMeters> void retain(Map<String, M> all, Set<String> names) {
        all.forEach((name, named) -> {
            if (!names.contains(name) && !MeterSet.isCommon(name)) {
                // in this order: otherwise meters that a new one has made would be removed
                named.leave();
                all.remove(name, named);
            }
        });
    }

    /** Counts one more if it fits. */
    private static boolean take(AtomicInteger count) {
        return count.getAndUpdate(now -> now < MOST_SETS ? now + 1 : now) < MOST_SETS;
    }

    private OfRoute route(String name) {
        OfRoute known = routes.get(name);
        if (known != null) {
            return known;
        }
        return routes.size() < MOST_NAMES ? routes.computeIfAbsent(name, OfRoute::new) : others;
    }

    private OfUpstream upstream(String name) {
        OfUpstream known = upstreams.get(name);
        if (known != null) {
            return known;
        }
        boolean fits = upstreams.size() < MOST_NAMES;
        if (fits) {
            onUpstream.accept(name);
        }
        return upstreams.computeIfAbsent(fits ? name : MeterSet.OTHER, OfUpstream::new);
    }

    private static void record(@Nullable Timer timer, Duration time) {
        if (timer != null) {
            timer.record(time);
        }
    }

    private final class OfRoute extends NamedMeters {
        private final AtomicReferenceArray<@Nullable Bytes> bytes = new AtomicReferenceArray<>(TagSet.protocols());
        private final AtomicReferenceArray<@Nullable Timer> firstBytes =
                new AtomicReferenceArray<>(TimeoutClass.values().length);
        private volatile TimerTable requests = TimerTable.EMPTY;
        /** By outcome and error; beyond their limit those of the other routes. */
        private volatile TimerTable few = TimerTable.EMPTY;

        private int ownSets;
        private int ownFewSets;
        private volatile @Nullable Counter retries;

        OfRoute(String route) {
            super(meters, route);
        }

        void count(ExchangeData exchange) {
            int tags = TagSet.of(exchange);
            Timer timer = requests.get(tags);
            if (timer == null && sets.get() >= MOST_SETS) {
                // no lock for what clients make up
                timer = few.get(TagSet.few(tags));
            }
            record(timer == null ? add(tags) : timer, exchange.total());
            int protocol = TagSet.protocol(tags);
            Bytes moved = bytes.get(protocol);
            (moved == null ? addBytes(protocol) : moved).count(exchange.bytesIn(), exchange.bytesOut());
            if (exchange.attempts() > 1) {
                retried(exchange.attempts() - 1);
            }
            Duration first = exchange.firstByteOrNull();
            if (first != null) {
                Timer waited = firstBytes.get(exchange.endClass().ordinal());
                record(waited == null ? addFirstByte(exchange.endClass()) : waited, first);
            }
        }

        private void retried(int times) {
            Counter counter = retries;
            if (counter == null) {
                counter = addRetries();
            }
            if (counter != null) {
                counter.increment(times);
            }
        }

        private synchronized @Nullable Counter addRetries() {
            Counter counter = own(meters.counter(
                    "webproxy.requests.retries",
                    "How often requests were sent to an upstream again, or to another one.",
                    null,
                    "route",
                    name()));
            retries = counter;
            return counter;
        }

        private synchronized @Nullable Timer add(int tags) {
            Timer timer = requests.get(tags);
            if (timer != null) {
                return timer;
            }
            if (isGone()) {
                return others.add(tags);
            }
            if (!take(sets)) {
                return addFew(tags);
            }
            ownSets++;
            timer = own(timer(TagSet.names(tags, name())));
            if (timer != null) {
                requests = requests.with(tags, timer);
            }
            return timer;
        }

        /** One for what doesn't fit: its table can't grow with what clients make up. */
        private synchronized @Nullable Timer addFew(int tags) {
            int key = TagSet.few(tags);
            Timer timer = few.get(key);
            if (timer != null) {
                return timer;
            }
            if (this == others) {
                timer = timer(TagSet.fewNames(tags, name()));
            } else if (take(fewSets)) {
                ownFewSets++;
                timer = own(timer(TagSet.fewNames(tags, name())));
            } else {
                timer = others.addFew(tags);
            }
            if (timer != null) {
                few = few.with(key, timer);
            }
            return timer;
        }

        private @Nullable Timer timer(String[] tags) {
            return meters.timer(
                    "webproxy.requests", "Ended exchanges, from the request head to the end of the response.", tags);
        }

        @Override
        synchronized void leave() {
            super.leave();
            sets.addAndGet(-ownSets);
            fewSets.addAndGet(-ownFewSets);
            ownSets = 0;
            ownFewSets = 0;
        }

        private synchronized Bytes addBytes(int protocol) {
            Bytes added = bytes.get(protocol);
            if (added == null) {
                added = new Bytes(
                        counter("received", "Bytes of request bodies, from clients.", protocol),
                        counter("sent", "Bytes of response bodies, to clients.", protocol));
                bytes.set(protocol, added);
            }
            return added;
        }

        private @Nullable Counter counter(String name, String description, int protocol) {
            return own(meters.counter(
                    "webproxy.requests." + name,
                    description,
                    BYTES,
                    "route",
                    name(),
                    "protocol",
                    TagSet.protocolName(protocol)));
        }

        private synchronized @Nullable Timer addFirstByte(TimeoutClass timeoutClass) {
            Timer timer = own(meters.timer(
                    "webproxy.requests.first.byte",
                    "From the request head to the response head.",
                    "route",
                    name(),
                    "class",
                    timeoutClass.name()));
            firstBytes.set(timeoutClass.ordinal(), timer);
            return timer;
        }
    }

    private record Bytes(
            @Nullable Counter received, @Nullable Counter sent) {
        void count(long in, long out) {
            if (received != null && in > 0) {
                received.increment((double) in);
            }
            if (sent != null && out > 0) {
                sent.increment((double) out);
            }
        }
    }

    private final class OfUpstream extends NamedMeters {
        private final AtomicReferenceArray<@Nullable Timer> byError =
                new AtomicReferenceArray<>(ForwardError.values().length + 1);

        private final String group;

        OfUpstream(String name) {
            super(meters, name);
            this.group = groups.of(name);
        }

        void count(ExchangeData exchange) {
            ForwardError error = exchange.errorOrNull();
            int index = error == null ? 0 : error.ordinal() + 1;
            Timer timer = byError.get(index);
            Duration first = exchange.firstByteOrNull();
            record(timer == null ? add(index, error) : timer, first == null ? exchange.total() : first);
        }

        private synchronized @Nullable Timer add(int index, @Nullable ForwardError error) {
            Timer timer = own(meters.timer(
                    "webproxy.upstream.requests",
                    "Exchanges by the upstream that answered or failed last, from the request head to the response"
                            + " head, or to the failure.",
                    "upstream",
                    name(),
                    "group",
                    isGone() ? MeterSet.OTHER : group,
                    "error",
                    TagSet.error(error)));
            byError.set(index, timer);
            return timer;
        }
    }
}
