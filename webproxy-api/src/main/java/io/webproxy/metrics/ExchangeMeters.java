package io.webproxy.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.webproxy.observe.ForwardError;
import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** What is counted of ended exchanges: a meter is looked up once for each set of tags. Thread-safe. */
@SuppressWarnings("EnumOrdinal") // places in arrays that never leave the JVM
final class ExchangeMeters {
    /** How many routes and upstreams are told apart. */
    static final int MOST_NAMES = 500;

    /** How many sets of tags {@code webproxy.requests} has, but for a few of the outcomes. */
    static final int MOST_SETS = 2_000;

    private static final String BYTES = "bytes";

    private final MeterSet meters;
    private final Map<String, OfRoute> routes = new ConcurrentHashMap<>();
    private final Map<String, OfUpstream> upstreams = new ConcurrentHashMap<>();
    private final AtomicInteger sets = new AtomicInteger();
    private final OfRoute others;

    ExchangeMeters(MeterSet meters) {
        this.meters = meters;
        this.others = new OfRoute(MeterSet.OTHER);
    }

    /** Counts an ended exchange. */
    void count(ExchangeData exchange) {
        String name = exchange.routeOrNull();
        route(name == null ? MeterSet.NONE : name).count(exchange);
        String upstream = exchange.upstreamOrNull();
        if (upstream != null) {
            upstream(upstream).count(exchange);
        }
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
        return upstreams.computeIfAbsent(upstreams.size() < MOST_NAMES ? name : MeterSet.OTHER, OfUpstream::new);
    }

    private static void record(@Nullable Timer timer, Duration time) {
        if (timer != null) {
            timer.record(time);
        }
    }

    private final class OfRoute {
        private final String route;
        private final AtomicReferenceArray<@Nullable Bytes> bytes = new AtomicReferenceArray<>(TagSet.protocols());
        private final AtomicReferenceArray<@Nullable Timer> firstBytes =
                new AtomicReferenceArray<>(TimeoutClass.values().length);
        private volatile TimerTable requests = TimerTable.EMPTY;
        private volatile @Nullable Counter retries;

        OfRoute(String route) {
            this.route = route;
        }

        void count(ExchangeData exchange) {
            int tags = TagSet.of(exchange);
            Timer timer = requests.get(tags);
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
                counter = meters.counter(
                        "webproxy.requests.retries",
                        "How often requests were sent to an upstream again, or to another one.",
                        null,
                        "route",
                        route);
                retries = counter;
            }
            if (counter != null) {
                counter.increment(times);
            }
        }

        private synchronized @Nullable Timer add(int tags) {
            Timer timer = requests.get(tags);
            if (timer != null) {
                return timer;
            }
            boolean fits = sets.getAndIncrement() < MOST_SETS;
            timer = meters.timer(
                    "webproxy.requests",
                    "Ended exchanges, from the request head to the end of the response.",
                    fits ? TagSet.names(tags, route) : TagSet.fewNames(tags));
            // what doesn't fit is not kept: otherwise the table would grow with what clients make up
            if (timer != null && fits) {
                requests = requests.with(tags, timer);
            }
            return timer;
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
            return meters.counter(
                    "webproxy.requests." + name,
                    description,
                    BYTES,
                    "route",
                    route,
                    "protocol",
                    TagSet.protocolName(protocol));
        }

        private synchronized @Nullable Timer addFirstByte(TimeoutClass timeoutClass) {
            Timer timer = meters.timer(
                    "webproxy.requests.first.byte",
                    "From the request head to the response head.",
                    "route",
                    route,
                    "class",
                    timeoutClass.name());
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

    private final class OfUpstream {
        private final String name;
        private final AtomicReferenceArray<@Nullable Timer> byError =
                new AtomicReferenceArray<>(ForwardError.values().length + 1);

        OfUpstream(String name) {
            this.name = name;
        }

        void count(ExchangeData exchange) {
            ForwardError error = exchange.errorOrNull();
            int index = error == null ? 0 : error.ordinal() + 1;
            Timer timer = byError.get(index);
            Duration first = exchange.firstByteOrNull();
            record(timer == null ? add(index, error) : timer, first == null ? exchange.total() : first);
        }

        private synchronized @Nullable Timer add(int index, @Nullable ForwardError error) {
            Timer timer = meters.timer(
                    "webproxy.upstream.requests",
                    "Exchanges by the upstream that answered or failed last, from the request head to the response"
                            + " head, or to the failure.",
                    "upstream",
                    name,
                    "error",
                    TagSet.error(error));
            byError.set(index, timer);
            return timer;
        }
    }
}
