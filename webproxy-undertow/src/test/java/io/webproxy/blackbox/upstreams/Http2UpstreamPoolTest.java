package io.webproxy.blackbox.upstreams;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyStatus;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Balancing;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * How exchanges share connections of HTTP/2 to an upstream, and what becomes of them when a stream or a connection
 * fails.
 */
@ExtendWith(LeakCheck.class)
class Http2UpstreamPoolTest {
    private static final int REFUSED = 7;
    private static final int CANCEL = 8;
    private static final int INTERNAL = 2;
    private static final int MAX_CONCURRENT_STREAMS = 3;

    private final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
    private final AtomicInteger connections = new AtomicInteger();

    private interface Script {
        void run(Http2Client peer, int connection) throws Exception;
    }

    /** Each connection runs the script, with its number from 1 on. */
    private RawUpstream upstream(Script script, int... settings) throws IOException {
        return RawUpstream.start(raw -> script.run(Http2Client.serve(raw, settings), connections.incrementAndGet()));
    }

    private static TestProxy proxy(Front front, RawUpstream upstream) {
        return TestProxy.start(front, "h2c://" + upstream.address());
    }

    private static TestProxy proxy(Front front, Upstream upstream, PoolLimits limits) {
        return TestProxy.start(
                front, b -> b.tuning(t -> t.withIoThreads(1).withPool(limits)).route(r -> r.forward(upstream)));
    }

    private static Response post(TestProxy proxy, String body) throws IOException {
        return proxy.client()
                .newCall(new Request.Builder()
                        .url(proxy.url("/"))
                        .post(RequestBody.create(body.getBytes(StandardCharsets.US_ASCII)))
                        .build())
                .execute();
    }

    private static byte[] code(int code) {
        return ByteBuffer.allocate(4).putInt(code).array();
    }

    private static byte[] goAway(int last, int code) {
        return ByteBuffer.allocate(8).putInt(last).putInt(code).array();
    }

    private static void answerAll(Http2Client peer) throws IOException {
        while (true) {
            Frame frame = peer.read();
            if (frame.type() == HEADERS) {
                peer.respond(frame.stream(), END_STREAM, "200");
            }
        }
    }

    private Object seen() throws InterruptedException {
        return seen.poll(30, TimeUnit.SECONDS);
    }

    @Test
    void requestsThatComeAtOnceShareTheFirstConnection() throws Exception {
        try (RawUpstream upstream = upstream((peer, n) -> answerAll(peer));
                TestProxy proxy = proxy(Front.H2_TLS, upstream);
                Http2Client client = Http2Client.open(proxy)) {
            for (int i = 0; i < 50; i++) {
                client.request(2 * i + 1, "GET", "/", "localhost");
            }
            for (int i = 0; i < 50; i++) {
                assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            }
            assertThat(connections).hasValue(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void moreConnectionsAreOpenedAfterAsManyStreamsAsTheUpstreamOrTheLimitAllows(boolean byUpstream) throws Exception {
        AtomicInteger missing = new AtomicInteger(10);
        Map<Http2Client, List<Integer>> open = new ConcurrentHashMap<>();
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer =
                            byUpstream ? Http2Client.serve(raw, MAX_CONCURRENT_STREAMS, 4) : Http2Client.serve(raw);
                    while (true) {
                        Frame frame = peer.read();
                        if (frame.type() == HEADERS) {
                            open.computeIfAbsent(peer, key -> new CopyOnWriteArrayList<>())
                                    .add(frame.stream());
                            if (missing.decrementAndGet() == 0) {
                                for (Map.Entry<Http2Client, List<Integer>> each : open.entrySet()) {
                                    for (int stream : each.getValue()) {
                                        each.getKey().respond(stream, END_STREAM, "200");
                                    }
                                }
                            }
                        }
                    }
                });
                TestProxy proxy = proxy(
                        Front.H2_TLS,
                        Upstream.of("h2c://" + upstream.address()),
                        byUpstream
                                ? PoolLimits.defaults()
                                : PoolLimits.defaults().withStreams(4));
                Http2Client client = Http2Client.open(proxy)) {
            for (int i = 0; i < 10; i++) {
                client.request(2 * i + 1, "GET", "/", "localhost");
            }
            for (int i = 0; i < 10; i++) {
                assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            }
            assertThat(open.values().stream().map(List::size).sorted()).containsExactly(2, 4, 4);
        }
    }

