package io.webproxy.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStatus;
import io.webproxy.http.Answer;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.Records;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.CounterData;
import io.webproxy.spi.PoolData;
import io.webproxy.spi.ProxyEngine;
import io.webproxy.spi.ServedRoutes;
import io.webproxy.spi.ServerObserver;
import io.webproxy.spi.StatusData;
import io.webproxy.tls.CertificateStatus;
import java.lang.reflect.Method;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ProxyMetricsTest {

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    /** A server that only has a status. */
    private static ProxyEngine.Running server(Supplier<ProxyStatus> status) {
        return new ProxyEngine.Running() {
            @Override
            public ProxyStatus status() {
                return status.get();
            }

            @Override
            public CompletionStage<String> failure() {
                return new CompletableFuture<>();
            }

            @Override
            public void update(ProxyConfig config) {}

            @Override
            public CompletionStage<Void> drain(Duration limit) {
                return new CompletableFuture<>();
            }
        };
    }

    private static ProxyStatus status(Map<String, ProxyStatus.Pool> upstreams, List<CertificateStatus> certificates) {
        StatusData none = StatusData.CLOSED;
        return new StatusData(
                List.of(),
                "JDK",
                7,
                3,
                2,
                5,
                4,
                upstreams,
                List.of(),
                Map.of(),
                none.tunnelStatus(),
                certificates,
                none.failure(),
                true,
                new CounterData(
                        6, Map.of("address", 3L), Map.of("TLSv1.3", 8L), Map.of("TLSv1.3", 3L), 9, 100, 1_000, 125));
    }

    private double gauge(String name, String... tags) {
        return registry.get(name).tags(tags).gauge().value();
    }

    @Test
    void anExchangeIsCountedWithItsTags() {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            metrics.exchangeEnded(Records.of("POST", 502, "/a", "HTTP/2.0", "api", ForwardError.UPSTREAM_CLOSED));
            metrics.exchangeEnded(Records.of("POST", 502, "/b", "HTTP/2.0", "api", ForwardError.UPSTREAM_CLOSED));
            metrics.exchangeEnded(Records.of("GET", 404, "/b", "HTTP/1.1", null, null));

            Timer timer = registry.get("webproxy.requests").tag("route", "api").timer();
            assertThat(timer.getId().getTags())
                    .containsExactlyInAnyOrder(
                            Tag.of("server", "webproxy"),
                            Tag.of("method", "POST"),
                            Tag.of("status", "502"),
                            Tag.of("outcome", "SERVER_ERROR"),
                            Tag.of("route", "api"),
                            Tag.of("protocol", "HTTP/2.0"),
                            Tag.of("class", "DEFAULT"),
                            Tag.of("class.end", "LONG"),
                            Tag.of("error", "UPSTREAM_CLOSED"));
            assertThat(timer.count()).isEqualTo(2);
            assertThat(timer.totalTime(TimeUnit.MILLISECONDS)).isEqualTo(2_000);
            assertThat(registry.get("webproxy.requests")
                            .tags("route", "none", "error", "none", "status", "404", "outcome", "CLIENT_ERROR")
                            .timer()
                            .count())
                    .isEqualTo(1);
            assertThat(bytes("received", "api")).isEqualTo(24);
            assertThat(bytes("sent", "api")).isEqualTo(68);
            assertThat(registry.get("webproxy.requests.first.byte")
                            .tags("route", "api", "class", "LONG")
                            .timer()
                            .totalTime(TimeUnit.MILLISECONDS))
                    .isEqualTo(500);
            assertThat(registry.get("webproxy.upstream.requests")
                            .tags("upstream", "127.0.0.1:8080", "error", "UPSTREAM_CLOSED")
                            .timer()
                            .count())
                    .isEqualTo(2);
        }
    }

    private double bytes(String direction, String route) {
        Counter counter = registry.get("webproxy.requests." + direction)
                .tag("route", route)
                .counter();
        assertThat(counter.getId().getBaseUnit()).isEqualTo("bytes");
        return counter.count();
    }

    @Test
    void clientsAndUpstreamsCannotMakeTagsUp() {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            for (int i = 0; i < 1_000; i++) {
                metrics.exchangeEnded(Records.of("M" + i, 1_000 + i, "/" + i, "HTTP/" + i, "r", null));
            }
            assertThat(registry.find("webproxy.requests").timers()).hasSize(1);
            assertThat(registry.get("webproxy.requests")
                            .tags("method", "other", "status", "other", "protocol", "other", "outcome", "UNKNOWN")
                            .timer()
                            .count())
                    .isEqualTo(1_000);
        }
    }

    @Test
    void thereIsALimitToTheNumberOfMetersAndNothingGoesUncounted() {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            int count = 0;
            for (int status = 100; status <= 999; status++) {
                for (String method : List.of("GET", "PUT", "POST")) {
                    metrics.exchangeEnded(Records.of(method, status, "/", "HTTP/1.1", "route-" + count++, null));
                }
            }
            assertThat(registry.find("webproxy.requests").timers())
                    .hasSizeBetween(ExchangeMeters.MOST_SETS, ExchangeMeters.MOST_SETS + 10);
            assertThat(registry.find("webproxy.requests.sent").counters())
                    .hasSizeLessThanOrEqualTo(ExchangeMeters.MOST_NAMES + 1);
            assertThat(registry.find("webproxy.requests").timers().stream()
                            .mapToLong(Timer::count)
                            .sum())
                    .isEqualTo(count);
            assertThat(registry.find("webproxy.requests.sent").counters().stream()
                            .mapToDouble(Counter::count)
                            .sum())
                    .isEqualTo(34.0 * count);
        }
    }

    @Test
    void gaugesShowTheStatusOfTheServer() {
        Instant end = Instant.now().plus(Duration.ofHours(1));
        ProxyStatus before = status(
                Map.of("http://10.0.0.7:80", new PoolData(5, 2, 1, true, false)),
                List.of(CertificateStatus.of(List.of("example.com", "www.example.com"))
                        .withNotAfter(end)));
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            assertThat(gauge("webproxy.connections")).isZero();
            metrics.serves(server(() -> before));
            // registries keep some sources by weak references
            System.gc();

            assertThat(gauge("webproxy.connections")).isEqualTo(7);
            assertThat(gauge("webproxy.requests.active")).isEqualTo(5);
            assertThat(gauge("webproxy.websockets")).isEqualTo(4);
            assertThat(gauge("webproxy.healthy")).isEqualTo(1);
            assertThat(gauge("webproxy.connections.lingering")).isEqualTo(6);
            assertThat(gauge("webproxy.descriptors.open")).isEqualTo(100);
            assertThat(gauge("webproxy.descriptors.limit")).isEqualTo(1_000);
            assertThat(gauge("webproxy.descriptors.reserve")).isEqualTo(125);
            assertThat(gauge("webproxy.draining")).isEqualTo(1);
            assertThat(handshakes("TLSv1.3", "no")).isEqualTo(5);
            assertThat(handshakes("TLSv1.3", "yes")).isEqualTo(3);
            assertThat(handshakes("TLSv1.2", "yes")).isZero();
            assertThat(registry.get("webproxy.handshakes.failed")
                            .functionCounter()
                            .count())
                    .isEqualTo(9);
            assertThat(registry.get("webproxy.connections.refused")
                            .tag("reason", "address")
                            .functionCounter()
                            .count())
                    .isEqualTo(3);
            assertThat(gauge("webproxy.upstream.connections", "upstream", "http://10.0.0.7:80", "state", "idle"))
                    .isEqualTo(2);
            assertThat(gauge("webproxy.upstream.connections", "upstream", "http://10.0.0.7:80", "state", "used"))
                    .isEqualTo(3);
            assertThat(gauge("webproxy.upstream.waiting", "upstream", "http://10.0.0.7:80"))
                    .isEqualTo(1);
            assertThat(gauge("webproxy.upstream.ejected", "upstream", "http://10.0.0.7:80"))
                    .isEqualTo(1);
            assertThat(gauge("webproxy.upstream.healthy", "upstream", "http://10.0.0.7:80"))
                    .isZero();
            assertThat(gauge("webproxy.certificates.expiry", "certificate", "example.com"))
                    .isCloseTo(3600, within(60.0));
        }
    }

    private double handshakes(String version, String resumed) {
        return registry.get("webproxy.handshakes")
                .tags("version", version, "resumed", resumed)
                .functionCounter()
                .count();
    }

    private static Route route(String name, UpstreamGroup group) {
        return Route.builder().name(name).path("/" + name).forward(group).build();
    }

    @Test
    void upstreamsOfTheConfigurationAreThereBeforeTheirFirstRequestWithTheirGroups() {
        UpstreamGroup llm = UpstreamGroup.of("http://a:80", "http://b:80").named("llm");
        UpstreamGroup other = UpstreamGroup.of("http://b:80", "http://c:80").named("other");
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            metrics.servesRoutes(new ServedRoutes(List.of(
                    route("one", llm), route("two", other), route("three", UpstreamGroup.of("https://d:443")))));
            metrics.serves(server(() -> status(Map.of("http://a:80", new PoolData(5, 2, 1, true, false)), List.of())));

            assertThat(gauge(
                            "webproxy.upstream.connections",
                            "upstream",
                            "http://a:80",
                            "group",
                            "llm",
                            "state",
                            "idle"))
                    .isEqualTo(2);
            assertThat(gauge(
                            "webproxy.upstream.connections",
                            "upstream",
                            "http://b:80",
                            "group",
                            "several",
                            "state",
                            "used"))
                    .isZero();
            assertThat(gauge("webproxy.upstream.waiting", "upstream", "http://c:80", "group", "other"))
                    .isZero();
            assertThat(gauge("webproxy.upstream.healthy", "upstream", "https://d:443", "group", "none"))
                    .isEqualTo(1);
            assertThat(gauge("webproxy.upstream.ejected", "upstream", "https://d:443", "group", "none"))
                    .isZero();

            metrics.exchangeEnded(Records.of("GET", 200, "/", "HTTP/1.1", "one", "http://a:80", null));
            assertThat(registry.get("webproxy.upstream.requests")
                            .tags("upstream", "http://a:80", "group", "llm")
                            .timer()
                            .count())
                    .isEqualTo(1);

            metrics.servesRoutes(new ServedRoutes(List.of(route("one", llm.named("models")))));
            metrics.serves(server(() -> status(Map.of(), List.of())));
            assertThat(upstreams()).containsExactlyInAnyOrder("http://a:80", "http://b:80");
            assertThat(registry.find("webproxy.upstream.requests").timers()).isEmpty();
            metrics.exchangeEnded(Records.of("GET", 200, "/", "HTTP/1.1", "one", "http://a:80", null));
            assertThat(registry.get("webproxy.upstream.requests")
                            .tags("upstream", "http://a:80", "group", "models")
                            .timer()
                            .count())
                    .isEqualTo(1);
        }
    }

    @Test
    void anUpstreamThatAFilterHasChosenIsThereAfterItsFirstRequest() {
        Map<String, ProxyStatus.Pool> pools = new ConcurrentHashMap<>();
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            metrics.serves(server(() -> status(pools, List.of())));
            assertThat(upstreams()).isEmpty();
            pools.put("http://a:80", new PoolData(1, 1, 0, false, true));
            metrics.exchangeEnded(Records.of("GET", 200, "/", "HTTP/1.1", "r", "http://a:80", null));
            assertThat(upstreams()).containsExactly("http://a:80");
        }
    }

    @Test
    void eachProtocolOfAnAddressIsAnUpstream() {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            metrics.serves(server(() -> status(
                    Map.of(
                            "http://a:80", new PoolData(2, 1, 1, true, true),
                            "h2c://a:80", new PoolData(3, 1, 1, true, true)),
                    List.of())));
            assertThat(gauge("webproxy.upstream.connections", "upstream", "http://a:80", "state", "idle"))
                    .isEqualTo(1);
            assertThat(gauge("webproxy.upstream.connections", "upstream", "h2c://a:80", "state", "used"))
                    .isEqualTo(2);
            assertThat(gauge("webproxy.upstream.ejected", "upstream", "http://a:80"))
                    .isEqualTo(1);
            assertThat(gauge("webproxy.upstream.healthy", "upstream", "http://a:80"))
                    .isEqualTo(1);
        }
    }

    @Test
    void metersOfWhatIsRemovedGoAndThoseOfWhatIsNewCome() {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            metrics.serves(server(() -> status(Map.of("http://a:80", new PoolData(1, 1, 0, false, true)), List.of())));
            assertThat(upstreams()).containsExactly("http://a:80");
            // as after an update
            metrics.serves(server(
                    () -> status(Map.of("https://b:443", new PoolData(1, 1, 0, false, true)), List.of())));
            assertThat(upstreams()).containsExactly("https://b:443");
        }
    }

    @Test
    void upstreamsAndRoutesOfEarlierConfigurationsMakeRoom() {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            for (int i = 0; i <= ExchangeMeters.MOST_NAMES; i++) {
                String name = "u" + i;
                metrics.serves(server(
                        () -> status(Map.of("http://" + name, new PoolData(1, 1, 0, false, true)), List.of())));
                metrics.servesRoutes(new ServedRoutes(List.of(
                        Route.builder().name("/" + name).answer(Answer.of(204)).build())));
                metrics.exchangeEnded(Records.of("GET", 200, "/", "HTTP/1.1", "/" + name, "http://" + name, null));
            }
            assertThat(registry.find("webproxy.upstream.requests").timers())
                    .extracting(timer -> timer.getId().getTag("upstream"))
                    .containsExactly("http://u" + ExchangeMeters.MOST_NAMES);
            assertThat(registry.find("webproxy.requests").timers())
                    .extracting(timer -> timer.getId().getTag("route"))
                    .containsExactly("/u" + ExchangeMeters.MOST_NAMES);
        }
    }

    private Set<String> upstreams() {
        return registry.find("webproxy.upstream.waiting").gauges().stream()
                .map(gauge -> String.valueOf(gauge.getId().getTag("upstream")))
                .collect(Collectors.toSet());
    }

    @Test
    void statusIsReadOncePerScrape() {
        int[] reads = new int[1];
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            metrics.serves(server(() -> {
                reads[0]++;
                return status(Map.of(), List.of());
            }));
            for (Meter meter : registry.getMeters()) {
                meter.measure()
                        .forEach(measurement ->
                                assertThat(measurement.getValue()).isNotNaN());
            }
            // more only if this took longer than a tenth of a second for each
            assertThat(reads[0]).isLessThan(registry.getMeters().size() / 2);
        }
    }

    @Test
    void certificatesAreCountedByEventAndTheLastRenewalIsShown() {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            metrics.certificateFailed(CertificateEvent.of(List.of("a"), "no"));
            assertThat(registry.find("webproxy.certificates.renewed").gauge()).isNull();
            metrics.certificateRenewed(CertificateEvent.of(List.of("a"), "yes"));
            assertThat(registry.get("webproxy.certificates.events")
                            .tag("event", "failed")
                            .counter()
                            .count())
                    .isEqualTo(1);
            assertThat(gauge("webproxy.certificates.renewed"))
                    .isCloseTo(System.currentTimeMillis() / 1e3, within(60.0));
        }
    }

    @Test
    void everyEventOfATunnelOrCertificateIsCounted() throws Exception {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            for (Method method : ProxyObserver.class.getMethods()) {
                String name = method.getName();
                if (!name.endsWith("Changed") && name.matches("(tunnel|certificate).*")) {
                    method.invoke(metrics, (Object) null);
                    String event = name.replaceFirst("^(tunnel|certificate)", "")
                            .replaceAll("(?<!^)([A-Z])", "-$1")
                            .toLowerCase(Locale.ROOT);
                    String meter =
                            name.startsWith("tunnel") ? "webproxy.tunnel.events" : "webproxy.certificates.events";
                    assertThat(registry.get(meter).tag("event", event).counter().count())
                            .isEqualTo(1);
                }
            }
        }
    }

    @Test
    void twoServersShareARegistryAndOnesCloseRemovesOnlyItsMeters() {
        registry.timer("http.server.requests", Tags.of("method", "GET"));
        ProxyMetrics first = ProxyMetrics.bind(registry, "first");
        ProxyMetrics second = ProxyMetrics.bind(registry, "second");
        first.serves(server(() -> status(Map.of("http://a:80", new PoolData(1, 1, 0, false, true)), List.of())));
        second.serves(server(() -> status(Map.of("http://a:80", new PoolData(1, 1, 0, false, true)), List.of())));
        first.exchangeEnded(Records.of("GET", 200, "/", "HTTP/1.1", "r", null));
        second.exchangeEnded(Records.of("GET", 200, "/", "HTTP/1.1", "r", null));
        long both = registry.getMeters().size();

        first.close();
        first.close();
        first.exchangeEnded(Records.of("GET", 500, "/", "HTTP/1.1", "other", null));

        assertThat(registry.getMeters()).hasSize((int) (both - 1) / 2 + 1);
        assertThat(registry.getMeters())
                .allMatch(meter -> "second".equals(meter.getId().getTag("server"))
                        || meter.getId().getName().equals("http.server.requests"));
        assertThat(gauge("webproxy.connections")).isEqualTo(7);
        second.close();
        assertThat(registry.getMeters()).hasSize(1);
    }

    @Test
    void aNameInUseIsRefusedUntilItsMetersAreRemoved() {
        ProxyMetrics first = ProxyMetrics.bind(registry);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyMetrics.bind(registry))
                .withMessage("server: webproxy (expected: a name that no other server in this registry has, or close()"
                        + " of its metrics first)");
        first.close();
        ProxyMetrics.bind(registry).close();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProxyMetrics.bind(registry, " "))
                .withMessage("server:   (expected: a name)");
        assertThatNullPointerException()
                .isThrownBy(() -> ProxyMetrics.bind(null, "a"))
                .withMessage("registry");
    }

    @Test
    void anAsyncObserverPassesTheServerOn() {
        try (ProxyMetrics metrics = ProxyMetrics.bind(registry)) {
            ProxyObserver async = ProxyObserver.async(metrics, 10);
            ((ServerObserver) async).serves(server(() -> status(Map.of(), List.of())));
            assertThat(gauge("webproxy.connections")).isEqualTo(7);
        }
    }
}
