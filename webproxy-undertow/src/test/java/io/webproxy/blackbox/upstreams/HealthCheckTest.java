package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStatus;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Balancing;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Upstreams are asked whether they are well, and what becomes of those that aren't. */
@ExtendWith(LeakCheck.class)
class HealthCheckTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final HealthCheck CHECK = HealthCheck.path("/health?deep=1")
            .withInterval(Duration.ofMillis(100))
            .withTimeout(Duration.ofSeconds(10))
            .withThresholds(2, 2);

    /** An upstream that answers requests well, and checks as it is told. */
    private static final class Checked implements AutoCloseable {
        private final AtomicReference<String> answer = new AtomicReference<>(OK);
        private final Queue<String> checks = new ConcurrentLinkedQueue<>();
        private final AtomicInteger at = new AtomicInteger();
        private final AtomicInteger mostAtOnce = new AtomicInteger();
        private final RawUpstream upstream = RawUpstream.start(this::serve);

        Checked() throws IOException {}

        private void serve(RawConnection c) throws Exception {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                if (!head.contains("webproxy-health")) {
                    c.send(OK);
                    continue;
                }
                mostAtOnce.accumulateAndGet(at.incrementAndGet(), Math::max);
                String now = answer.get();
                if (now.equals("trickle")) {
                    checks.add(head);
                    try {
                        c.trickle("HTTP/1.1 200 OK¶X: " + "x".repeat(200), Duration.ofMillis(20));
                    } finally {
                        at.decrementAndGet();
                    }
                    return;
                }
                if (!now.equals("close")) {
                    c.send(now);
                    if (now.equals(OK) || now.isEmpty()) {
                        c.end();
                    }
                }
                checks.add(head);
                at.decrementAndGet();
                if (!now.equals(OK)) {
                    return;
                }
            }
        }

        String uri() {
            return upstream.uri();
        }

        @Override
        public void close() throws IOException {
            upstream.close();
            assertThat(upstream.failures()).isEmpty();
        }
    }

    private static boolean isHealthy(TestProxy proxy, String uri) {
        ProxyStatus.Pool pool = proxy.server().status().upstreams().get(uri);
        return pool.healthy();
    }

    private static String body(TestProxy proxy) throws IOException {
        try (Response response = proxy.get("/")) {
            return response.body().string();
        }
    }

    private static TestProxy proxy(Consumer<Route.Builder> route) {
        return TestProxy.start(Front.H1, b -> b.route(route));
    }

    @Test
    void questionIsOneOnlyAndSaysWhoAsks() throws Exception {
        try (Checked checked = new Checked();
                TestProxy proxy = proxy(r -> r.forward(
                        UpstreamGroup.of(checked.uri()).healthCheck(CHECK.withInterval(Duration.ofSeconds(1)))))) {
            await().until(() -> checked.checks.size() >= 3);
            assertThat(checked.checks)
                    .allSatisfy(head -> assertThat(head)
                            .startsWith("GET /health?deep=1 HTTP/1.1\r\n")
                            .contains("\r\nHost: 127.0.0.1:" + checked.upstream.port() + "\r\n")
                            .contains("\r\nUser-Agent: webproxy-health\r\n"));
            assertThat(isHealthy(proxy, checked.uri())).isTrue();
            assertThat(checked.mostAtOnce).hasValue(1);
            // of no client
            assertThat(proxy.ended()).isZero();
            assertThat(proxy.server().status().exchanges()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 503 Busy¶Content-Length: 0¶¶",
                "HTTP/1.1 404 No¶¶",
                "HTTP/1.1 101 Switching Protocols¶Upgrade: websocket¶Connection: Upgrade¶¶",
                "HTTP/2 200¶¶",
                "",
                "close",
                "trickle"
            })
    void upstreamThatIsNotWellGetsNoRequestsUntilItIs(String answer) throws Exception {
        boolean slow = answer.isEmpty() || answer.equals("trickle");
        try (Checked checked = new Checked();
                RawUpstream standby = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 7¶¶standby");
                TestProxy proxy = proxy(r -> r.forward(UpstreamGroup.of(checked.uri(), standby.uri())
                        .balancing(Balancing.failover())
                        .healthCheck(CHECK.withTimeout(Duration.ofSeconds(slow ? 1 : 10)))))) {
            assertThat(body(proxy)).as("well until it has failed").isEqualTo("ok");
            checked.answer.set(answer);
            await().until(() -> !isHealthy(proxy, checked.uri()));
            assertThat(body(proxy)).isEqualTo("standby");
            checked.answer.set(OK);
            await().until(() -> isHealthy(proxy, checked.uri()));
            assertThat(body(proxy)).isEqualTo("ok");
        }
    }

    @Test
    void upstreamThatRefusesIsNotWellAndNobodyWellIs503() throws Exception {
        try (RefusedPort refused = RefusedPort.open();
                TestProxy proxy = TestProxy.start(Front.H1, b -> {
                    String one = refused.uri();
                    String other = "http://localhost:" + refused.port();
                    b.route(r -> r.path("/two")
                                    .forward(UpstreamGroup.of(one, other).healthCheck(CHECK)))
                            .route(r ->
                                    r.path("/one").forward(UpstreamGroup.of(one).healthCheck(CHECK)))
                            .route(r -> r.path("/unchecked").forward(one));
                })) {
            String one = refused.uri();
            String other = "http://localhost:" + refused.port();
            await().until(() -> !isHealthy(proxy, one) && !isHealthy(proxy, other));
            for (String path : new String[] {"/one", "/two"}) {
                try (Response response = proxy.get(path)) {
                    assertThat(response.code()).isEqualTo(503);
                    assertThat(response.header("Retry-After")).isNotNull();
                }
                assertThat(proxy.record().error()).contains(ForwardError.NO_HEALTHY_UPSTREAM);
            }
            try (Response response = proxy.get("/unchecked")) {
                assertThat(response.code()).as("of another route").isEqualTo(502);
            }
        }
    }

    /** Interim answers are none, and a body without an end is left alone. */
    @Test
    void bodyIsOfNoAccount() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (RawUpstream endless = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 102 Processing¶¶HTTP/1.1 200 OK¶¶");
                    asked.incrementAndGet();
                    String lot = "x".repeat(10_000);
                    for (int i = 0; i < 100_000; i++) {
                        c.send(lot);
                    }
                });
                TestProxy proxy = proxy(
                        r -> r.forward(UpstreamGroup.of(endless.uri()).healthCheck(CHECK.withThresholds(1, 1000))))) {
            await().until(() -> asked.get() >= 4);
            assertThat(isHealthy(proxy, endless.uri())).isTrue();
        }
    }

    @Test
    void updateKeepsWhatIsKnownAndEndsWhatIsNotWantedAnyMore() throws Exception {
        HealthCheck once = CHECK.withThresholds(1, 1000);
        try (Checked kept = new Checked();
                Checked removed = new Checked();
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.name("a")
                                        .path("/a")
                                        .forward(UpstreamGroup.of(kept.uri()).healthCheck(once)))
                                .route(r -> r.name("b")
                                        .path("/b")
                                        .forward(UpstreamGroup.of(removed.uri()).healthCheck(once))))) {
            kept.answer.set("close");
            await().until(() -> !isHealthy(proxy, kept.uri()));
            kept.answer.set(OK);
            Consumer<ProxyConfig.Builder> change = b -> b.removeRoute("b")
                    .route(r -> r.name("a")
                            .path("/other")
                            .forward(UpstreamGroup.of(kept.uri()).healthCheck(once)));
            proxy.server().update(change::accept);
            int asked = kept.checks.size();
            await().until(() -> kept.checks.size() >= asked + 2 && removed.at.get() == 0);
            int askedInVain = removed.checks.size();
            await().until(() -> kept.checks.size() >= asked + 4);
            assertThat(isHealthy(proxy, kept.uri())).isFalse();
            assertThat(removed.checks).hasSize(askedInVain);
            try (Response response = proxy.get("/other")) {
                assertThat(response.code()).isEqualTo(503);
            }
            // another check knows nothing yet
            proxy.server()
                    .update(b -> b.route(r -> r.name("a")
                            .forward(UpstreamGroup.of(kept.uri())
                                    .healthCheck(CHECK.withInterval(Duration.ofHours(1))))));
            assertThat(isHealthy(proxy, kept.uri())).isTrue();
            assertThat(body(proxy)).isEqualTo("ok");
        }
    }

    /** What is trusted for requests is trusted for checks, and nothing else. */
    @Test
    void checkSpeaksTlsAsRequestsDo(@TempDir Path directory) throws Exception {
        Path root = directory.resolve("root.pem");
        Files.writeString(root, TestProxy.rootPem());
        MockWebServer secure = new MockWebServer();
        secure.useHttps(TestProxy.identity().sslSocketFactory());
        AtomicInteger asked = new AtomicInteger();
        secure.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                asked.incrementAndGet();
                return new MockResponse.Builder().body("ok").build();
            }
        });
        secure.start();
        Upstream trusted = Upstream.of("https://localhost:" + secure.getPort()).withTrust(TrustStore.pem(root));
        Upstream strange = Upstream.of("https://127.0.0.1:" + secure.getPort());
        try (TestProxy proxy =
                proxy(r -> r.forward(UpstreamGroup.of(trusted, strange).healthCheck(CHECK)))) {
            await().until(() -> !isHealthy(proxy, strange.toString()) && asked.get() >= 3);
            assertThat(isHealthy(proxy, trusted.toString())).isTrue();
            for (int i = 0; i < 4; i++) {
                assertThat(body(proxy)).isEqualTo("ok");
            }
        } finally {
            secure.close();
        }
    }

    /** A server that closes while an upstream lets a check hang leaves nothing behind. */
    @Test
    void closeEndsAQuestionThatHangs() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (RawUpstream hung = RawUpstream.start(c -> {
                    c.readHead();
                    asked.incrementAndGet();
                    c.end();
                });
                TestProxy proxy = proxy(r ->
                        r.forward(UpstreamGroup.of(hung.uri()).healthCheck(CHECK.withTimeout(Duration.ofHours(1)))))) {
            await().until(() -> asked.get() == 1);
            proxy.server().close();
        }
    }
}