    @Test
    void whereNoMoreConnectionsMayBeOpenedRequestsWaitForAStream() throws Exception {
        try (RawUpstream upstream = upstream(
                        (peer, n) -> {
                            while (true) {
                                Frame frame = peer.read();
                                if (frame.type() == HEADERS) {
                                    seen.add(frame.stream());
                                    peer.respond(frame.stream(), END_STREAM, "200");
                                }
                            }
                        },
                        MAX_CONCURRENT_STREAMS,
                        2);
                TestProxy proxy = proxy(
                        Front.H2_TLS,
                        Upstream.of("h2c://" + upstream.address()),
                        PoolLimits.defaults().withConnections(1));
                Http2Client client = Http2Client.open(proxy)) {
            for (int i = 0; i < 20; i++) {
                client.request(2 * i + 1, "GET", "/", "localhost");
            }
            for (int i = 0; i < 20; i++) {
                assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            }
            assertThat(connections).hasValue(1);
        }
    }

    @OverBothVersions
    void whatIsRefusedIsSentAgainWithItsBody(Front front) throws Exception {
        try (RawUpstream upstream = upstream((peer, n) -> {
                    int refused = 0;
                    while (true) {
                        Frame frame = peer.read();
                        if (frame.type() == DATA && (frame.flags() & END_STREAM) != 0) {
                            if (refused++ < 2) {
                                peer.send(RST_STREAM, 0, frame.stream(), code(REFUSED));
                            } else {
                                seen.add(new String(frame.payload(), StandardCharsets.US_ASCII));
                                peer.respond(frame.stream(), END_STREAM, "200");
                            }
                        }
                    }
                });
                TestProxy proxy = proxy(front, upstream)) {
            try (Response response = post(proxy, "hello")) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(seen()).isEqualTo("hello");
            assertThat(connections).hasValue(1);
        }
    }

