package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.deadline.Faults;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import okhttp3.ConnectionPool;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A thousand throws, 250 for each protocol, at random places of the server's loops, while one client on a connection of
 * its own must notice nothing.
 */
@ExtendWith(LeakCheck.class)
@ExpectedLog(contains = "Unexpected failure in")
class InjectedThrowsTest {
    private static final int THROWS = 250;
    private static final int OTHERS = 16;
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final List<Supplier<Throwable>> KINDS = List.of(
            () -> new IllegalStateException("injected"),
            () -> new NullPointerException("injected"),
            () -> new AssertionError("injected"),
            () -> new NoClassDefFoundError("injected"),
            () -> new InternalError("injected"),
            () -> new StackOverflowError("injected"),
            () -> new OutOfMemoryError("injected"));

    /** On the good client's thread these may be its own; on the other thread they are thrown at too. */
    private static final Set<String> OF_ONE_EXCHANGE = Set.of(
            "reading from an upstream",
            "writing to an upstream",
            "the start of an exchange",
            "the start of an HTTP/2 request");

    private final Map<String, AtomicInteger> thrown = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();

    @BeforeEach
    @AfterEach
    void forget() {
        Faults.reset();
    }

    private void maybeThrow(String place, String goodThread) {
        boolean own = Thread.currentThread().getName().equals(goodThread) && OF_ONE_EXCHANGE.contains(place);
        ThreadLocalRandom random = ThreadLocalRandom.current();
        if (!own && random.nextInt(4) == 0 && count.getAndIncrement() < THROWS) {
            thrown.computeIfAbsent(place, first -> new AtomicInteger()).incrementAndGet();
            InjectedThrowsTest.<RuntimeException>sneak(
                    KINDS.get(random.nextInt(KINDS.size())).get());
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable what) throws T {
        throw (T) what;
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS", "H1_TLS_JDK"})
    void goodClientNoticesNothing(Front front) throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        Set<String> goodThreads = ConcurrentHashMap.newKeySet();
        ExecutorService others = Executors.newFixedThreadPool(OTHERS, task -> new Thread(task, "others"));
        try (RawUpstream good = RawUpstream.answering(OK);
                RawUpstream hit = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        front,
                        builder -> builder.observer(ProxyObserver.async(new ProxyObserver() {}, 100))
                                .observer(new ProxyObserver() {
                                    @Override
                                    public void exchangeEnded(ExchangeRecord exchange) {
                                        if (exchange.route()
                                                .filter("good"::equals)
                                                .isPresent()) {
                                            goodThreads.add(
                                                    Thread.currentThread().getName());
                                        }
                                    }
                                })
                                .route(route ->
                                        route.path("/good").forward(good.uri()).name("good"))
                                .route(route -> route.path("/hit")
                                        .name("hit")
                                        .forward(UpstreamGroup.of(hit.uri())
                                                .healthCheck(
                                                        HealthCheck.path("/").withInterval(Duration.ofMillis(100))))));
                RawConnection client = proxy.raw()) {
            client.send("GET /good HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            await().until(() -> !goodThreads.isEmpty());
            String goodThread = goodThreads.iterator().next();
            Faults.inject(place -> maybeThrow(place, goodThread));
            for (int i = 0; i < OTHERS; i++) {
                others.execute(() -> {
                    while (!over.get()) {
                        unlucky(proxy);
                    }
                });
            }
            List<String> answers = new ArrayList<>();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (count.get() < THROWS && System.nanoTime() < end) {
                client.send("GET /good HTTP/1.1¶Host: localhost¶¶");
                String answer = client.readResponse();
                if (!answer.startsWith("HTTP/1.1 200")) {
                    answers.add(answer);
                }
            }
            over.set(true);
            Faults.reset();
            assertThat(answers).as("the good client's other answers").isEmpty();
            assertThat(count.get()).as("%s", thrown).isGreaterThanOrEqualTo(THROWS);
            others.shutdown();
            assertThat(others.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
            assertServes(front, proxy, "/good");
            await().ignoreExceptions().untilAsserted(() -> assertServes(front, proxy, "/hit"));
            await().atMost(30, TimeUnit.SECONDS).untilAsserted(() -> {
                assertThat(proxy.server().status().exchanges()).isZero();
                assertThat(proxy.server().status().upstreams().get(hit.uri()))
                        .satisfies(pool -> assertThat(pool.open() - pool.idle()).isZero());
            });
        } finally {
            over.set(true);
            others.shutdownNow();
        }
    }

    /** A new connection each time; whatever happens to it. */
    private static void unlucky(TestProxy proxy) {
        OkHttpClient client = proxy.client()
                .newBuilder()
                .connectionPool(new ConnectionPool(0, 1, TimeUnit.SECONDS))
                .callTimeout(Duration.ofMillis(300))
                .build();
        try (Response response = client.newCall(
                        new Request.Builder().url(proxy.url("/hit")).build())
                .execute()) {
            response.body().bytes();
        } catch (IOException e) {
            // what was thrown at it
        }
    }

    private static void assertServes(Front front, TestProxy proxy, String path) {
        OkHttpClient client = TestProxy.newClient(front);
        try (Response response = client.newCall(
                        new Request.Builder().url(proxy.url(path)).build())
                .execute()) {
            assertThat(response.code()).isEqualTo(200);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            TestProxy.close(client);
        }
    }
}
