package io.webproxy.blackbox.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyStatus;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.PoolLimits;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How an exchange ends when one side doesn't do its part: who sees what, and that nothing is left behind. */
@ExtendWith(LeakCheck.class)
class AbortTest {
    private static final TimeoutPolicy SHORT =
            TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, Duration.ofMillis(500));

    @OverEachFront
    void silentUpstreamIs504(Front front) throws Exception {
        CountDownLatch upstreamClosed = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.end();
                    upstreamClosed.countDown();
                });
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).timeouts(SHORT));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(504);
            assertThat(response.body().string()).doesNotContain("127.0.0.1");
            assertThat(upstreamClosed.await(30, TimeUnit.SECONDS)).isTrue();
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.RESPONSE_HEAD_TIMEOUT);
            assertThat(record.status()).isEqualTo(504);
        }
    }

    @OverEachFront
    void uploadThatStopsIsTheClientsFailure(Front front) throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    // takes what comes, says nothing
                    c.drain();
                });
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).timeouts(SHORT))) {
            if (front.isHttp2()) {
                Request request = new Request.Builder()
                        .url(proxy.url("/"))
                        .post(stalling(answered))
                        .build();
                try (Response response = proxy.client().newCall(request).execute()) {
                    assertThat(response.code()).isEqualTo(408);
                } finally {
                    answered.countDown();
                }
            } else {
                try (RawConnection client = proxy.raw()) {
                    client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: 100¶¶some");
                    assertThat(client.readResponse())
                            .startsWith("HTTP/1.1 408 ")
                            .containsIgnoringCase("connection: close");
                    assertThat(client.end()).isEqualTo("end");
                }
            }
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.REQUEST_REJECTED);
            assertThat(record.status()).isEqualTo(408);
            proxy.awaitIdle();
        }
    }

    /** The client has sent what it may send; and what it sends next isn't taken. */
    @ParameterizedTest
    @CsvSource({"H1, true", "H1, false", "H1_TLS, true", "H1_TLS, false", "H1_TLS_JDK, true"})
    void uploadThatTheUpstreamKeepsWaitingIsTheUpstreamsFailure(Front front, boolean expects) throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        AtomicInteger pieces = new AtomicInteger();
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    answered.await(30, TimeUnit.SECONDS);
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(SHORT));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: 100000000¶"
                    + (expects ? "Expect: 100-continue¶¶" : "¶"));
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                try {
                    while (!expects) {
                        client.send(new byte[100_000]);
                        pieces.incrementAndGet();
                    }
                } catch (IOException e) {
                    // the proxy has had enough
                }
            });
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            // until all buffers are full
            await().until(() -> {
                int before = pieces.get();
                clock.awaitSweeps(10);
                return (expects || before > 0) && pieces.get() == before;
            });
            clock.pass(SHORT.idle(TimeoutClass.DEFAULT));
            assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_HEAD_TIMEOUT);
            answered.countDown();
            client.close();
            sending.get(30, TimeUnit.SECONDS);
        }
    }

    /** Whoever answers before the body has come must not wait for it: Undertow's own way of ending an exchange does. */
    @ParameterizedTest
    @CsvSource({
        "H1, 401", "H1, 413", "H1, 502", "H1, 404",
        "H1_TLS, 401", "H1_TLS, 413", "H1_TLS, 502", "H1_TLS, 404",
        "H2_TLS, 401", "H2_TLS, 413", "H2_TLS, 502", "H2_TLS, 404",
        "H2_TLS_JDK, 401", "H2_TLS_JDK, 413", "H2_TLS_JDK, 502", "H2_TLS_JDK, 404"
    })
    void ownAnswerDoesNotWaitForAStalledUpload(Front front, int status) throws Exception {
        try (RefusedPort refused = RefusedPort.open();
                TestProxy proxy = TestProxy.start(front, b -> {
                    b.route(r -> r.path("/here").forward(refused.uri()));
                    if (status == 401) {
                        b.basicAuth("user", "secret");
                    } else if (status == 413) {
                        b.tuning(t -> t.withHttp(HttpLimits.defaults().withRequestBodyBytes(50)));
                    }
                })) {
            String path = status == 404 ? "/elsewhere" : "/here";
            if (front.isHttp2()) {
                try (Http2Client client = Http2Client.open(proxy)) {
                    client.open(1, "POST", path, "localhost", "content-length", "100");
                    client.send(Http2Client.DATA, 0, 1, new byte[4]);
                    assertThat(client.answer(1)).isEqualTo(Integer.toString(status));
                    // the connection goes on
                    client.request(3, "GET", "/elsewhere", "localhost");
                    assertThat(client.answer(3)).isIn("404", "401");
                }
            } else {
                try (RawConnection client = proxy.raw()) {
                    client.send("POST " + path + " HTTP/1.1¶Host: localhost¶Content-Length: 100¶¶some");
                    assertThat(client.readResponse())
                            .startsWith("HTTP/1.1 " + status + " ")
                            .containsIgnoringCase("connection: close");
                    assertThat(client.end()).isEqualTo("end");
                }
            }
            assertThat(proxy.record().status()).isEqualTo(status);
        }
    }

    /** A duplex body: four bytes, then silence until the latch opens. */
    private static RequestBody stalling(CountDownLatch until) {
        return new RequestBody() {
            @Override
            public @Nullable MediaType contentType() {
                return null;
            }

            @Override
            public long contentLength() {
                return 100;
            }

            @Override
            public boolean isDuplex() {
                return true;
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                sink.writeUtf8("some").flush();
            }
        };
    }

    @OverHttp1
    void silenceWithinTheBodyIsAReset(Front front) throws Exception {
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶hello¶");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(SHORT));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200");
            assertThat(client.readLine().strip()).endsWith("5");
            assertThat(client.read(5)).isEqualTo("hello");
            clock.pass(SHORT.idle(TimeoutClass.DEFAULT));
            assertThat(client.drain()).isEqualTo("reset");
            assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_BODY_IDLE);
            proxy.awaitIdle();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H2_TLS", "H2_TLS_JDK"})
    void abortedStreamLeavesItsSiblingsAndItsRecordAlone(Front front) throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        TestClock clock = new TestClock();
        TimeoutPolicy bySize = TimeoutPolicy.defaults()
                .with(TimeoutClass.DEFAULT, Duration.ofSeconds(1))
                .with(TimeoutClass.LONG, Duration.ofSeconds(30));
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    boolean sibling = c.readHead().contains("/events");
                    c.send("HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶hello¶");
                    if (sibling) {
                        release.await(30, TimeUnit.SECONDS);
                        c.send("5¶world¶0¶¶");
                    } else {
                        c.end();
                    }
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(bySize));
                Response sibling = proxy.get("/events");
                Response aborted = proxy.get("/aborted")) {
            assertThat(aborted.body().source().readUtf8(5)).isEqualTo("hello");
            clock.pass(bySize.idle(TimeoutClass.DEFAULT));
            assertThatThrownBy(() -> aborted.body().string()).isInstanceOf(IOException.class);
            ExchangeRecord record = proxy.record();
            assertThat(record.path()).isEqualTo("/aborted");
            assertThat(record.error()).contains(ForwardError.RESPONSE_BODY_IDLE);
            await().until(() -> proxy.server().status().exchanges() == 1);
            release.countDown();
            assertThat(sibling.body().string()).isEqualTo("helloworld");
            proxy.awaitIdle();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1zzz¶hello¶0¶¶",
                "0x5¶hello¶0¶¶",
                " 5¶hello¶0¶¶",
                "-1¶hello¶0¶¶",
                "¶hello¶0¶¶",
                "5¶helloX¶0¶¶",
                "5\nhello¶0¶¶",
                "5;a\rb¶hello¶0¶¶",
                "ffffffffffffffff1¶hello¶0¶¶",
                "5¶hello¶0¶Bad Name: x¶¶",
                "5¶hello¶0¶X: a\0b¶¶"
            })
    void malformedChunksGet400AndAbortTheUpstream(String body) throws Exception {
        CompletableFuture<String> seen = new CompletableFuture<>();
        CountDownLatch begun = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    begun.countDown();
                    try {
                        seen.complete(c.readAll());
                    } catch (IOException e) {
                        seen.complete("reset");
                    }
                });
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Transfer-Encoding: chunked¶¶1¶x¶");
            assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
            client.send(body);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 400 ");
            assertThat(client.end()).isEqualTo("end");
            assertThat(seen.get(30, TimeUnit.SECONDS)).doesNotEndWith("0\r\n\r\n");
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.REQUEST_REJECTED);
            assertThat(record.status()).isEqualTo(400);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void cutUnderASlowReaderStrandsNoBuffer(Front front) throws Exception {
        byte[] piece = new byte[1 << 20];
        TestClock clock = new TestClock();
        // short: a connection that comes after many of them still has its time, which begins by the real clock
        Duration limit = Duration.ofMillis(20);
        TimeoutPolicy timeouts = TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, limit);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 1000000000¶¶");
                    while (true) {
                        c.send(piece);
                    }
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(timeouts))) {
            long before = 0;
            for (int i = 0; i < 9; i++) {
                try (RawConnection client = proxy.raw()) {
                    client.send("GET / HTTP/1.1¶Host: localhost¶¶");
                    assertThat(client.readHead()).startsWith("HTTP/1.1 200");
                    int ended = i + 1;
                    // again, should the buffers not have been full
                    await().pollInterval(Duration.ofMillis(100)).until(() -> {
                        clock.skip(limit);
                        return proxy.ended() == ended;
                    });
                    assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_BODY_IDLE);
                }
                if (i == 3) {
                    before = directBuffers();
                }
            }
            assertThat(directBuffers() - before)
                    .as("pooled buffers that never came back")
                    .isLessThan(4);
        }
    }

    private static long directBuffers() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getCount)
                .sum();
    }

    @OverHttp1
    void earlyFinalAnswerReachesAClientThatSendsOnWithoutReading(Front front) throws Exception {
        byte[] piece = new byte[100_000];
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 413 Content Too Large¶Content-Length: 3¶¶big");
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: 10000000¶¶");
            for (int i = 0; i < 100; i++) {
                client.send(piece);
            }
            assertThat(client.readResponse())
                    .startsWith("HTTP/1.1 413 ")
                    .containsIgnoringCase("connection: close")
                    .endsWith("big");
            assertThat(client.end()).isEqualTo("end");
            assertThat(proxy.record().status()).isEqualTo(413);
            assertThat(proxy.server().status().exchanges()).isZero();
        }
    }

    /**
     * The answer gets through, what the client still sends is thrown away for a while, then the stream ends without an
     * error code; others go on.
     */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H2_TLS", "H2_TLS_JDK"})
    void earlyFinalAnswerEndsTheStreamAndTheUpload(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (c.readHead().startsWith("GET")) {
                        c.send("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                    }
                    c.send("HTTP/1.1 413 Content Too Large¶Content-Length: 3¶¶big");
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/", "localhost", "content-length", "100000000");
            client.send(Http2Client.DATA, 0, 1, new byte[1000]);
            assertThat(client.answer(1)).isEqualTo("413");
            client.send(Http2Client.DATA, 0, 1, new byte[10_000]);
            Http2Client.Frame frame = client.read(1);
            assertThat(new String(frame.payload(), StandardCharsets.US_ASCII)).isEqualTo("big");
            while (frame.type() != Http2Client.RST_STREAM) {
                assertThat(frame.type()).isEqualTo(Http2Client.DATA);
                frame = client.read(1);
            }
            assertThat(frame.payload()).as("NO_ERROR").containsExactly(0, 0, 0, 0);
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(413);
            assertThat(record.error()).isEmpty();
            proxy.awaitIdle();
        }
    }

    @Test
    void exchangeThatEndsInThePoolsQueueHarmsNobody() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.answeringAfter(release, "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withIoThreads(1)
                                        .withPool(PoolLimits.defaults().withConnections(1))));
                RawConnection first = proxy.raw();
                RawConnection second = proxy.raw();
                RawConnection third = proxy.raw()) {
            first.send("GET /1 HTTP/1.1¶Host: localhost¶¶");
            await().until(() -> upstream.connections() == 1);
            second.send("GET /2 HTTP/1.1¶Host: localhost¶¶");
            await().until(() -> waiting(proxy) == 1);
            third.send("GET /3 HTTP/1.1¶Host: localhost¶¶");
            await().until(() -> waiting(proxy) == 2);
            second.reset();
            assertThat(proxy.record().error()).contains(ForwardError.CLIENT_ABORTED);
            release.countDown();
            assertThat(first.readResponse()).endsWith("ok");
            assertThat(third.readResponse()).endsWith("ok");
        }
    }

    private static int waiting(TestProxy proxy) {
        // there is none before the first request has come
        return proxy.server().status().upstreams().values().stream()
                .mapToInt(ProxyStatus.Pool::waiting)
                .sum();
    }
}