    @Test
    void whatOneUpstreamRefusesTwiceIsSentToAnother() throws Exception {
        try (RawUpstream refusing = upstream((peer, n) -> {
                    while (true) {
                        Frame frame = peer.read();
                        if (frame.type() == DATA) {
                            seen.add("refused");
                            peer.send(RST_STREAM, 0, frame.stream(), code(REFUSED));
                        }
                    }
                });
                RawUpstream other = upstream((peer, n) -> {
                    while (true) {
                        Frame frame = peer.read();
                        if (frame.type() == DATA && (frame.flags() & END_STREAM) != 0) {
                            peer.respond(frame.stream(), END_STREAM, "200");
                        }
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r ->
                                r.forward(UpstreamGroup.of("h2c://" + refusing.address(), "h2c://" + other.address())
                                        .balancing(Balancing.failover()))))) {
            try (Response response = post(proxy, "hello")) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(seen).hasSize(2);
        }
    }

    /** Each request that it refuses costs a retry, of which there are few. */
    @Test
    void upstreamThatRefusesRequestsHasFailedThem() throws Exception {
        OutlierEjection limit = OutlierEjection.defaults()
                .withFailureShare(0.5)
                .withLeastRequests(3)
                .withWindow(Duration.ofHours(1))
                .withTime(Duration.ofHours(1));
        try (RawUpstream refusing = upstream((peer, n) -> {
                    while (true) {
                        int stream = peer.next(HEADERS).stream();
                        seen.add("refused");
                        peer.send(RST_STREAM, 0, stream, code(REFUSED));
                    }
                });
                RawUpstream other = upstream((peer, n) -> answerAll(peer));
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r ->
                                r.forward(UpstreamGroup.of("h2c://" + refusing.address(), "h2c://" + other.address())
                                        .balancing(Balancing.failover())
                                        .outlierEjection(limit))))) {
            for (int i = 0; i < 5; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(200);
                }
            }
            assertThat(seen).hasSize(6);
        }
    }

    @Test
    void whoAlwaysRefusesIsNotAskedForEver() throws Exception {
        AtomicInteger refused = new AtomicInteger();
        try (RawUpstream upstream = upstream((peer, n) -> {
                    while (true) {
                        Frame frame = peer.read();
                        if (frame.type() == HEADERS) {
                            refused.incrementAndGet();
                            peer.send(RST_STREAM, 0, frame.stream(), code(REFUSED));
                        }
                    }
                });
                TestProxy proxy = proxy(Front.H1, upstream)) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
            }
            assertThat(refused.get()).isEqualTo(4);
            assertThat(proxy.record().error()).contains(ForwardError.UPSTREAM_CLOSED);
        }
    }

    @Test
    void whatWasExecutedIsNotSentTwice() throws Exception {
        AtomicInteger taken = new AtomicInteger();
        try (RawUpstream upstream = upstream((peer, n) -> {
                    while (true) {
                        Frame frame = peer.read();
                        if (frame.type() == HEADERS) {
                            taken.incrementAndGet();
                        }
                        if (frame.type() == DATA) {
                            peer.send(RST_STREAM, 0, frame.stream(), code(INTERNAL));
                        }
                    }
                });
                TestProxy proxy = proxy(Front.H1, upstream)) {
            try (Response response = post(proxy, "hello")) {
                assertThat(response.code()).isEqualTo(502);
            }
            assertThat(taken.get()).isEqualTo(1);
        }
    }

    /**
     * An upstream that is killed has answered one request and refused another, which only a write that fails has told
     * so far.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatAnUpstreamSaidBeforeItWasKilledIsHeard(boolean tls) throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch gone = new CountDownLatch(1);
        Map<String, AtomicInteger> taken = new ConcurrentHashMap<>();
        RawUpstream.Script script = tcp -> {
            RawConnection raw =
                    tls ? tcp.serveTls(TestProxy.identity().sslContext().getSocketFactory(), "h2") : tcp;
            boolean first = connections.incrementAndGet() == 1;
            Http2Client peer = Http2Client.serve(raw);
            for (int i = 0; !first || i < 2; i++) {
                Frame head = peer.next(HEADERS);
                String path = String.valueOf(peer.fields(head).get(":path"));
                taken.computeIfAbsent(path, key -> new AtomicInteger()).incrementAndGet();
                if (!first) {
                    peer.respond(head.stream(), END_STREAM, "203");
                }
                seen.add(path);
            }
            go.await(30, TimeUnit.SECONDS);
            peer.respond(1, END_STREAM, "201");
            peer.send(GOAWAY, 0, 0, goAway(1, 0));
            raw.reset();
            gone.countDown();
        };
        try (RawUpstream upstream = RawUpstream.start(script);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.tuning(t -> t.withIoThreads(1))
                                .route(r -> r.filter(request -> {
                                            if (request.path().equals("/last")) {
                                                // the thread doesn't hear of the upstream meanwhile
                                                go.countDown();
                                                awaitQuietly(gone);
                                            }
                                            return FilterDecision.proceed();
                                        })
                                        .forward(
                                                tls
                                                        ? Upstream.of("https+h2://" + upstream.address())
                                                                .withTrust(TrustStore.pem(Http2Upstream.rootFile()))
                                                        : Upstream.of("h2c://" + upstream.address()))));
                RawConnection answered = proxy.raw();
                RawConnection refused = proxy.raw();
                RawConnection last = proxy.raw()) {
            answered.send("GET /answered HTTP/1.1¶Host: a¶¶");
            assertThat(seen()).isEqualTo("/answered");
            refused.send("POST /refused HTTP/1.1¶Host: a¶Content-Length: 0¶¶");
            assertThat(seen()).isEqualTo("/refused");
            last.send("POST /last HTTP/1.1¶Host: a¶Content-Length: 0¶¶");
            assertThat(answered.readHead()).startsWith("HTTP/1.1 201 ");
            assertThat(refused.readHead()).startsWith("HTTP/1.1 203 ");
            assertThat(last.readHead()).startsWith("HTTP/1.1 203 ");
            assertThat(taken.get("/answered")).hasValue(1);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void streamsAboveTheLastOfAGoAwayAreSentAgainAndTheOthersEnd() throws Exception {
        try (RawUpstream upstream = upstream((peer, n) -> {
                    if (n > 1) {
                        answerAll(peer);
                    }
                    int first = peer.next(HEADERS).stream();
                    int second = peer.next(HEADERS).stream();
                    int third = peer.next(HEADERS).stream();
                    seen.add(List.of(first, second, third));
                    peer.send(GOAWAY, 0, 0, goAway(first, 0));
                    peer.respond(first, END_STREAM, "203");
                    peer.end();
                });
                TestProxy proxy = proxy(Front.H2_TLS, upstream);
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost");
            client.request(3, "POST", "/", "localhost");
            client.request(5, "GET", "/", "localhost");
            List<String> statuses = new java.util.ArrayList<>();
            for (int i = 0; i < 3; i++) {
                statuses.add(client.status(client.next(HEADERS)));
            }
            assertThat(statuses).containsExactlyInAnyOrder("203", "200", "200");
            assertThat(seen()).isEqualTo(List.of(1, 3, 5));
            assertThat(connections).hasValue(2);
        }
    }

    @Test
    void resetOfOneStreamAndAMalformedHeadHarmNoOther() throws Exception {
        try (RawUpstream upstream = upstream((peer, n) -> {
                    int first = peer.next(HEADERS).stream();
                    int second = peer.next(HEADERS).stream();
                    int third = peer.next(HEADERS).stream();
                    peer.respond(third, 0, "200");
                    peer.send(DATA, 0, third, new byte[5]);
                    peer.send(RST_STREAM, 0, first, code(INTERNAL));
                    peer.respond(second, END_STREAM, "200", "Upper", "case");
                    seen.add(peer.resetOf(second));
                    peer.send(DATA, END_STREAM, third, new byte[5]);
                    peer.end();
                });
                TestProxy proxy = proxy(Front.H2_TLS, upstream);
                Http2Client one = Http2Client.open(proxy)) {
            one.request(1, "POST", "/", "localhost");
            one.request(3, "POST", "/", "localhost");
            one.request(5, "POST", "/", "localhost");
            Map<Integer, String> statuses = new ConcurrentHashMap<>();
            int bytes = 0;
            boolean ended = false;
            while (statuses.size() < 3 || !ended) {
                Frame frame = one.read();
                if (frame.type() == HEADERS) {
                    statuses.put(frame.stream(), one.status(frame));
                } else if (frame.type() == DATA && frame.stream() == 5) {
                    bytes += frame.payload().length;
                    ended = (frame.flags() & END_STREAM) != 0;
                }
            }
            assertThat(statuses).isEqualTo(Map.of(1, "502", 3, "502", 5, "200"));
            assertThat(bytes).isEqualTo(10);
            assertThat(seen()).isEqualTo(1);
            assertThat(connections).hasValue(1);
        }
    }

    @Test
    void clientThatLeavesResetsItsOwnStreamOnly() throws Exception {
        CountDownLatch reset = new CountDownLatch(1);
        try (RawUpstream upstream = upstream((peer, n) -> {
                    int first = peer.next(HEADERS).stream();
                    int second = peer.next(HEADERS).stream();
                    peer.respond(first, 0, "200");
                    peer.respond(second, 0, "200");
                    seen.add(peer.next(RST_STREAM));
                    reset.countDown();
                    peer.send(DATA, END_STREAM, second, new byte[5]);
                    peer.end();
                });
                TestProxy proxy = proxy(Front.H2_TLS, upstream);
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost");
            client.request(3, "GET", "/", "localhost");
            client.next(HEADERS);
            client.next(HEADERS);
            client.send(RST_STREAM, 0, 1, code(CANCEL));
            assertThat(reset.await(30, TimeUnit.SECONDS)).isTrue();
            Frame data = client.next(DATA);
            assertThat(data.stream()).isEqualTo(3);
            assertThat(data.payload()).hasSize(5);
            Frame frame = (Frame) seen();
            assertThat(frame.stream()).isEqualTo(1);
            assertThat(frame.code()).isEqualTo(CANCEL);
            assertThat(proxy.record().error()).contains(ForwardError.CLIENT_ABORTED);
        }
    }

    @Test
    void slowClientStopsItsOwnStreamOnly() throws Exception {
        byte[] large = new byte[4_000_000];
        try (Http2Upstream upstream = Http2Upstream.start(false, exchange -> {
                    exchange.getOutputStream().write(exchange.getRequestURI().equals("/large") ? large : new byte[10]);
                    exchange.getOutputStream().close();
                });
                TestProxy proxy = proxy(Front.H1, upstream.upstream(), PoolLimits.defaults());
                RawConnection slow = proxy.raw()) {
            slow.send("GET /large HTTP/1.1¶Host: a¶¶");
            assertThat(slow.readHead()).startsWith("HTTP/1.1 200");
            for (int i = 0; i < 20; i++) {
                try (Response response = proxy.get("/small")) {
                    assertThat(response.body().bytes()).hasSize(10);
                }
            }
            assertThat(upstream.connections()).isEqualTo(1);
            assertThat(slow.read(large.length)).hasSize(large.length);
        }
    }

    @Test
    void upstreamThatDoesNotAnswerLosesTheStreamAndNoOther() throws Exception {
        TestClock clock = new TestClock();
        try (RawUpstream upstream = upstream((peer, n) -> {
                    int hung = peer.next(HEADERS).stream();
                    Frame frame = peer.read();
                    while (frame.type() != RST_STREAM) {
                        if (frame.type() == HEADERS) {
                            peer.respond(frame.stream(), END_STREAM, "200");
                        }
                        frame = peer.read();
                    }
                    seen.add(frame.stream() == hung && frame.code() == CANCEL);
                    answerAll(peer);
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        clock,
                        b -> b.timeouts(TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, Duration.ofMillis(300)))
                                .forward("h2c://" + upstream.address()));
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/hung", "localhost");
            client.request(3, "GET", "/", "localhost");
            assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            clock.pass(Duration.ofMillis(300));
            assertThat(client.status(client.next(HEADERS))).isEqualTo("504");
            client.request(5, "GET", "/", "localhost");
            assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            assertThat(seen()).isEqualTo(true);
            assertThat(connections).hasValue(1);
        }
    }

    @Test
    void upstreamWithoutSettingsCountsAsOneThatCannotBeConnectedTo() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> raw.readAll());
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofMillis(300)))
                                .forward("h2c://" + upstream.address()))) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(504);
            }
            assertThat(proxy.record().error()).contains(ForwardError.CONNECT_TIMEOUT);
        }
    }

    @Test
    void upstreamThatSpeaksHttp11InCleartextIsA502() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 400 Bad Request¶Content-Length: 0¶¶");
                TestProxy proxy = proxy(Front.H1, upstream)) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
                assertThat(response.body().string())
                        .contains("The service after this proxy can't be reached over HTTP/2, which is needed here.");
            }
            assertThat(proxy.record().error()).contains(ForwardError.UPSTREAM_PROTOCOL);
        }
    }

    /** As a server of HTTP/0.9 answers, and one of TLS. */
    @ParameterizedTest
    @ValueSource(strings = {"<!DOCTYPE HTML>¶<p>Error code: 505¶", "\u0015\u0003\u0001\u0000\u0002\u0002\u0046¶¶"})
    void upstreamThatAnswersByNoHttp2IsA502(String answer) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(answer);
                TestProxy proxy = proxy(Front.H1, upstream)) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
            }
            assertThat(proxy.record().error()).contains(ForwardError.UPSTREAM_PROTOCOL);
        }
    }

    @Test
    void upstreamThatClosesBeforeItsSettingsIsA502() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> raw.read(3));
                TestProxy proxy = proxy(Front.H1, upstream)) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
            }
            assertThat(proxy.record().error()).contains(ForwardError.UPSTREAM_CLOSED);
        }
    }

    /** It has taken nothing of the request, whatever the method. */
    @Test
    void anotherUpstreamServesWhereOneSpeaksHttp11InCleartext() throws Exception {
        try (RawUpstream http1 = RawUpstream.answering("HTTP/1.1 400 Bad Request¶Content-Length: 0¶¶");
                RawUpstream http2 = upstream((peer, n) -> {
                    while (true) {
                        Frame frame = peer.read();
                        if (frame.type() == DATA && (frame.flags() & END_STREAM) != 0) {
                            peer.respond(frame.stream(), END_STREAM, "200");
                        }
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(
                                r -> r.forward(UpstreamGroup.of("h2c://" + http1.address(), "h2c://" + http2.address())
                                        .balancing(Balancing.failover()))))) {
            try (Response response = post(proxy, "hello")) {
                assertThat(response.code()).isEqualTo(200);
            }
        }
    }

    /** The upstream allows no streams, so that requests wait: one that gets a connection of its own doesn't. */
    @Test
    void requestThatNeedsHttp11DoesNotWaitForStreams() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    if (connections.incrementAndGet() == 1) {
                        Http2Client.serve(raw, MAX_CONCURRENT_STREAMS, 0).end();
                    } else {
                        raw.readHead();
                        raw.send(WebSocketHandshake.ACCEPTED);
                        raw.readAll();
                    }
                });
                TestProxy proxy = proxy(
                        Front.H1,
                        Upstream.of("h2c://" + upstream.address()),
                        PoolLimits.defaults().withConnections(2));
                RawConnection waiting = proxy.raw();
                RawConnection first = proxy.raw();
                RawConnection second = proxy.raw()) {
            waiting.send("GET / HTTP/1.1¶Host: a¶¶");
            await().until(() -> waiting(proxy) == 1);
            first.send(WebSocketHandshake.REQUEST);
            assertThat(first.readHead()).startsWith("HTTP/1.1 101 ");
            second.send(WebSocketHandshake.REQUEST);
            await().until(() -> waiting(proxy) == 2);
            first.close();
            assertThat(second.readHead()).startsWith("HTTP/1.1 101 ");
            assertThat(waiting(proxy)).isEqualTo(1);
        }
    }

    private static int waiting(TestProxy proxy) {
        // there is none before the first request
        return proxy.server().status().upstreams().values().stream()
                .mapToInt(ProxyStatus.Pool::waiting)
                .sum();
    }

    @Test
    void idleConnectionIsClosedAndReplaced() throws Exception {
        try (RawUpstream upstream = upstream((peer, n) -> {
                    int stream = peer.next(HEADERS).stream();
                    peer.respond(stream, END_STREAM, "200");
                    seen.add(peer.end());
                });
                TestProxy proxy = proxy(
                        Front.H1,
                        Upstream.of("h2c://" + upstream.address()),
                        PoolLimits.defaults().withIdle(1, Duration.ofMillis(100)))) {
            proxy.get("/").close();
            assertThat(seen()).isEqualTo(0);
            await().until(() -> proxy.server()
                            .status()
                            .upstreams()
                            .values()
                            .iterator()
                            .next()
                            .open()
                    == 0);
            proxy.get("/").close();
            assertThat(connections).hasValue(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"H1_TLS", "H1_TLS_JDK"})
    void upstreamThatChoosesHttp11IsSpokenToInThat(Front front) throws Exception {
        try (mockwebserver3.MockWebServer server = new mockwebserver3.MockWebServer()) {
            server.useHttps(TestProxy.identity().sslSocketFactory());
            server.setProtocols(List.of(okhttp3.Protocol.HTTP_1_1));
            server.setDispatcher(new mockwebserver3.Dispatcher() {
                @Override
                public mockwebserver3.MockResponse dispatch(mockwebserver3.RecordedRequest request) {
                    return new mockwebserver3.MockResponse.Builder().body("ok").build();
                }
            });
            server.start();
            Upstream upstream = Upstream.of("https+h2://localhost:" + server.getPort())
                    .withTrust(TrustStore.pem(Http2Upstream.rootFile()));
            try (TestProxy proxy = TestProxy.start(front, b -> b.route(r -> r.forward(upstream)))) {
                for (int i = 0; i < 3; i++) {
                    try (Response response = proxy.get("/")) {
                        assertThat(response.body().string()).isEqualTo("ok");
                    }
                    assertThat(proxy.record().upstreamProtocol()).contains("HTTP/1.1");
                    assertThat(server.takeRequest().getConnectionIndex()).isZero();
                }
            }
        }
    }

    @Test
    void upstreamThatIsToldTheClientHasAConnectionForEachExchange() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    seen.add(raw.readLine());
                    connections.incrementAndGet();
                    answerAll(Http2Client.serve(raw));
                });
                TestProxy proxy = proxy(
                        Front.H1,
                        Upstream.of("h2c://" + upstream.address()).withProxyProtocol(1),
                        PoolLimits.defaults())) {
            for (int i = 1; i <= 2; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(200);
                }
                assertThat(seen().toString()).startsWith("PROXY TCP4 127.0.0.1 127.0.0.1 ");
                ExchangeRecord record = proxy.record();
                assertThat(record.upstreamProtocol()).contains("HTTP/2.0");
                assertThat(connections).hasValue(i);
            }
        }
    }

    /** Streams don't change their thread, so a connection of another thread has to leave. */
    @Test
    void placeOfTheOnlyConnectionGoesToWhicheverThreadNeedsIt() throws Exception {
        try (RawUpstream upstream = upstream((peer, n) -> answerAll(peer));
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.tuning(t -> t.withIoThreads(2)
                                        .withPool(PoolLimits.defaults().withConnections(1)))
                                .forward("h2c://" + upstream.address()))) {
            List<RawConnection> clients = new java.util.ArrayList<>();
            for (int i = 0; i < 8; i++) {
                clients.add(proxy.raw());
            }
            for (int round = 0; round < 10; round++) {
                for (RawConnection client : clients) {
                    client.send("GET / HTTP/1.1¶Host: a¶¶");
                }
                for (RawConnection client : clients) {
                    assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                }
            }
            for (RawConnection client : clients) {
                client.close();
            }
        }
    }

    @Test
    void upstreamThatAllowsOneStreamGetsManyConnectionsAtOnce() throws Exception {
        CountDownLatch all = new CountDownLatch(20);
        try (RawUpstream upstream = upstream(
                        (peer, n) -> {
                            while (true) {
                                int stream = peer.next(HEADERS).stream();
                                all.countDown();
                                all.await(30, TimeUnit.SECONDS);
                                peer.respond(stream, END_STREAM, "200");
                            }
                        },
                        MAX_CONCURRENT_STREAMS,
                        1);
                TestProxy proxy =
                        proxy(Front.H2_TLS, Upstream.of("h2c://" + upstream.address()), PoolLimits.defaults());
                Http2Client client = Http2Client.open(proxy)) {
            for (int i = 0; i < 20; i++) {
                client.request(2 * i + 1, "GET", "/", "localhost");
            }
            for (int i = 0; i < 20; i++) {
                assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            }
            assertThat(connections).hasValue(20);
        }
    }

    @Test
    void upstreamThatRequiresHttp11GetsTheRequestOverThat() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    if (connections.incrementAndGet() == 1) {
                        Http2Client peer = Http2Client.serve(raw);
                        while (true) {
                            Frame frame = peer.read();
                            if (frame.type() == DATA) {
                                peer.send(RST_STREAM, 0, frame.stream(), code(13));
                            }
                        }
                    }
                    seen.add(raw.readHead());
                    seen.add(raw.read(5));
                    raw.send("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                });
                TestProxy proxy = proxy(Front.H1, upstream)) {
            try (Response response = post(proxy, "hello")) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(seen().toString()).startsWith("POST / HTTP/1.1\r\n");
            assertThat(seen()).isEqualTo("hello");
            assertThat(proxy.record().upstreamProtocol()).contains("HTTP/1.1");
        }
    }

    /** It has refused the request twice then, and yet says how it would take it. */
    @Test
    void upstreamThatRequiresHttp11AfterARefusalGetsTheRequestOverThat() throws Exception {
        try (RawUpstream first = RawUpstream.start(raw -> {
                    if (connections.incrementAndGet() == 1) {
                        Http2Client peer = Http2Client.serve(raw);
                        peer.send(RST_STREAM, 0, peer.next(HEADERS).stream(), code(REFUSED));
                        peer.send(RST_STREAM, 0, peer.next(HEADERS).stream(), code(13));
                        peer.end();
                        return;
                    }
                    raw.readHead();
                    raw.send("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                });
                RawUpstream second = upstream((peer, n) -> answerAll(peer));
                TestProxy proxy = inTurn(first, second)) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(proxy.record().upstream().orElse("")).endsWith("://" + first.address());
        }
    }

    /** What one upstream requires isn't what another one does. */
    @Test
    void anotherUpstreamIsSpokenToInHttp2ThoughOneHasRequiredHttp11() throws Exception {
        try (RawUpstream first = RawUpstream.start(raw -> {
                    if (connections.incrementAndGet() == 1) {
                        Http2Client peer = Http2Client.serve(raw);
                        peer.send(RST_STREAM, 0, peer.next(HEADERS).stream(), code(13));
                        peer.end();
                    }
                });
                RawUpstream second = RawUpstream.start(raw -> answerAll(Http2Client.serve(raw)));
                TestProxy proxy = inTurn(first, second)) {
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(proxy.record().upstreamProtocol()).contains("HTTP/2.0");
        }
    }

    private static TestProxy inTurn(RawUpstream first, RawUpstream second) {
        return TestProxy.start(
                Front.H1,
                b -> b.route(r -> r.forward(UpstreamGroup.of("h2c://" + first.address(), "h2c://" + second.address())
                        .balancing(Balancing.failover()))));
    }

    /** The connection is kept as long as any of its streams, and what was sent on it goes on. */
    @Test
    void updateOfTheUpstreamsLetsStreamsUnderWayEnd() throws Exception {
        CountDownLatch updated = new CountDownLatch(1);
        try (RawUpstream upstream = upstream((peer, n) -> {
                    int stream = peer.next(HEADERS).stream();
                    peer.respond(stream, 0, "200");
                    peer.send(DATA, 0, stream, new byte[3]);
                    updated.await(30, TimeUnit.SECONDS);
                    peer.send(DATA, END_STREAM, stream, new byte[4]);
                    seen.add(peer.end());
                });
                RawUpstream other = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                TestProxy proxy = proxy(Front.H1, upstream)) {
            try (Response response = proxy.get("/")) {
                assertThat(response.body().source().readByteArray(3)).hasSize(3);
                proxy.server().update(c -> c.forward(other.uri()));
                updated.countDown();
                assertThat(response.body().bytes()).hasSize(4);
            }
            assertThat(seen()).isEqualTo(0);
        }
    }
}
