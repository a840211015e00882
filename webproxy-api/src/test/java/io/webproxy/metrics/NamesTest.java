package io.webproxy.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.webproxy.ProxyStatus;
import io.webproxy.metrics.StatusView.RuleName;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.Records;
import io.webproxy.observe.RelayEnd;
import io.webproxy.spi.ExchangeData;
import io.webproxy.spi.RelayData;
import io.webproxy.spi.StatusData;
import java.lang.ref.WeakReference;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What there is a limit to, and what is let go. */
class NamesTest {
    private static final int MOST = ExchangeMeters.MOST_NAMES;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final MeterSet meters = MeterSet.of(registry, "s");
    private final ExchangeMeters exchanges = new ExchangeMeters(meters, upstream -> {});

    private void count(String method, int status, String route, String upstream, ForwardError error) {
        exchanges.count((ExchangeData) Records.of(method, status, "/", "HTTP/1.1", route, upstream, error));
    }

    private void count(String route, String upstream) {
        count("GET", 200, route, upstream, null);
    }

    private long requests(String... tags) {
        return registry.find("webproxy.requests").tags(tags).timers().stream()
                .mapToLong(Timer::count)
                .sum();
    }

    private boolean has(String meter, String... tags) {
        return registry.find(meter).tags(tags).meter() != null;
    }

    @Test
    void manyRequestsNeverMakeRoomForMoreSetsOfTags() {
        exchanges.sets.set(Integer.MAX_VALUE);
        count("GET", 200, "r", "u", null);
        count("PUT", 201, "r", "u", null);
        assertThat(requests("method", "other", "status", "other", "route", "r", "outcome", "SUCCESS"))
                .isEqualTo(2);
        assertThat(registry.find("webproxy.requests").timers()).hasSize(1);
    }

    @Test
    void clientsCannotMakeRequestsWaitForTheRegistry() throws Exception {
        exchanges.sets.set(ExchangeMeters.MOST_SETS);
        count("GET", 200, "r", "u", null);
        count("GET", 502, "r", "u", ForwardError.UPSTREAM_CLOSED);
        CompletableFuture<Void> counted;
        // each registration would wait for this
        synchronized (meters) {
            counted = CompletableFuture.runAsync(() -> {
                for (int i = 0; i < 1_000; i++) {
                    count("PUT", 200 + i % 100, "r", "u", null);
                    count("PUT", 500 + i % 100, "r", "u", ForwardError.UPSTREAM_CLOSED);
                }
            });
            counted.get(10, TimeUnit.SECONDS);
        }
        assertThat(requests("outcome", "SUCCESS", "error", "none")).isEqualTo(1_001);
        assertThat(requests("outcome", "SERVER_ERROR", "error", "UPSTREAM_CLOSED"))
                .isEqualTo(1_001);
        assertThat(registry.find("webproxy.requests").timers()).hasSize(2);
    }

    @Test
    void beyondBothLimitsOnlyOutcomeAndErrorAreToldApart() {
        exchanges.sets.set(ExchangeMeters.MOST_SETS);
        exchanges.fewSets.set(ExchangeMeters.MOST_SETS);
        count("a", "u");
        count("b", "u");
        count("GET", 404, "b", "u", null);
        assertThat(requests("route", "other", "outcome", "SUCCESS")).isEqualTo(2);
        assertThat(requests("route", "other", "outcome", "CLIENT_ERROR")).isEqualTo(1);
        assertThat(registry.find("webproxy.requests").timers()).hasSize(2);
    }

    @Test
    void namesOfRemovedUpstreamsMakeRoomForNewOnes() {
        for (int i = 0; i <= MOST; i++) {
            exchanges.retainUpstreams(Set.of("u" + i));
            count("r", "u" + i);
            assertThat(has("webproxy.upstream.requests", "upstream", "u0")).isEqualTo(i < MOST);
        }
        assertThat(has("webproxy.upstream.requests", "upstream", "u" + MOST)).isTrue();
        assertThat(has("webproxy.upstream.requests", "upstream", "other")).isFalse();
        assertThat(registry.find("webproxy.upstream.requests").timers()).hasSize(1);
    }

