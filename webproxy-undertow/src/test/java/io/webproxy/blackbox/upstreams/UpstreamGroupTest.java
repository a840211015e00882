package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyStatus;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Balancing;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What routes that share an upstream group have in common, and what an update leaves of it. */
@ExtendWith(LeakCheck.class)
class UpstreamGroupTest {
    private static final String BUSY = "HTTP/1.1 503 Busy¶Content-Length: 3¶¶bad";

    private static final OutlierEjection THREE = OutlierEjection.defaults()
            .withFailureShare(0.5)
            .withLeastRequests(3)
            .withWindow(Duration.ofHours(1))
            .withTime(Duration.ofHours(1));

    private static RawUpstream saying(String body) throws IOException {
        return RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: " + body.length() + "¶¶" + body);
    }

    private static String body(TestProxy proxy, String path) throws IOException {
        try (Response response = proxy.get(path)) {
            return response.body().string();
        }
    }

    private static String bodies(TestProxy proxy, String... paths) throws IOException {
        StringBuilder bodies = new StringBuilder();
        for (String path : paths) {
            bodies.append(body(proxy, path));
        }
        return bodies.toString();
    }

    private static ProxyStatus.Pool pool(TestProxy proxy, String upstream) {
        return Objects.requireNonNull(proxy.server().status().upstreams().get(upstream));
    }

