package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.undertow.server.HttpHandler;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.ProxyConfig;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Balancing;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
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
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import io.webproxy.undertow.testing.UpstreamKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Failover by answer: {@code retryOn} and its like. */
@ExtendWith(LeakCheck.class)
class AnswerFailoverTest {
    private static final String ATTEMPT = "X-Webproxy-Attempt";
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    /** An upstream that notes its requests and answers all of them alike. */
    private static final class Same implements AutoCloseable {
        private final Queue<String> heads = new ConcurrentLinkedQueue<>();
        private final RawUpstream upstream;
        private volatile String answer;

        Same(String answer) throws IOException {
            this.answer = answer;
            this.upstream = RawUpstream.start(c -> {
                for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                    heads.add(head);
                    int body = length(head);
                    if (body > 0) {
                        c.read(body);
                    }
                    c.send(this.answer);
                }
            });
        }

        private static int length(String head) {
            int at = head.toLowerCase(java.util.Locale.ROOT).indexOf("content-length: ");
            return at < 0
                    ? 0
                    : Integer.parseInt(
                            head.substring(at + 16).lines().findFirst().orElse("0"));
        }

        String uri() {
            return upstream.uri();
        }

        @Override
        public void close() throws IOException {
            upstream.close();
        }
    }

    private static String busy(String body, String... fields) {
        return "HTTP/1.1 429 Busy¶" + String.join("¶", fields) + (fields.length == 0 ? "" : "¶") + "Content-Length: "
                + body.length() + "¶¶" + body;
    }

    /** One after the other, by the order they are given in. */
    private static UpstreamGroup inOrder(String... uris) {
        return UpstreamGroup.of(uris).balancing(Balancing.failover());
    }

    private static TestProxy proxy(Front front, UpstreamGroup group, Consumer<Route.Builder> more) {
        return TestProxy.start(
                front, p -> p.route(r -> more.accept(r.forward(group))).retries(1, 1000));
    }

    private static TestProxy proxy(TestClock clock, UpstreamGroup group, Consumer<Route.Builder> more) {
        return TestProxy.start(
                Front.H1,
                clock,
                p -> p.route(r -> more.accept(r.forward(group))).retries(1, 1000));
    }

    /** {@code silence}: the limit of the class. */
    private static TestProxy proxy(TestClock clock, Duration silence, Consumer<ProxyConfig.Builder> more) {
        return TestProxy.start(Front.H1, clock, p -> {
            p.timeouts(TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, silence))
                    .retries(1, 1000);
            more.accept(p);
        });
    }

    private static String get(TestProxy proxy) throws IOException {
        try (Response response = proxy.get("/")) {
            return response.code() + " " + response.header(ATTEMPT) + " "
                    + response.body().string();
        }
    }

    private static Request post(TestProxy proxy, String method, RequestBody body) {
        return new Request.Builder().url(proxy.url("/")).method(method, body).build();
    }

    private static RequestBody bytes(int length, boolean chunked) {
        byte[] bytes = "0123456789".repeat(length / 10 + 1).substring(0, length).getBytes(StandardCharsets.UTF_8);
        return new RequestBody() {
            @Override
            public MediaType contentType() {
                return MediaType.get("text/plain");
            }

            @Override
            public long contentLength() {
                return chunked ? -1 : length;
            }

            @Override
            public void writeTo(BufferedSink sink) throws IOException {
                sink.write(bytes);
            }
        };
    }

    private static String outcome(TestProxy proxy, Request request) throws IOException {
        try (Response response = proxy.client().newCall(request).execute()) {
            return response.code() + " " + response.header(ATTEMPT) + " "
                    + response.body().string();
        }
    }

    // --- every kind ---

    private static Stream<Arguments> kinds() {
        return Stream.concat(
                Stream.of(Front.H1, Front.H2_TLS)
                        .flatMap(front -> Stream.of(
                                        UpstreamKind.H1, UpstreamKind.H1_TLS, UpstreamKind.H2C, UpstreamKind.H2_TLS)
                                .map(kind -> Arguments.of(front, kind))),
                Stream.of(
                        Arguments.of(Front.H1_TLS_JDK, UpstreamKind.H1_TLS_JDK),
                        Arguments.of(Front.H2_TLS_JDK, UpstreamKind.H2_TLS_JDK)));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void answerLeadsToAnotherUpstreamWithTheSameRequest(Front front, UpstreamKind kind) throws Exception {
        Queue<String> first = new ConcurrentLinkedQueue<>();
        HttpHandler busy = exchange -> {
            first.add(exchange.getRequestMethod() + " "
                    + exchange.getInputStream().readAllBytes().length);
            exchange.setStatusCode(503);
            exchange.getResponseSender().send("busy");
        };
        HttpHandler echo = exchange -> {
            byte[] body = exchange.getInputStream().readAllBytes();
            exchange.getOutputStream()
                    .write((exchange.getRequestMethod() + " " + body.length + " ").getBytes(StandardCharsets.UTF_8));
            exchange.getOutputStream().write(body);
        };
        try (Http2Upstream a = Http2Upstream.start(kind.isTls(), busy);
                Http2Upstream b = Http2Upstream.start(kind.isTls(), echo);
                TestProxy proxy = proxy(
                        front,
                        UpstreamGroup.of(kind.upstream(a.port()), kind.upstream(b.port()))
                                .balancing(Balancing.failover()),
                        r -> r.retryOn(429, 503).retryNonIdempotent())) {
            List<String> sent = new ArrayList<>();
            for (int length : new int[] {0, 10, 300_000}) {
                for (boolean chunked : new boolean[] {false, true}) {
                    for (String method : List.of("PUT", "POST")) {
                        String body = "0123456789".repeat(length / 10);
                        sent.add(method + " " + length);
                        assertThat(outcome(proxy, post(proxy, method, bytes(length, chunked))))
                                .as(method + " " + length + " " + chunked)
                                .isEqualTo("200 2 " + method + " " + length + " " + body);
                        ExchangeRecord record = proxy.record();
                        assertThat(record.attempts()).isEqualTo(2);
                        assertThat(record.bytesIn()).isEqualTo(length);
                        assertThat(record.upstream().orElse("")).endsWith("://127.0.0.1:" + b.port());
                        assertThat(record.error()).isEmpty();
                    }
                }
            }
            for (String method : List.of("GET", "DELETE", "OPTIONS")) {
                sent.add(method + " 0");
                assertThat(outcome(proxy, post(proxy, method, null))).isEqualTo("200 2 " + method + " 0 ");
            }
            assertThat(first).containsExactlyElementsOf(sent);
            // the connections of discarded answers are used again
            assertThat(a.connections()).isLessThanOrEqualTo(2);
        }
    }

    @OverBothVersions
    void answerIsTheClientsWithoutTheOption(Front front) throws Exception {
        try (Same a = new Same(busy("a"));
                Same b = new Same(OK);
                TestProxy proxy = proxy(front, inOrder(a.uri(), b.uri()), r -> {})) {
            assertThat(get(proxy)).isEqualTo("429 null a");
            assertThat(proxy.record().attempts()).isEqualTo(1);
            assertThat(b.heads).isEmpty();
        }
    }

    @Test
    void otherStatusesAndASingleUpstreamAreAsBefore() throws Exception {
        try (Same a = new Same(busy("a"));
                Same b = new Same(OK);
                TestProxy other = proxy(Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(503));
                TestProxy alone = proxy(Front.H1, inOrder(a.uri()), r -> r.retryOn(429))) {
            assertThat(get(other)).isEqualTo("429 1 a");
            assertThat(get(alone)).isEqualTo("429 1 a");
            assertThat(b.heads).isEmpty();
        }
    }

    // --- what is never sent twice ---

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PATCH", "REPORT"})
    void whatIsNotIdempotentIsNotSentTwiceUnlessTheRouteSaysSo(String method) throws Exception {
        try (Same a = new Same(busy("a"));
                Same b = new Same(OK);
                TestProxy proxy = proxy(Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429));
                TestProxy allowed = proxy(
                        Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429).retryNonIdempotent())) {
            assertThat(outcome(proxy, post(proxy, method, bytes(5, false)))).isEqualTo("429 1 a");
            assertThat(b.heads).isEmpty();
            assertThat(outcome(allowed, post(allowed, method, bytes(5, false)))).isEqualTo("200 2 ok");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bodyAboveTheLimitPassesOnce(boolean chunked) throws Exception {
        Queue<Integer> lengths = new ConcurrentLinkedQueue<>();
        HttpHandler busy = exchange -> {
            lengths.add(exchange.getInputStream().readAllBytes().length);
            exchange.setStatusCode(429);
            exchange.getResponseSender().send("a");
        };
        try (Http2Upstream a = Http2Upstream.start(false, busy);
                Same b = new Same(OK);
                TestProxy proxy = proxy(
                        Front.H1,
                        UpstreamGroup.of(UpstreamKind.H1.upstream(a.port()), Upstream.of(b.uri()))
                                .balancing(Balancing.failover()),
                        r -> r.retryOn(429).retryBodyBytes(1000))) {
            assertThat(outcome(proxy, post(proxy, "PUT", bytes(1001, chunked)))).isEqualTo("429 1 a");
            assertThat(outcome(proxy, post(proxy, "PUT", bytes(500_000, chunked))))
                    .isEqualTo("429 1 a");
            assertThat(lengths).containsExactly(1001, 500_000);
            assertThat(b.heads).isEmpty();
            assertThat(outcome(proxy, post(proxy, "PUT", bytes(1000, false)))).isEqualTo("200 2 ok");
        }
    }

    @Test
    void webSocketHandshakeIsNotSentTwice() throws Exception {
        try (Same a = new Same(busy("a"));
                Same b = new Same(OK);
                TestProxy proxy = proxy(
                        Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429).retryNonIdempotent());
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 429 ");
            assertThat(b.heads).isEmpty();
        }
    }

    @Test
    void upgradeWithABodyIsNotSentTwice() throws Exception {
        String ask = " HTTP/1.1¶Host: localhost¶Connection: Upgrade¶Upgrade: tcp¶Content-Length: 5¶¶01234";
        try (RawUpstream a = RawUpstream.start(c -> {
                    while (c.readHead().startsWith("POST /busy ")) {
                        assertThat(c.read(5)).isEqualTo("01234");
                        c.send(busy("a"));
                    }
                    c.read(5);
                    c.send("HTTP/1.1 101 Switching¶Connection: Upgrade¶Upgrade: tcp¶¶");
                    c.send(c.read(4));
                });
                Same b = new Same(OK);
                TestProxy proxy = proxy(
                        Front.H1,
                        inOrder(a.uri(), b.uri()),
                        r -> r.retryOn(429).retryNonIdempotent().allowUpgrade("tcp"));
                RawConnection client = proxy.raw();
                RawConnection next = proxy.raw()) {
            client.send("POST /busy" + ask);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 429 ").endsWith("a");
            next.send("POST /" + ask + "ping");
            assertThat(next.readHead()).startsWith("HTTP/1.1 101 ");
            assertThat(next.read(4)).isEqualTo("ping");
            assertThat(b.heads).isEmpty();
            assertThat(a.failures()).isEmpty();
        }
    }

    @Test
    void grpcCallIsNotSentTwice() throws Exception {
        Queue<String> asked = new ConcurrentLinkedQueue<>();
        HttpHandler busy = exchange -> {
            asked.add("a");
            exchange.setStatusCode(503);
        };
        HttpHandler other = exchange -> asked.add("b");
        try (Http2Upstream a = Http2Upstream.start(false, busy);
                Http2Upstream b = Http2Upstream.start(false, other);
                TestProxy proxy = proxy(
                        Front.H2_TLS,
                        UpstreamGroup.of(UpstreamKind.H2C.upstream(a.port()), UpstreamKind.H2C.upstream(b.port()))
                                .balancing(Balancing.failover()),
                        r -> r.retryOn(503).retryNonIdempotent())) {
            RequestBody message = RequestBody.create(new byte[5], MediaType.get("application/grpc"));
            try (Response response =
                    proxy.client().newCall(post(proxy, "POST", message)).execute()) {
                assertThat(asked).containsExactly("a");
                assertThat(response.header(ATTEMPT)).isEqualTo("1");
            }
        }
    }

    // --- which answer the client gets ---

    @OverBothVersions
    void ofAllThatAreBusyTheOneWithTheShortestRetryAfterAnswersUnchanged(Front front) throws Exception {
        try (Same a = new Same(busy("a", "Retry-After: 30"));
                Same b = new Same(busy("b".repeat(100_000), "Retry-After: 5", "X-Own: kept"));
                Same c = new Same(busy("c", "Retry-After: 60"));
                Same d = new Same(busy("d"));
                TestProxy proxy = proxy(front, inOrder(a.uri(), b.uri(), c.uri(), d.uri()), r -> r.retryOn(429));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(429);
            assertThat(response.headers("Retry-After")).containsExactly("5");
            assertThat(response.headers("X-Own")).containsExactly("kept");
            assertThat(response.headers(ATTEMPT)).containsExactly("2");
            assertThat(response.body().string()).isEqualTo("b".repeat(100_000));
            ExchangeRecord record = proxy.record();
            assertThat(record.attempts()).isEqualTo(4);
            assertThat(record.upstream().orElse("")).endsWith("://" + b.upstream.address());
            assertThat(record.proxyAnswered()).isFalse();
            assertThat(record.error()).isEmpty();
        }
    }

    @Test
    void firstAnswerIsTheClientsWhenNoOtherUpstreamCanBeConnectedTo() throws Exception {
        try (Same a = new Same(busy("a", "Retry-After: 9"));
                RefusedPort refused = RefusedPort.open();
                TestProxy proxy = proxy(Front.H1, inOrder(a.uri(), refused.uri()), r -> r.retryOn(429))) {
            assertThat(get(proxy)).isEqualTo("429 1 a");
            ExchangeRecord record = proxy.record();
            assertThat(record.attempts()).isEqualTo(2);
            assertThat(record.upstream().orElse("")).endsWith("://" + a.upstream.address());
            assertThat(record.error()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "HTTP/1.1 20¶¶", "HTTP/1.1 200 OK¶Content-Len"})
    void firstAnswerIsTheClientsWhenTheSecondUpstreamFails(String sent) throws Exception {
        try (Same a = new Same(busy("a"));
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(sent);
                });
                TestProxy proxy = proxy(
                        Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429).retryNonIdempotent())) {
            assertThat(outcome(proxy, post(proxy, "POST", bytes(5, false)))).isEqualTo("429 1 a");
        }
    }

    /** Whose connect fails when the client has the answer, and has sent its next request. */
    @Test
    void attemptThatAnAnswerHasReplacedDoesNotEndTheNextRequest() throws Exception {
        CountDownLatch connecting = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (Same a = new Same(busy("a"));
                RawUpstream silent = RawUpstream.start(c -> {
                    connecting.countDown();
                    c.drain();
                });
                RawUpstream slow = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    release.await(30, TimeUnit.SECONDS);
                    c.send(OK);
                });
                TestProxy proxy = proxy(
                        clock,
                        Duration.ofSeconds(3),
                        p -> p.route(r -> r.path("/slow").forward(slow.uri()))
                                .route(r -> r.forward(inOrder(a.uri(), "https://127.0.0.1:" + silent.port()))
                                        .retryOn(429)));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(connecting.await(30, TimeUnit.SECONDS)).isTrue();
            clock.pass(Duration.ofSeconds(3));
            assertThat(client.readResponse()).startsWith("HTTP/1.1 429 ").endsWith("a");
            client.send("GET /slow HTTP/1.1¶Host: localhost¶¶");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.passAndLook(Duration.ofSeconds(2));
            release.countDown();
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("ok");
        }
    }

    @Test
    void attemptThatAnAnswerHasReplacedIsNotSent() throws Exception {
        CountDownLatch connecting = new CountDownLatch(1);
        CountDownLatch accept = new CountDownLatch(1);
        CountDownLatch accepted = new CountDownLatch(1);
        Queue<String> paths = new ConcurrentLinkedQueue<>();
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 429 Busy¶Content-Length: 10¶¶01234");
                    accepted.await(30, TimeUnit.SECONDS);
                    c.send("56789");
                    c.readHead();
                    c.send(busy("a"));
                    c.end();
                });
                RawUpstream b = RawUpstream.start(c -> {
                    connecting.countDown();
                    accept.await(30, TimeUnit.SECONDS);
                    try (Http2Client h2 = Http2Client.serve(c)) {
                        Http2Client.Frame first = h2.next(Http2Client.SETTINGS);
                        while (first.flags() != Http2Client.ACK) {
                            first = h2.next(Http2Client.SETTINGS);
                        }
                        accepted.countDown();
                        Http2Client.Frame head = h2.next(Http2Client.HEADERS);
                        paths.add(h2.fields(head).get(":path"));
                        h2.respond(head.stream(), Http2Client.END_STREAM, "204");
                        h2.end();
                    }
                });
                TestProxy proxy = proxy(
                        clock,
                        Duration.ofSeconds(3),
                        p -> p.route(r -> r.forward(inOrder(a.uri(), "h2c://127.0.0.1:" + b.port()))
                                .retryOn(429)));
                RawConnection client = proxy.raw()) {
            client.send("GET /first HTTP/1.1¶Host: localhost¶¶");
            assertThat(connecting.await(30, TimeUnit.SECONDS)).isTrue();
            clock.pass(Duration.ofSeconds(3));
            assertThat(client.readHead()).startsWith("HTTP/1.1 429 ");
            assertThat(client.read(5)).isEqualTo("01234");
            accept.countDown();
            assertThat(client.read(5)).isEqualTo("56789");
            client.send("GET /second HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 204 ");
            assertThat(paths).containsExactly("/second");
        }
    }

    @Test
    @ExpectedLog(contains = "Balancing threw")
    void firstAnswerIsTheClientsWhenTheBalancingThrowsForTheNext() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        try (Same a = new Same(busy("a"));
                Same b = new Same(OK);
                Same c = new Same(OK);
                TestProxy proxy = proxy(
                        Front.H1,
                        UpstreamGroup.of(a.uri(), b.uri(), c.uri()).balancing(choice -> {
                            if (calls.getAndIncrement() > 0) {
                                throw new IllegalStateException("of the policy's own");
                            }
                            return 0;
                        }),
                        r -> r.retryOn(429))) {
            assertThat(get(proxy)).isEqualTo("429 1 a");
        }
    }

    /** Each answer that is kept holds its connection. */
    @ParameterizedTest
    @EnumSource(names = {"H1", "H2C"})
    void requestsWhoseAnswersAreKeptDoNotWaitForEachOthersConnections(UpstreamKind kind) throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        HttpHandler busy = exchange -> {
            both.countDown();
            both.await(30, TimeUnit.SECONDS);
            exchange.setStatusCode(429);
            exchange.getResponseSender().send("busy");
        };
        TestClock clock = new TestClock();
        try (Http2Upstream a = Http2Upstream.start(kind.isTls(), busy);
                Http2Upstream b = Http2Upstream.start(kind.isTls(), busy);
                TestProxy proxy = proxy(
                        clock,
                        UpstreamGroup.of(kind.upstream(a.port()), kind.upstream(b.port()))
                                .balancing(choice -> choice.request().path().equals("/a") ? 0 : choice.count() - 1)
                                .pool(PoolLimits.defaults().withConnections(1).withStreams(1)),
                        r -> r.retryOn(429));
                RawConnection first = proxy.raw();
                RawConnection second = proxy.raw()) {
            first.send("GET /a HTTP/1.1¶Host: localhost¶¶");
            second.send("GET /b HTTP/1.1¶Host: localhost¶¶");
            assertThat(first.readResponse()).startsWith("HTTP/1.1 429 ").endsWith("busy");
            assertThat(second.readResponse()).startsWith("HTTP/1.1 429 ").endsWith("busy");
        }
    }

    @Test
    void requestWhoseAnswerIsKeptPassesOverAnUpstreamWithoutAFreeConnection() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (Same a = new Same(busy("a"));
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    c.end();
                });
                Same last = new Same(OK);
                TestProxy proxy = proxy(
                        clock,
                        UpstreamGroup.of(a.uri(), b.uri(), last.uri())
                                .balancing(choice -> choice.request().path().equals("/b") ? 1 : 0)
                                .pool(PoolLimits.defaults().withConnections(1)),
                        r -> r.retryOn(429));
                RawConnection holder = proxy.raw();
                RawConnection client = proxy.raw()) {
            holder.send("GET /b HTTP/1.1¶Host: localhost¶¶");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains(ATTEMPT + ": 3");
        }
    }

    @Test
    void clientThatLeavesEndsTheSecondAttempt() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        try (Same a = new Same(busy("a"));
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    c.end();
                    left.countDown();
                });
                TestProxy proxy = proxy(Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            client.reset();
            assertThat(left.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(proxy.record().error()).contains(ForwardError.CLIENT_ABORTED);
        }
    }

    // --- the upload goes on ---

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void uploadThatWasAnsweredEarlyGoesOnToTheNextFromItsFirstByte(boolean chunked) throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        Queue<String> got = new ConcurrentLinkedQueue<>();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(busy("a"));
                    c.end();
                });
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    answered.countDown();
                    got.add(c.read(chunked ? 25 : 10));
                    c.send(OK);
                });
                TestProxy proxy = proxy(Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429));
                RawConnection client = proxy.raw()) {
            client.send("PUT / HTTP/1.1¶Host: localhost¶"
                    + (chunked ? "Transfer-Encoding: chunked¶¶5¶01234¶" : "Content-Length: 10¶¶01234"));
            assertThat(answered.await(30, TimeUnit.SECONDS)).isTrue();
            client.send(chunked ? "5¶56789¶0¶¶" : "56789");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains(ATTEMPT + ": 2");
            assertThat(got).containsExactly(chunked ? "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n" : "0123456789");
        }
    }

    /** What is taken of it in the meantime could be more than may be kept. */
    @Test
    void uploadWaitsWhileTheNextUpstreamIsConnectedTo() throws Exception {
        String rest = "x".repeat(200_000);
        CountDownLatch connecting = new CountDownLatch(1);
        Queue<String> got = new ConcurrentLinkedQueue<>();
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(busy("a"));
                    c.drain();
                });
                RawUpstream silent = RawUpstream.start(c -> {
                    connecting.countDown();
                    c.drain();
                });
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    got.add(c.read(200_005));
                    c.send(OK);
                });
                TestProxy proxy = proxy(
                        clock,
                        inOrder(a.uri(), "https://127.0.0.1:" + silent.port(), b.uri()),
                        r -> r.retryOn(429).retryBodyBytes(20_000));
                RawConnection client = proxy.raw()) {
            client.send("PUT / HTTP/1.1¶Host: localhost¶Transfer-Encoding: chunked¶¶5¶01234¶");
            assertThat(connecting.await(30, TimeUnit.SECONDS)).isTrue();
            client.send(Integer.toHexString(rest.length()) + "¶" + rest + "¶0¶¶");
            clock.awaitSweeps(2);
            clock.pass(Duration.ofSeconds(6));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains(ATTEMPT + ": 3");
            assertThat(got.remove()).startsWith("5\r\n01234\r\n").endsWith("xxx");
        }
    }

    @Test
    void uploadOverHttp2ThatWasAnsweredEarlyGoesOnToTheNext() throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        Queue<String> got = new ConcurrentLinkedQueue<>();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(busy("a"));
                    c.end();
                });
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    answered.countDown();
                    got.add(c.read(10));
                    c.send(OK);
                });
                TestProxy proxy = proxy(Front.H2_TLS, inOrder(a.uri(), b.uri()), r -> r.retryOn(429));
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "PUT", "/", "localhost:" + proxy.port(), "content-length", "10");
            client.send(Http2Client.DATA, 0, 1, "01234".getBytes(StandardCharsets.UTF_8));
            assertThat(answered.await(30, TimeUnit.SECONDS)).isTrue();
            client.send(Http2Client.DATA, Http2Client.END_STREAM, 1, "56789".getBytes(StandardCharsets.UTF_8));
            assertThat(client.fields(client.next(Http2Client.HEADERS)))
                    .containsEntry(":status", "200")
                    .containsEntry("x-webproxy-attempt", "2");
            assertThat(got).containsExactly("0123456789");
        }
    }

    @Test
    void clientThatWaitsFor100GetsItFromTheUpstreamThatTakesTheBody() throws Exception {
        try (RawUpstream a = RawUpstream.start(c -> {
                    assertThat(c.readHead()).contains("100-continue");
                    c.send(busy("a"));
                    c.end();
                });
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 100 Continue¶¶");
                    assertThat(c.read(5)).isEqualTo("01234");
                    c.send(OK);
                });
                TestProxy proxy = proxy(Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429));
                RawConnection client = proxy.raw()) {
            client.send("PUT / HTTP/1.1¶Host: localhost¶Content-Length: 5¶Expect: 100-continue¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 100 ");
            client.send("01234");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(b.failures()).isEmpty();
        }
    }

    @Test
    void clientGetsOneHundredOnlyOnce() throws Exception {
        RawUpstream.Script taking = c -> {
            c.readHead();
            c.send("HTTP/1.1 100 Continue¶¶");
            c.read(5);
            c.send(busy("x"));
            c.end();
        };
        try (RawUpstream a = RawUpstream.start(taking);
                RawUpstream b = RawUpstream.start(taking);
                TestProxy proxy = proxy(Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429));
                RawConnection client = proxy.raw()) {
            client.send("PUT / HTTP/1.1¶Host: localhost¶Content-Length: 5¶Expect: 100-continue¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 100 ");
            client.send("01234");
            assertThat(client.readHead()).startsWith("HTTP/1.1 429 ");
        }
    }

    // --- late ---

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lateFirstByteLeadsToAnotherUpstreamAndEndsTheFirst(boolean body) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    if (body) {
                        c.read(5);
                    }
                    asked.countDown();
                    c.end();
                    left.countDown();
                });
                Same b = new Same(OK);
                TestProxy proxy = proxy(
                        clock,
                        inOrder(a.uri(), b.uri()),
                        r -> r.retryOnFirstByte(Duration.ofSeconds(5)).retryNonIdempotent());
                RawConnection client = proxy.raw()) {
            client.send(body ? "POST / HTTP/1.1¶Host: localhost¶Content-Length: 5¶¶01234" : "GET / HTTP/1.1¶Host: a¶¶");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.passAndLook(Duration.ofSeconds(4));
            assertThat(b.heads).isEmpty();
            clock.pass(Duration.ofSeconds(1));
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains(ATTEMPT + ": 2");
            assertThat(left.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void lateStreamOfHttp2IsCancelledAndItsConnectionStays() throws Exception {
        Queue<String> seen = new ConcurrentLinkedQueue<>();
        CountDownLatch asked = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.start(c -> {
                    try (Http2Client h2 = Http2Client.serve(c)) {
                        h2.next(Http2Client.HEADERS);
                        asked.countDown();
                        seen.add("code " + h2.next(Http2Client.RST_STREAM).code());
                        int next = h2.next(Http2Client.HEADERS).stream();
                        h2.respond(next, Http2Client.END_STREAM, "204");
                        h2.end();
                    }
                });
                Same b = new Same(OK);
                TestProxy proxy = proxy(
                        clock,
                        UpstreamGroup.of("h2c://127.0.0.1:" + a.port(), b.uri()).balancing(Balancing.failover()),
                        r -> r.retryOnFirstByte(Duration.ofSeconds(5)));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.pass(Duration.ofSeconds(5));
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").contains(ATTEMPT + ": 2");
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 204 ").contains(ATTEMPT + ": 1");
            assertThat(seen).containsExactly("code 8");
            assertThat(a.connections()).isEqualTo(1);
        }
    }

    @Test
    void timeoutOfTheClassSpansAllAttempts() throws Exception {
        CountDownLatch asked = new CountDownLatch(2);
        TestClock clock = new TestClock();
        RawUpstream.Script silent = c -> {
            c.readHead();
            asked.countDown();
            c.end();
        };
        try (RawUpstream a = RawUpstream.start(silent);
                RawUpstream b = RawUpstream.start(silent);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> p.route(r -> r.forward(inOrder(a.uri(), b.uri())).retryOnFirstByte(Duration.ofSeconds(10)))
                                .timeouts(
                                        TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, Duration.ofSeconds(15))));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            await().until(() -> asked.getCount() == 1);
            clock.pass(Duration.ofSeconds(10));
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.pass(Duration.ofSeconds(5));
            assertThat(client.readHead()).startsWith("HTTP/1.1 504 ").doesNotContain(ATTEMPT);
        }
    }

    /** One that closes its connection doesn't start it again. */
    @Test
    void timeoutOfTheClassSpansTheAttemptAfterAClosedConnection() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch close = new CountDownLatch(1);
        CountDownLatch askedAgain = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    close.await(30, TimeUnit.SECONDS);
                });
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    askedAgain.countDown();
                    c.end();
                });
                TestProxy proxy = proxy(
                        clock,
                        Duration.ofSeconds(15),
                        p -> p.route(r -> r.forward(inOrder(a.uri(), b.uri())).retryOn(429)));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.passAndLook(Duration.ofSeconds(14));
            close.countDown();
            assertThat(askedAgain.await(30, TimeUnit.SECONDS)).isTrue();
            clock.pass(Duration.ofSeconds(1));
            assertThat(client.readHead()).startsWith("HTTP/1.1 504 ");
        }
    }

    @Test
    void waitForAConnectionIsNotALateFirstByte() throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch rest = new CountDownLatch(1);
        CountDownLatch second = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 10¶¶01234");
                    first.countDown();
                    rest.await(30, TimeUnit.SECONDS);
                    c.send("56789");
                    c.readHead();
                    second.countDown();
                    answer.await(30, TimeUnit.SECONDS);
                    c.send(OK);
                    c.end();
                });
                Same b = new Same(OK);
                TestProxy proxy = proxy(
                        clock,
                        inOrder(a.uri(), b.uri()).pool(PoolLimits.defaults().withConnections(1)),
                        r -> r.retryOnFirstByte(Duration.ofSeconds(1)));
                RawConnection holder = proxy.raw();
                RawConnection client = proxy.raw()) {
            holder.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(holder.readHead()).startsWith("HTTP/1.1 200 ");
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            await().until(() -> proxy.server().status().upstreams().get(a.uri()).waiting() == 1);
            clock.passAndLook(Duration.ofMillis(1500));
            rest.countDown();
            assertThat(second.await(30, TimeUnit.SECONDS)).isTrue();
            clock.passAndLook(Duration.ofMillis(100));
            answer.countDown();
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains(ATTEMPT + ": 1");
            assertThat(b.heads).isEmpty();
        }
    }

    @Test
    void bodyThatWaitsFor100DoesNotExcuseALateFirstByte() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    c.end();
                    left.countDown();
                });
                RawUpstream b = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 100 Continue¶¶");
                    assertThat(c.read(5)).isEqualTo("01234");
                    c.send(OK);
                });
                TestProxy proxy =
                        proxy(clock, inOrder(a.uri(), b.uri()), r -> r.retryOnFirstByte(Duration.ofSeconds(1)));
                RawConnection client = proxy.raw()) {
            client.send("PUT / HTTP/1.1¶Host: localhost¶Content-Length: 5¶Expect: 100-continue¶¶");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.pass(Duration.ofSeconds(1));
            assertThat(left.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(client.readHead()).startsWith("HTTP/1.1 100 ");
            client.send("01234");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains(ATTEMPT + ": 2");
            assertThat(b.failures()).isEmpty();
        }
    }

    @Test
    void slowUploadIsNotALateFirstByte() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    c.read(5);
                    asked.countDown();
                    c.read(5);
                    c.send(OK);
                });
                Same b = new Same(OK);
                TestProxy proxy =
                        proxy(clock, inOrder(a.uri(), b.uri()), r -> r.retryOnFirstByte(Duration.ofSeconds(5)));
                RawConnection client = proxy.raw()) {
            client.send("PUT / HTTP/1.1¶Host: localhost¶Content-Length: 10¶¶01234");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.passAndLook(Duration.ofSeconds(6));
            client.send("56789");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains(ATTEMPT + ": 1");
            assertThat(b.heads).isEmpty();
        }
    }

    // --- Retry-After ---

    @Test
    void upstreamThatAsksForTimeIsSkippedForAsLong() throws Exception {
        TestClock clock = new TestClock();
        try (Same a = new Same(busy("a", "Retry-After: 30"));
                Same b = new Same(OK);
                TestProxy proxy = proxy(clock, inOrder(a.uri(), b.uri()), r -> r.retryOn(429))) {
            assertThat(get(proxy)).isEqualTo("200 2 ok");
            assertThat(get(proxy)).isEqualTo("200 1 ok");
            clock.skip(Duration.ofSeconds(29));
            assertThat(get(proxy)).isEqualTo("200 1 ok");
            assertThat(a.heads).hasSize(1);
            clock.skip(Duration.ofSeconds(1));
            assertThat(get(proxy)).isEqualTo("200 2 ok");
            // the only one that is left serves, whatever it asks for
            b.answer = busy("b", "Retry-After: 10");
            assertThat(get(proxy)).isEqualTo("429 1 b");
            a.answer = OK;
            clock.skip(Duration.ofSeconds(1));
            assertThat(get(proxy)).isEqualTo("429 1 b");
            clock.skip(Duration.ofSeconds(29));
            assertThat(get(proxy)).isEqualTo("200 1 ok");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1000000000",
                "999999999999999999",
                "9999999999999999999999",
                "-1",
                "1e9",
                "soon",
                "Fri, 31 Dec 2399 23:59:59 GMT",
                "99, 99 Foo 9999",
                "0"
            })
    void upstreamCannotTakeItselfOutForLong(String retryAfter) throws Exception {
        TestClock clock = new TestClock();
        try (Same a = new Same(busy("a", "Retry-After: " + retryAfter));
                Same b = new Same(OK);
                TestProxy proxy = proxy(clock, inOrder(a.uri(), b.uri()), r -> r.retryOn(429))) {
            assertThat(get(proxy)).isEqualTo("200 2 ok");
            a.answer = OK;
            clock.skip(Duration.ofSeconds(60));
            assertThat(get(proxy)).isEqualTo("200 1 ok");
            assertThat(a.heads).hasSize(2);
        }
    }

    @Test
    void clientWhoseQuotaIsUsedUpDoesNotTakeTheUpstreamsFromOthers() throws Exception {
        RawUpstream.Script byClient = c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                c.send(head.contains("spender") ? busy("x", "Retry-After: 60") : OK);
            }
        };
        try (RawUpstream a = RawUpstream.start(byClient);
                RawUpstream b = RawUpstream.start(byClient);
                TestProxy proxy = proxy(Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429))) {
            for (int i = 0; i < 3; i++) {
                try (Response response = proxy.get("/", "X-Key", "spender")) {
                    assertThat(response.code()).isEqualTo(429);
                }
                assertThat(get(proxy)).isEqualTo("200 1 ok");
            }
        }
    }

    // --- budget, health, sessions ---

    @Test
    void clientCannotMultiplyTheLoadOfUpstreamsThatAreBusy() throws Exception {
        try (Same a = new Same(busy("a"));
                Same b = new Same(busy("b"));
                Same c = new Same(busy("c"));
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(a.uri(), b.uri(), c.uri()))
                                        .retryOn(429))
                                .retries(0.2, 0))) {
            for (int i = 0; i < 50; i++) {
                assertThat(get(proxy)).startsWith("429 ");
            }
            assertThat(a.heads.size() + b.heads.size() + c.heads.size()).isBetween(55, 60);
        }
    }

    @Test
    @ExpectedLog(contains = "failed more than 50 % of the requests")
    void discardedAnswersCountForTheEjection() throws Exception {
        OutlierEjection limit = OutlierEjection.defaults().withFailureShare(0.5).withLeastRequests(3);
        try (Same a = new Same(busy("a").replace("429", "503"));
                Same b = new Same(OK);
                TestProxy proxy =
                        proxy(Front.H1, inOrder(a.uri(), b.uri()).outlierEjection(limit), r -> r.retryOn(503))) {
            for (int i = 0; i < 3; i++) {
                assertThat(get(proxy)).isEqualTo("200 2 ok");
            }
            assertThat(get(proxy)).isEqualTo("200 1 ok");
            assertThat(a.heads).hasSize(3);
        }
    }

    @Test
    void sessionMovesToTheUpstreamThatAnswersWithItsCookie() throws Exception {
        try (Same a = new Same(OK);
                Same b = new Same(OK);
                TestProxy proxy = proxy(
                        Front.H1,
                        UpstreamGroup.of(a.uri(), b.uri()).balancing(Balancing.cookie("SERVER")),
                        r -> r.retryOn(429))) {
            String cookie;
            try (Response response = proxy.get("/")) {
                cookie = response.headers("Set-Cookie").get(0).split(";", 2)[0];
            }
            Same own = a.heads.isEmpty() ? b : a;
            try (Response response = proxy.get("/", "Cookie", cookie)) {
                assertThat(response.headers("Set-Cookie")).isEmpty();
            }
            own.answer = busy("x", "Set-Cookie: SERVER=forged");
            try (Response response = proxy.get("/", "Cookie", cookie)) {
                assertThat(response.code()).isEqualTo(200);
                assertThat(response.headers("Set-Cookie")).hasSize(1).noneMatch(line -> line.startsWith(cookie));
            }
        }
    }

    @OverBothVersions
    void connectionThatIsClosedBeforeAnAnswerIsAnotherAttemptWhereTheRouteAllowsIt(Front front) throws Exception {
        try (RawUpstream a = RawUpstream.start(c -> {
                    c.readHead();
                    c.read(5);
                });
                Same b = new Same(OK);
                TestProxy proxy = proxy(front, inOrder(a.uri(), b.uri()), r -> r.retryOn(429));
                TestProxy allowed = proxy(
                        front, inOrder(a.uri(), b.uri()), r -> r.retryOn(429).retryNonIdempotent())) {
            assertThat(outcome(proxy, post(proxy, "POST", bytes(5, false)))).startsWith("502 null");
            assertThat(outcome(allowed, post(allowed, "POST", bytes(5, false)))).isEqualTo("200 2 ok");
            assertThat(outcome(proxy, post(proxy, "PUT", bytes(5, false)))).isEqualTo("200 2 ok");
        }
    }

    @Test
    void upstreamsFieldOfThatNameIsReplaced() throws Exception {
        try (Same a = new Same("HTTP/1.1 200 OK¶" + ATTEMPT + ": 7¶Connection: " + HttpString.tryFromString(ATTEMPT)
                        + "¶Content-Length: 0¶¶");
                Same b = new Same(OK);
                TestProxy proxy = proxy(Front.H1, inOrder(a.uri(), b.uri()), r -> r.retryOn(429));
                Response response = proxy.get("/", Headers.TE_STRING, "trailers")) {
            assertThat(response.headers(ATTEMPT)).containsExactly("1");
        }
    }
}