    @Test
    void namesOfRemovedRoutesMakeRoomForNewOnes() {
        count(null, "u");
        for (int i = 1; i <= MOST; i++) {
            exchanges.retainRoutes(Set.of("r" + i));
            count("r" + i, "u");
        }
        assertThat(has("webproxy.requests", "route", "r1")).isFalse();
        assertThat(has("webproxy.requests.sent", "route", "r1")).isFalse();
        assertThat(has("webproxy.requests.first.byte", "route", "r1")).isFalse();
        assertThat(has("webproxy.requests", "route", "r" + MOST)).isTrue();
        assertThat(has("webproxy.requests", "route", "other")).isFalse();
        assertThat(requests("route", "none")).isEqualTo(1);
        assertThat(exchanges.sets).hasValue(2);
        // an exchange that outlives its route
        count("r1", "u");
        assertThat(requests("route", "r1")).isEqualTo(1);
    }

    @Test
    void setsOfTagsOfRemovedRoutesMakeRoomForNewOnes() {
        exchanges.sets.set(ExchangeMeters.MOST_SETS - 1);
        count("old", "u");
        count("PUT", 200, "old", "u", null);
        assertThat(requests("route", "old", "method", "other")).isEqualTo(1);
        exchanges.retainRoutes(Set.of("new"));
        count("PUT", 200, "new", "u", null);
        assertThat(requests("route", "new", "method", "PUT")).isEqualTo(1);
        assertThat(requests("route", "old")).isZero();
        assertThat(exchanges.fewSets).hasValue(0);
    }

    @Test
    void nothingIsLetGoWhileThereIsRoom() {
        count("r", "u");
        exchanges.retainRoutes(Set.of());
        exchanges.retainUpstreams(Set.of());
        assertThat(requests("route", "r")).isEqualTo(1);
        assertThat(has("webproxy.upstream.requests", "upstream", "u")).isTrue();
    }

    @Test
    void namesOfRemovedRulesMakeRoomForNewOnes() {
        EventMeters events = new EventMeters(meters);
        events.count(relay("tunnel", Optional.of("example.com")));
        events.count(relay("port", Optional.empty()));
        for (int i = 2; i <= MOST; i++) {
            String rule = "ssh" + i;
            events.retainRules(Set.of(new RuleName("port", rule)), Set.of("port"));
            events.count(relay("port", Optional.of(rule)));
        }
        assertThat(has("webproxy.relays", "rule", "ssh2")).isFalse();
        assertThat(has("webproxy.relays.sent", "rule", "ssh2")).isFalse();
        assertThat(has("webproxy.relays", "rule", "ssh" + MOST)).isTrue();
        assertThat(has("webproxy.relays", "rule", "other")).isFalse();
        assertThat(has("webproxy.relays", "rule", "none")).isTrue();
        assertThat(has("webproxy.relays", "endpoint", "tunnel")).isTrue();
    }

    private static RelayData relay(String endpoint, Optional<String> rule) {
        return new RelayData(
                Instant.EPOCH,
                new InetSocketAddress("127.0.0.1", 1),
                endpoint,
                rule,
                Optional.empty(),
                Optional.empty(),
                1,
                1,
                Duration.ofSeconds(1),
                RelayEnd.CLOSED,
                "");
    }

    @Test
    void aClosedServerIsLetGoWhenTheMetersAreRead() {
        AtomicLong clock = new AtomicLong();
        AtomicReference<ProxyStatus> now = new AtomicReference<>(running());
        StatusMeters status = new StatusMeters(meters, clock::get, view -> {});
        WeakReference<?> server = read(status, now);
        assertThat(connections()).isEqualTo(7);
        collect(server);
        assertThat(server.get()).isNotNull();

        now.set(StatusData.CLOSED);
        clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
        assertThat(connections()).isZero();
        collect(server);
        assertThat(server.get()).isNull();

        // as for the next server
        now.set(running());
        assertThat(connections()).isZero();
        read(status, now);
        assertThat(connections()).isEqualTo(7);
    }

    /** A supplier that nobody else holds. */
    private static WeakReference<?> read(StatusMeters status, AtomicReference<ProxyStatus> now) {
        Supplier<ProxyStatus> supplier = new Supplier<>() {
            @Override
            public ProxyStatus get() {
                return now.get();
            }
        };
        status.read(supplier);
        return new WeakReference<>(supplier);
    }

    private static void collect(WeakReference<?> reference) {
        for (int i = 0; i < 5 && reference.get() != null; i++) {
            System.gc();
        }
    }

    private double connections() {
        return registry.get("webproxy.connections").gauge().value();
    }

    private static ProxyStatus running() {
        StatusData none = StatusData.CLOSED;
        return new StatusData(
                List.of(),
                "JDK",
                7,
                0,
                0,
                0,
                0,
                none.upstreams(),
                List.of(),
                Map.of(),
                none.tunnelStatus(),
                List.of(),
                none.failure(),
                false,
                none.counters());
    }
}
