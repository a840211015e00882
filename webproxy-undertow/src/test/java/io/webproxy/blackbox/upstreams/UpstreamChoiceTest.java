package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Balancing;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Which of several upstreams gets a request: the balancing's say, who is passed over, and how often it is tried again.
 */
@ExtendWith(LeakCheck.class)
class UpstreamChoiceTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    private static RawUpstream saying(String body) throws IOException {
        return RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: " + body.length() + "¶¶" + body);
    }

    private static String body(TestProxy proxy, String path) throws IOException {
        try (Response response = proxy.get(path)) {
            return response.body().string();
        }
    }

    @OverBothVersions
    void roundRobinIsExact(Front front) throws Exception {
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                RawUpstream c = saying("c");
                TestProxy proxy = TestProxy.start(front, p -> p.forward(a.uri(), b.uri(), c.uri()))) {
            Map<String, Integer> times = new TreeMap<>();
            for (int i = 0; i < 30; i++) {
                times.merge(body(proxy, "/"), 1, Integer::sum);
            }
            assertThat(times).isEqualTo(Map.of("a", 10, "b", 10, "c", 10));
        }
    }

    @Test
    void leastConnectionsKeepsAwayFromTheOneThatIsBusy() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (RawUpstream slow = RawUpstream.answeringAfter(release, OK);
                RawUpstream quick = saying("quick");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.forward(
                                UpstreamGroup.of(slow.uri(), quick.uri()).balancing(Balancing.leastConnections()))));
                RawConnection first = proxy.raw();
                RawConnection second = proxy.raw()) {
            // one of the two goes to the slow one
            first.send("GET / HTTP/1.1¶Host: a¶¶");
            second.send("GET / HTTP/1.1¶Host: a¶¶");
            await().until(() -> slow.connections() == 1);
            await().until(() -> proxy.ended() == 1);
            for (int i = 0; i < 10; i++) {
                assertThat(body(proxy, "/")).isEqualTo("quick");
            }
            release.countDown();
            await().until(() -> proxy.ended() == 12);
        }
    }

    /** Answers, or not, by the path. */
    private static void byPath(RawConnection c) throws Exception {
        for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
            String path = head.split(" ", 3)[1];
            switch (path) {
                case "/silent" -> c.end();
                case "/cut" -> {
                    c.send("HTTP/1.1 200 OK¶Content-Length: 10¶¶half");
                    return;
                }
                case "/closed" -> {
                    return;
                }
                case "/early" -> {
                    c.send("HTTP/1.1 403 Forbidden¶Content-Length: 2¶¶no");
                    c.end();
                }
                case "/ws" -> {
                    c.send(WebSocketHandshake.ACCEPTED);
                    c.end();
                }
                case "/ws-short" -> {
                    c.send(WebSocketHandshake.ACCEPTED);
                    return;
                }
                default -> c.send(OK);
            }
        }
    }

    /** The first one, always; says what each had in hand. */
    private static Balancing noting(Queue<String> seen) {
        return choice -> {
            StringBuilder loads = new StringBuilder();
            for (int i = 0; i < choice.count(); i++) {
                loads.append(choice.upstream(i).port())
                        .append('=')
                        .append(choice.inFlight(i))
                        .append(' ');
            }
            seen.add(loads.toString().trim());
            return 0;
        };
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/silent", "/cut", "/closed", "/early", "/ws", "/ws-short", "/reset", "/ws-reset", "/other"})
    void nothingStaysInHandWhicheverWayAnExchangeEnds(String path) throws Exception {
        Queue<String> seen = new ConcurrentLinkedQueue<>();
        try (RawUpstream first = RawUpstream.start(UpstreamChoiceTest::byPath);
                RawUpstream second = RawUpstream.start(UpstreamChoiceTest::byPath);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(first.uri(), second.uri())
                                        .balancing(noting(seen))))
                                .timeouts(TimeoutPolicy.defaults()
                                        .with(
                                                TimeoutClass.DEFAULT,
                                                Duration.ofMillis(path.equals("/silent") ? 200 : 20_000))))) {
            String idle = first.port() + "=0 " + second.port() + "=0";
            try (RawConnection client = proxy.raw()) {
                if (path.startsWith("/ws")) {
                    client.send(WebSocketHandshake.REQUEST.replace("/ws", path.equals("/ws-reset") ? "/ws" : path));
                    client.readHead();
                } else if (path.equals("/early")) {
                    client.send("POST /early HTTP/1.1¶Host: a¶Content-Length: 1000¶¶part");
                    assertThat(client.readAll()).contains(" 403 ");
                } else {
                    client.send("GET " + path.replace("reset", "silent") + " HTTP/1.1¶Host: a¶¶");
                    if (!path.equals("/reset")) {
                        client.readHead();
                    }
                }
                await().until(() -> !seen.isEmpty());
                if (path.equals("/ws")) {
                    body(proxy, "/");
                    assertThat(seen).last().isEqualTo(first.port() + "=1 " + second.port() + "=0");
                }
                if (path.endsWith("reset")) {
                    client.reset();
                }
            }
            await().untilAsserted(() -> {
                body(proxy, "/");
                assertThat(List.copyOf(seen).get(seen.size() - 1)).isEqualTo(idle);
            });
            assertThat(seen).first().isEqualTo(idle);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 2, 77})
    @ExpectedLog(contains = "Balancing gave")
    void indexThatIsNoneIs500(int index) throws Exception {
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r ->
                                r.forward(UpstreamGroup.of(a.uri(), b.uri()).balancing(choice -> index))));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(500);
            assertThat(proxy.record().proxyAnswered()).isTrue();
            assertThat(a.connections() + b.connections()).isZero();
        }
    }

    @OverBothVersions
    @ExpectedLog(contains = "Balancing threw")
    void policyThatThrowsIs500(Front front) throws Exception {
        try (RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                TestProxy proxy = TestProxy.start(
                        front,
                        p -> p.route(r ->
                                r.forward(UpstreamGroup.of(a.uri(), b.uri()).balancing(choice -> {
                                    throw new StackOverflowError("of the policy's own");
                                }))));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(500);
            assertThat(response.body().string()).doesNotContain("policy");
            assertThat(proxy.record().error()).contains(ForwardError.APPLICATION_FAILED);
        }
    }

    @Test
    void policyIsAskedAgainAboutTheRest() throws Exception {
        Queue<String> counts = new ConcurrentLinkedQueue<>();
        try (RefusedPort refused = RefusedPort.open();
                RawUpstream a = saying("a");
                RawUpstream b = saying("b");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(refused.uri(), a.uri(), b.uri())
                                .balancing(choice -> {
                                    counts.add(choice.count() + " "
                                            + choice.upstream(choice.count() - 1)
                                                    .port());
                                    return choice.count() == 3 ? 0 : 1;
                                }))))) {
            assertThat(body(proxy, "/")).isEqualTo("b");
            assertThat(counts).containsExactly("3 " + b.port(), "2 " + b.port());
        }
    }

    @Test
    void emptyBudgetMeansTheErrorIsAnswered() throws Exception {
        try (RefusedPort refused = RefusedPort.open();
                RawUpstream alive = saying("alive");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(refused.uri(), alive.uri())
                                        .balancing(Balancing.failover())))
                                .tuning(t -> t.withOutlierEjection(OutlierEjection.defaults()
                                        .withConnectFailures(0)
                                        .withTime(Duration.ofSeconds(1))))
                                .retries(0.25, 2))) {
            StringBuilder statuses = new StringBuilder();
            for (int i = 0; i < 12; i++) {
                try (Response response = proxy.get("/")) {
                    statuses.append(response.code()).append(' ');
                }
                ExchangeRecord record = proxy.record();
                assertThat(record.error())
                        .isEqualTo(Optional.ofNullable(record.status() == 200 ? null : ForwardError.CONNECT_REFUSED));
            }
            // two in reserve, and one earned by every four
            assertThat(statuses).hasToString("200 200 502 200 502 502 502 200 502 502 502 200 ");
        }
    }

    @Test
    void budgetOfNoneStillSendsStaleRequestsAgain() throws Exception {
        AtomicInteger heads = new AtomicInteger();
        RawUpstream.Script closingAfterOne = c -> {
            c.readHead();
            heads.incrementAndGet();
            c.send(OK);
            if (!c.readHead().isEmpty()) {
                heads.incrementAndGet();
            }
        };
        try (RawUpstream a = RawUpstream.start(closingAfterOne);
                RawUpstream b = RawUpstream.start(closingAfterOne);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.tuning(t -> t.withIoThreads(1))
                                .forward(a.uri(), b.uri())
                                .withoutRetries())) {
            for (int i = 0; i < 8; i++) {
                assertThat(body(proxy, "/")).isEqualTo("ok");
            }
            assertThat(heads).hasValueGreaterThan(8);
        }
    }

    @Test
    @ExpectedLog(
            contains = "failed more than 50 % of the requests of route /: for 2 s it gets only those that no other"
                    + " upstream can take")
    void upstreamOfTooManyFailuresIsPassedOverAndComesBack() throws Exception {
        AtomicBoolean failing = new AtomicBoolean(true);
        OutlierEjection limit = OutlierEjection.defaults()
                .withFailureShare(0.5)
                .withLeastRequests(3)
                .withWindow(Duration.ofSeconds(10))
                .withTime(Duration.ofSeconds(2));
        TestClock clock = new TestClock();
        try (RawUpstream bad = RawUpstream.start(c -> {
                    while (!c.readHead().isEmpty()) {
                        c.send(failing.get() ? "HTTP/1.1 503 Busy¶Content-Length: 3¶¶bad" : OK);
                    }
                });
                RawUpstream good = saying("good");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(bad.uri(), good.uri())
                                .balancing(Balancing.failover())
                                .outlierEjection(limit))))) {
            for (int i = 0; i < 3; i++) {
                assertThat(body(proxy, "/")).isEqualTo("bad");
            }
            assertThat(body(proxy, "/")).isEqualTo("good");
            failing.set(false);
            clock.skip(Duration.ofSeconds(2));
            await().until(() -> body(proxy, "/").equals("ok"));
            assertThat(body(proxy, "/")).isEqualTo("ok");
        }
    }

    @Test
    void failuresOfAllPassNobodyOver() throws Exception {
        OutlierEjection limit = OutlierEjection.defaults()
                .withFailureShare(0.1)
                .withLeastRequests(1)
                .withWindow(Duration.ofSeconds(10))
                .withTime(Duration.ofHours(1));
        try (RawUpstream a = RawUpstream.answering("HTTP/1.1 500 No¶Content-Length: 1¶¶a");
                RawUpstream b = RawUpstream.answering("HTTP/1.1 500 No¶Content-Length: 1¶¶b");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r ->
                                r.forward(UpstreamGroup.of(a.uri(), b.uri()).outlierEjection(limit))))) {
            for (int i = 0; i < 6; i++) {
                assertThat(body(proxy, "/")).isIn("a", "b");
            }
        }
    }

    /** No answer at all counts, too; and an update keeps what is known. */
    @Test
    void upstreamThatDoesNotAnswerIsPassedOverAndAnUpdateForgetsNothing() throws Exception {
        OutlierEjection limit = OutlierEjection.defaults()
                .withFailureShare(0.5)
                .withLeastRequests(1)
                .withWindow(Duration.ofSeconds(10))
                .withTime(Duration.ofHours(1));
        CountDownLatch asked = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream hung = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    c.end();
                });
                RawUpstream good = saying("good");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(hung.uri(), good.uri())
                                        .balancing(Balancing.failover())
                                        .outlierEjection(limit)))
                                .timeouts(
                                        TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, Duration.ofSeconds(1))))) {
            try (RawConnection client = proxy.raw()) {
                client.send("GET / HTTP/1.1¶Host: localhost¶¶");
                assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
                clock.pass(Duration.ofSeconds(1));
                assertThat(client.readHead()).startsWith("HTTP/1.1 504 ");
            }
            assertThat(body(proxy, "/")).isEqualTo("good");
            proxy.server().update(b -> b.accessLog(false));
            proxy.server()
                    .update(b -> b.route(r -> r.forward(UpstreamGroup.of(hung.uri(), good.uri())
                            .balancing(Balancing.failover())
                            .outlierEjection(limit))));
            assertThat(body(proxy, "/")).isEqualTo("good");
        }
    }
}