    @Test
    void routesOfAGroupTakeTurnsTogether() throws Exception {
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b")) {
            UpstreamGroup group = UpstreamGroup.of(a.uri(), b.uri());
            try (TestProxy proxy = TestProxy.start(
                    Front.H1, p -> p.forward(group).route(r -> r.path("/other").forward(group)))) {
                assertThat(bodies(proxy, "/", "/other", "/", "/other", "/other", "/"))
                        .isEqualTo("ababab");
            }
            try (TestProxy proxy = TestProxy.start(
                    Front.H1,
                    p -> p.forward(a.uri(), b.uri()).route(r -> r.path("/other").forward(a.uri(), b.uri())))) {
                assertThat(bodies(proxy, "/", "/other", "/", "/other")).isEqualTo("aabb");
            }
        }
    }

    @Test
    @ExpectedLog(contains = "failed more than 50 % of the requests of group llm: for 3600 s it gets only those")
    void failuresOnOneRouteSkipAnUpstreamOnAll() throws Exception {
        try (RawUpstream bad = RawUpstream.answering(BUSY);
                RawUpstream good = saying("good")) {
            UpstreamGroup group = UpstreamGroup.of(bad.uri(), good.uri())
                    .named("llm")
                    .balancing(Balancing.failover())
                    .outlierEjection(THREE);
            try (TestProxy proxy = TestProxy.start(
                    Front.H1,
                    p -> p.forward(group)
                            .route(r -> r.path("/other").forward(group))
                            .route(r -> r.path("/apart")
                                    .forward(UpstreamGroup.of(bad.uri(), good.uri())
                                            .balancing(Balancing.failover())
                                            .outlierEjection(THREE))))) {
                assertThat(bodies(proxy, "/", "/other", "/")).isEqualTo("badbadbad");
                assertThat(bodies(proxy, "/", "/other")).isEqualTo("goodgood");
                assertThat(body(proxy, "/apart")).as("another group").isEqualTo("bad");
            }
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.upstream", contains = "health check")
    void healthCheckOfAGroupHoldsOnAllItsRoutes() throws Exception {
        AtomicInteger checks = new AtomicInteger();
        RawUpstream.Script unhealthy = c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                if (head.startsWith("GET /health ")) {
                    checks.incrementAndGet();
                    c.send("HTTP/1.1 500 No¶Content-Length: 0¶¶");
                } else {
                    c.send("HTTP/1.1 200 OK¶Content-Length: 4¶¶down");
                }
            }
        };
        try (RawUpstream down = RawUpstream.start(unhealthy);
                RawUpstream up = saying("up")) {
            UpstreamGroup group = UpstreamGroup.of(down.uri(), up.uri())
                    .balancing(Balancing.failover())
                    .healthCheck(HealthCheck.path("/health")
                            .withInterval(Duration.ofMillis(100))
                            .withThresholds(2, 1));
            try (TestProxy proxy = TestProxy.start(
                    Front.H1,
                    p -> p.forward(group)
                            .route(r -> r.path("/other").forward(group))
                            .route(r -> r.path("/unchecked").forward(down.uri(), up.uri())))) {
                await().until(() -> !pool(proxy, down.uri()).healthy());
                assertThat(bodies(proxy, "/", "/other", "/", "/other")).isEqualTo("upupupup");
                assertThat(body(proxy, "/unchecked")).isEqualTo("down");
                assertThat(checks).hasValueGreaterThan(1);
            }
        }
    }

    @Test
    @ExpectedLog(contains = "failed more than 50 % of the requests of group llm")
    void updateWithAnEqualGroupForgetsNothing() throws Exception {
        try (RawUpstream bad = RawUpstream.answering(BUSY);
                RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                TestProxy proxy = TestProxy.start(
                        Front.H1, p -> p.route(r -> r.name("one").forward(llm(bad, a, b))))) {
            // each in its turn: bad, a, b
            assertThat(bodies(proxy, "/", "/", "/", "/", "/", "/", "/")).isEqualTo("badabbadabbad");
            // all that it was asked have failed, so it is skipped from now on
            assertThat(bodies(proxy, "/", "/", "/")).isEqualTo("bab");
            // as from a file that is read again, and on another route besides
            proxy.server()
                    .update(c -> c.removeRoute("one")
                            .route(r -> r.name("two").forward(llm(bad, a, b)))
                            .route(r -> r.path("/other").forward(llm(bad, a, b))));
            assertThat(bodies(proxy, "/", "/other", "/", "/other")).isEqualTo("abab");
        }
    }

    private static UpstreamGroup llm(RawUpstream... upstreams) {
        String[] uris = new String[upstreams.length];
        for (int i = 0; i < uris.length; i++) {
            uris[i] = upstreams[i].uri();
        }
        return UpstreamGroup.of(uris).named("llm").outlierEjection(THREE);
    }

    @Test
    void turnGoesOnWithAnEqualGroupAndStartsAnewWithAnother() throws Exception {
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                RawUpstream c = saying("c");
                TestProxy proxy = TestProxy.start(Front.H1, p -> p.forward(llm(a, b, c)))) {
            assertThat(body(proxy, "/")).isEqualTo("a");
            proxy.server().update(p -> p.route(r -> r.forward(llm(a, b, c))));
            assertThat(body(proxy, "/")).as("equal").isEqualTo("b");
            proxy.server().update(p -> p.accessLog(false));
            assertThat(body(proxy, "/")).as("the same").isEqualTo("c");
            proxy.server().update(p -> p.route(r -> r.forward(llm(a, b, c).named("other"))));
            assertThat(body(proxy, "/")).as("another").isEqualTo("a");
        }
    }

    /** What one group leaves, another takes over; but not while it is in use itself. */
    @Test
    void groupWithoutANameLeavesItsTurnToTheOneThatReplacesItOnItsRoute() throws Exception {
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                RawUpstream c = saying("c")) {
            UpstreamGroup nameless = UpstreamGroup.of(a.uri(), b.uri(), c.uri());
            try (TestProxy proxy = TestProxy.start(
                    Front.H1,
                    p -> p.forward(nameless).route(r -> r.path("/other").forward(nameless)))) {
                assertThat(bodies(proxy, "/", "/other")).isEqualTo("ab");
                proxy.server().update(p -> p.route(r -> r.forward(a.uri(), b.uri(), c.uri())));
                assertThat(body(proxy, "/")).as("the other route still has it").isEqualTo("a");
                assertThat(body(proxy, "/other")).isEqualTo("c");
                proxy.server().update(p -> p.route(r -> r.forward(a.uri(), b.uri(), c.uri())));
                assertThat(body(proxy, "/")).isEqualTo("b");
            }
        }
    }

    @Test
    void groupHasItsOwnPoolLimits() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (RawUpstream narrow = RawUpstream.answeringAfter(release, "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                RawUpstream wide = saying("wide");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.path("/narrow")
                                        .forward(UpstreamGroup.of(narrow.uri())
                                                .pool(PoolLimits.defaults()
                                                        .withConnections(1)
                                                        .withQueue(0, Duration.ofMinutes(1)))))
                                .forward(wide.uri()));
                RawConnection first = proxy.raw()) {
            first.send("GET /narrow HTTP/1.1¶Host: a¶¶");
            await().until(() -> narrow.connections() == 1);
            try (Response second = proxy.get("/narrow")) {
                assertThat(second.code()).isEqualTo(503);
            }
            assertThat(proxy.record().error()).contains(ForwardError.POOL_EXHAUSTED);
            assertThat(body(proxy, "/")).isEqualTo("wide");
            release.countDown();
            assertThat(first.readResponse()).endsWith("ok");
            // limits change with the group, of pools that stand too
            proxy.server().update(p -> p.route(r -> r.path("/narrow").forward(UpstreamGroup.of(narrow.uri()))));
            assertThat(body(proxy, "/narrow")).isEqualTo("ok");
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.upstream", contains = "others are preferred until it can be connected to")
    void groupHasItsOwnRuleForFailedConnects() throws Exception {
        try (RefusedPort once = RefusedPort.open();
                RefusedPort never = RefusedPort.open();
                RawUpstream good = saying("good");
                RawUpstream fine = saying("fine");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.tuning(t -> t.withOutlierEjection(OutlierEjection.off()))
                                .route(r -> r.path("/once")
                                        .forward(UpstreamGroup.of(once.uri(), good.uri())
                                                .outlierEjection(OutlierEjection.defaults()
                                                        .withConnectFailures(1))))
                                .forward(never.uri(), fine.uri()))) {
            assertThat(bodies(proxy, "/once", "/")).isEqualTo("goodfine");
            assertThat(pool(proxy, once.uri()).ejected()).isTrue();
            assertThat(pool(proxy, never.uri()).ejected()).isFalse();
        }
    }
}
