package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyStatus;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Upstream;
import io.webproxy.testing.HangingPort;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.LoggedErrors;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The connections to upstreams: kept, capped, queued for, retried where that is safe, and secured. */
@ExtendWith(LeakCheck.class)
class UpstreamPoolTest {
    private static ProxyStatus.Pool pool(TestProxy proxy) {
        // there is one when the first request has come
        return await().until(
                        () -> proxy.server().status().upstreams().values().stream()
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    /** Reads what comes. */
    private static void saysNothing(RawConnection connection) throws java.io.IOException {
        connection.readAll();
    }

    /** Serves one request on each connection, then takes the next one's head and closes without an answer. */
    private static RawUpstream closingAfterOne(AtomicInteger heads) throws Exception {
        return RawUpstream.start(c -> {
            heads.incrementAndGet();
            c.readHead();
            c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            if (!c.readHead().isEmpty()) {
                heads.incrementAndGet();
            }
        });
    }

    @Test
    void staleConnectionIsRetriedOnceForAnIdempotentRequest() throws Exception {
        AtomicInteger heads = new AtomicInteger();
        try (RawUpstream upstream = closingAfterOne(heads);
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(upstream.uri()).tuning(t -> t.withIoThreads(1)))) {
            for (int i = 0; i < 4; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(200);
                }
                assertThat(proxy.record().error()).isEmpty();
            }
        }
    }

    @Test
    void staleConnectionIsNoReasonToExecuteAPostTwice() throws Exception {
        AtomicInteger heads = new AtomicInteger();
        try (RawUpstream upstream = closingAfterOne(heads);
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(upstream.uri()).tuning(t -> t.withIoThreads(1)))) {
            proxy.get("/").close();
            Request post = new Request.Builder()
                    .url(proxy.url("/"))
                    .post(RequestBody.create(new byte[0]))
                    .build();
            try (Response response = proxy.client().newCall(post).execute()) {
                assertThat(response.code()).isEqualTo(502);
            }
            assertThat(heads).hasValue(2);
            proxy.record();
            assertThat(proxy.record().error()).contains(ForwardError.UPSTREAM_CLOSED);
        }
    }

    /** Takes a request and closes without an answer, as a process does that is killed. */
    private static RawUpstream dying(AtomicInteger heads) throws Exception {
        return RawUpstream.start(c -> {
            if (!c.readHead().isEmpty()) {
                heads.incrementAndGet();
            }
        });
    }

    @Test
    void idempotentRequestOfAnUpstreamThatDiesIsAskedOfOneOtherAndNoMore() throws Exception {
        AtomicInteger heads = new AtomicInteger();
        try (RawUpstream first = dying(heads);
                RawUpstream second = dying(heads);
                RawUpstream third = dying(heads);
                TestProxy proxy = TestProxy.start(Front.H1, b -> b.forward(first.uri(), second.uri(), third.uri()))) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
            }
            assertThat(heads).hasValue(2);
            assertThat(proxy.record().error()).contains(ForwardError.UPSTREAM_CLOSED);
        }
    }

    @Test
    void upstreamsThatDieLoseNoIdempotentRequestAndNoPostIsExecutedTwice() throws Exception {
        AtomicInteger heads = new AtomicInteger();
        try (RawUpstream first = dying(heads);
                RawUpstream second = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶Connection: close¶¶ok");
                });
                TestProxy proxy = TestProxy.start(Front.H1, b -> b.forward(first.uri(), second.uri()))) {
            for (int i = 0; i < 4; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(200);
                }
            }
            int before = heads.get();
            Request post = new Request.Builder()
                    .url(proxy.url("/"))
                    .post(RequestBody.create(new byte[0]))
                    .build();
            int lost = 0;
            for (int i = 0; i < 2; i++) {
                try (Response response = proxy.client().newCall(post).execute()) {
                    lost += response.code() == 502 ? 1 : 0;
                }
            }
            assertThat(lost).isEqualTo(heads.get() - before).isEqualTo(1);
        }
    }

    @Test
    void connectionThatTheUpstreamClosedWhileIdleIsNotUsed() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                });
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(upstream.uri()).tuning(t -> t.withIoThreads(1)))) {
            for (int i = 0; i < 3; i++) {
                Request post = new Request.Builder()
                        .url(proxy.url("/"))
                        .post(RequestBody.create(new byte[3]))
                        .build();
                try (Response response = proxy.client().newCall(post).execute()) {
                    assertThat(response.code()).isEqualTo(200);
                }
                await().until(() -> pool(proxy).open() == 0);
            }
        }
    }

    @Test
    void capHoldsOverAllThreadsAndEverybodyIsServed() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        ExecutorService clients = Executors.newFixedThreadPool(16, task -> new Thread(task, "test-client"));
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (!c.readHead().isEmpty()) {
                        assertThat(release.await(30, TimeUnit.SECONDS)).isTrue();
                        c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withIoThreads(3)
                                        .withPool(PoolLimits.defaults().withConnections(2))))) {
            List<Future<Integer>> served = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                served.add(clients.submit(() -> {
                    int ok = 0;
                    try (RawConnection client = proxy.raw()) {
                        for (int j = 0; j < 50; j++) {
                            client.send("GET / HTTP/1.1¶Host: a¶¶");
                            ok += client.readResponse().startsWith("HTTP/1.1 200") ? 1 : 0;
                        }
                    }
                    return ok;
                }));
            }
            await().until(() -> pool(proxy).waiting() == 14);
            assertThat(upstream.connections()).isEqualTo(2);
            release.countDown();
            for (Future<Integer> future : served) {
                assertThat(future.get(30, TimeUnit.SECONDS)).isEqualTo(50);
            }
            assertThat(pool(proxy).open()).isLessThanOrEqualTo(2);
            assertThat(pool(proxy).waiting()).isZero();
        } finally {
            clients.shutdownNow();
            assertThat(clients.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void fullQueueIs503WithRetryAfter() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (LoggedErrors log = new LoggedErrors("io.webproxy.upstream");
                RawUpstream upstream = RawUpstream.answeringAfter(release, "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withIoThreads(1)
                                        .withPool(PoolLimits.defaults()
                                                .withConnections(1)
                                                .withQueue(1, Duration.ofMinutes(1)))));
                RawConnection first = proxy.raw();
                RawConnection second = proxy.raw();
                RawConnection third = proxy.raw()) {
            first.send("GET /1 HTTP/1.1¶Host: a¶¶");
            await().until(() -> upstream.connections() == 1);
            second.send("GET /2 HTTP/1.1¶Host: a¶¶");
            await().until(() -> pool(proxy).waiting() == 1);
            third.send("GET /3 HTTP/1.1¶Host: a¶¶");
            assertThat(third.readResponse()).startsWith("HTTP/1.1 503 ").contains("Retry-After: ");
            assertThat(proxy.record().error()).contains(ForwardError.POOL_EXHAUSTED);
            assertThat(log.warnings())
                    .singleElement()
                    .asString()
                    .contains("all connections are taken and the queue is full");
            release.countDown();
            assertThat(first.readResponse()).endsWith("ok");
            assertThat(second.readResponse()).endsWith("ok");
        }
    }

    /** More connections would be the wrong advice. */
    @Test
    void requestsThatWaitWhenTheServerClosesAreNoReasonToWarnOfAFullPool() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        List<RawConnection> waiting = new ArrayList<>();
        try (LoggedErrors log = new LoggedErrors("io.webproxy.upstream");
                RawUpstream upstream = RawUpstream.answeringAfter(release, "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withIoThreads(1)
                                        .withPool(PoolLimits.defaults()
                                                .withConnections(1)
                                                .withQueue(20, Duration.ofMinutes(1)))));
                RawConnection first = proxy.raw()) {
            first.send("GET /1 HTTP/1.1¶Host: a¶¶");
            await().until(() -> upstream.connections() == 1);
            for (int i = 0; i < 20; i++) {
                RawConnection client = proxy.raw();
                waiting.add(client);
                client.send("GET /2 HTTP/1.1¶Host: a¶¶");
            }
            await().until(() -> pool(proxy).waiting() == 20);
            // these leave gaps in what is cut: the waits of others may come before their exchanges then
            for (int i = 0; i < 20; i += 2) {
                waiting.get(i).close();
            }
            await().until(() -> pool(proxy).waiting() == 10);
            proxy.server().close();
            release.countDown();
            assertThat(log.warnings()).isEmpty();
        } finally {
            for (RawConnection client : waiting) {
                client.close();
            }
        }
    }

    @Test
    void slowQueueIs503WithRetryAfter() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (LoggedErrors log = new LoggedErrors("io.webproxy.upstream");
                RawUpstream upstream = RawUpstream.answeringAfter(release, "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withIoThreads(1)
                                        .withPool(PoolLimits.defaults()
                                                .withConnections(1)
                                                .withQueue(1, Duration.ofMillis(300)))));
                RawConnection first = proxy.raw();
                RawConnection second = proxy.raw()) {
            first.send("GET /1 HTTP/1.1¶Host: a¶¶");
            await().until(() -> upstream.connections() == 1);
            second.send("GET /2 HTTP/1.1¶Host: a¶¶");
            assertThat(second.readResponse()).startsWith("HTTP/1.1 503 ").contains("Retry-After: ");
            assertThat(proxy.record().error()).contains(ForwardError.POOL_EXHAUSTED);
            assertThat(log.warnings()).singleElement().asString().contains("no connection became free in time");
            release.countDown();
            assertThat(first.readResponse()).endsWith("ok");
        }
    }

    @Test
    void upstreamThatCannotBeConnectedToIsPassedOverForAWhile() throws Exception {
        OutlierEjection limits =
                OutlierEjection.defaults().withConnectFailures(2).withTime(Duration.ofSeconds(2));
        TestClock clock = new TestClock();
        try (RefusedPort refused = RefusedPort.open();
                RawUpstream alive = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 5¶¶alive");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        b -> b.forward(refused.uri(), alive.uri()).tuning(t -> t.withOutlierEjection(limits)));
                RawConnection client = proxy.raw()) {
            for (int i = 0; i < 8; i++) {
                client.send("GET / HTTP/1.1¶Host: a¶¶");
                assertThat(client.readResponse()).endsWith("alive");
            }
            assertThat(proxy.server().status().upstreams().get(refused.uri()).ejected())
                    .isTrue();
            for (int i = 0; i < 8; i++) {
                // none of them was even tried there
                assertThat(proxy.record().upstream()).contains(alive.uri());
            }
            try (ServerSocket back = refused.listen()) {
                back.setSoTimeout(30_000);
                ExecutorService other = Executors.newSingleThreadExecutor(task -> new Thread(task, "test-upstream"));
                Future<?> answered = other.submit(() -> {
                    try (RawConnection c = new RawConnection(back.accept())) {
                        c.readHead();
                        c.send("HTTP/1.1 200 OK¶Content-Length: 4¶Connection: close¶¶back");
                    }
                    return null;
                });
                await().until(() -> {
                    clock.skip(Duration.ofSeconds(2));
                    client.send("GET / HTTP/1.1¶Host: a¶¶");
                    return client.readResponse().endsWith("back");
                });
                answered.get(30, TimeUnit.SECONDS);
                assertThat(proxy.server()
                                .status()
                                .upstreams()
                                .get(refused.uri())
                                .ejected())
                        .isFalse();
                other.shutdown();
                assertThat(other.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    /** It may seem right to answer 503 at once, but the next attempt may be the one that succeeds. */
    @Test
    void upstreamThatIsAloneIsAlwaysTried() throws Exception {
        try (RefusedPort refused = RefusedPort.open();
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(refused.uri())
                                .tuning(t -> t.withOutlierEjection(OutlierEjection.defaults()
                                        .withConnectFailures(1)
                                        .withTime(Duration.ofHours(1)))));
                RawConnection client = proxy.raw()) {
            for (int i = 0; i < 3; i++) {
                client.send("GET / HTTP/1.1¶Host: a¶¶");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 502 ");
                assertThat(proxy.record().error()).contains(ForwardError.CONNECT_REFUSED);
            }
        }
    }

    @Test
    void idleConnectionIsClosedInTime() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                    assertThat(c.end()).isEqualTo("end");
                    closed.countDown();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withPool(PoolLimits.defaults().withIdle(8, Duration.ofMillis(200)))))) {
            proxy.get("/").close();
            assertThat(closed.await(30, TimeUnit.SECONDS)).isTrue();
            await().until(() -> pool(proxy).open() == 0);
        }
    }

    @Test
    void connectThatNobodyAnswersIs504() throws Exception {
        try (HangingPort hanging = HangingPort.open();
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(hanging.uri())
                                .timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofMillis(300))));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(504);
            assertThat(proxy.record().error()).contains(ForwardError.CONNECT_TIMEOUT);
            await().until(() -> pool(proxy).open() == 0);
        }
    }

    @Test
    void tlsHandshakeThatNobodyAnswersIs504AndFreesItsPlaceOnce() throws Exception {
        try (RawUpstream silent = RawUpstream.start(UpstreamPoolTest::saysNothing);
                RawUpstream silentNext = RawUpstream.start(UpstreamPoolTest::saysNothing);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward("https://127.0.0.1:" + silent.port(), "https://127.0.0.1:" + silentNext.port())
                                .timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofMillis(200))))) {
            for (int i = 0; i < 2; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(504);
                }
                assertThat(proxy.record().error()).contains(ForwardError.CONNECT_TIMEOUT);
            }
            await().until(() ->
                    proxy.server().status().upstreams().values().stream().allMatch(pool -> pool.open() == 0));
        }
    }

    @Test
    void surplusBehindABodyIsNeverTheAnswerOfWhoeverWaits() throws Exception {
        CountDownLatch queued = new CountDownLatch(1);
        CountDownLatch headArrived = new CountDownLatch(1);
        AtomicInteger answers = new AtomicInteger();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (!c.readHead().isEmpty()) {
                        queued.await(30, TimeUnit.SECONDS);
                        c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶");
                        if (answers.incrementAndGet() == 1) {
                            // apart from the head, so that it is the body's read that has to find the surplus
                            headArrived.await(30, TimeUnit.SECONDS);
                            c.send("okHTTP/1.1 200 OK¶Content-Length: 8¶¶POISONED");
                        } else {
                            c.send("ok");
                        }
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withIoThreads(1)
                                        .withPool(PoolLimits.defaults().withConnections(1))));
                RawConnection first = proxy.raw();
                RawConnection second = proxy.raw()) {
            first.send("GET /1 HTTP/1.1¶Host: a¶¶");
            await().until(() -> upstream.connections() == 1);
            second.send("GET /2 HTTP/1.1¶Host: a¶¶");
            await().until(() -> pool(proxy).waiting() == 1);
            queued.countDown();
            assertThat(first.readHead()).startsWith("HTTP/1.1 200 ");
            headArrived.countDown();
            assertThat(first.read(2)).isEqualTo("ok");
            assertThat(second.readResponse()).endsWith("ok");
            assertThat(upstream.connections()).isEqualTo(2);
        }
    }

    @Test
    void clientsThatLeftTheQueueTakeNobodysPlace() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.answeringAfter(release, "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withIoThreads(1)
                                        .withPool(PoolLimits.defaults()
                                                .withConnections(1)
                                                .withQueue(2, Duration.ofSeconds(20)))));
                RawConnection first = proxy.raw();
                RawConnection last = proxy.raw()) {
            first.send("GET / HTTP/1.1¶Host: a¶¶");
            await().until(() -> upstream.connections() == 1);
            List<RawConnection> leaving = List.of(proxy.raw(), proxy.raw());
            for (RawConnection client : leaving) {
                client.send("GET / HTTP/1.1¶Host: a¶¶");
            }
            await().until(() -> pool(proxy).waiting() == 2);
            leaving.get(0).close();
            leaving.get(1).reset();
            await().until(() -> pool(proxy).waiting() == 0);
            last.send("GET / HTTP/1.1¶Host: a¶¶");
            await().until(() -> pool(proxy).waiting() == 1);
            release.countDown();
            assertThat(last.readResponse()).startsWith("HTTP/1.1 200 ");
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @Test
    void nameWithoutAnAddressIs502() throws Exception {
        try (TestProxy proxy = TestProxy.start(Front.H1, "http://no-such-host.invalid:80");
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(502);
            assertThat(proxy.record().error()).contains(ForwardError.DNS);
        }
    }

    @Test
    void nameWithSeveralAddressesIsTriedOnAllOfThem() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(Front.H1, "http://localhost:" + upstream.port());
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(200);
        }
    }

    @Test
    void httpsUpstreamIsTrustedByItsOwnFileOnlyAndByItsName(@TempDir Path directory) throws Exception {
        Path trust = directory.resolve("root.pem");
        Files.writeString(trust, TestProxy.rootPem());
        MockWebServer upstream = new MockWebServer();
        upstream.useHttps(TestProxy.identity().sslSocketFactory());
        for (int i = 0; i < 3; i++) {
            upstream.enqueue(new MockResponse.Builder().body("secret").build());
        }
        upstream.start(InetAddress.getByName("127.0.0.1"), 0);
        try {
            String uri = "https://127.0.0.1:" + upstream.getPort();
            try (TestProxy proxy = TestProxy.start(
                    Front.H1_TLS, b -> b.route(r -> r.forward(Upstream.of(uri).withTrust(TrustStore.pem(trust)))))) {
                for (int i = 0; i < 2; i++) {
                    try (Response response = proxy.get("/")) {
                        assertThat(response.body().string()).isEqualTo("secret");
                    }
                }
                assertThat(upstream.takeRequest().getConnectionIndex())
                        .as("one connection for both")
                        .isEqualTo(upstream.takeRequest().getConnectionIndex());
            }
            try (TestProxy proxy = TestProxy.start(Front.H1, uri);
                    Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
                assertThat(proxy.record().error()).contains(ForwardError.CONNECT_TLS);
            }
        } finally {
            upstream.close();
        }
        MockWebServer elsewhere = new MockWebServer();
        elsewhere.useHttps(TestProxy.identity().sslSocketFactory());
        elsewhere.start(InetAddress.getByName("127.0.0.2"), 0);
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(Upstream.of("https://127.0.0.2:" + elsewhere.getPort())
                                .withTrust(TrustStore.pem(trust)))));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(502);
            assertThat(proxy.record().error()).contains(ForwardError.CONNECT_TLS);
        } finally {
            elsewhere.close();
        }
    }
}
