package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.http.Answer;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.RequestFilter;
import io.webproxy.route.Upstream;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.LoggedErrors;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutClassifier;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The application's say in every request of a route. */
@ExtendWith(LeakCheck.class)
class RequestFilterTest {
    private static final Duration LIMIT = Duration.ofMillis(200);

    private final BlockingQueue<CompletableFuture<FilterDecision>> asked = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    private RawUpstream upstream;

    /** Answers with how long the body was. */
    @BeforeEach
    void startUpstream() throws Exception {
        upstream = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head);
                if (head.contains("Expect: 100-continue")) {
                    c.send("HTTP/1.1 100 Continue¶¶");
                }
                String text = Integer.toString(bodyOf(c, head));
                c.send("HTTP/1.1 200 OK¶Content-Length: " + text.length() + "¶¶" + text);
            }
        });
    }

    private static int bodyOf(RawConnection c, String head) throws IOException {
        int length = head.indexOf("Content-Length: ");
        if (length >= 0) {
            return c.read(Integer.parseInt(head.substring(length + 16, head.indexOf('\r', length))))
                    .length();
        }
        int total = 0;
        if (head.contains("Transfer-Encoding: chunked")) {
            int size;
            do {
                size = Integer.parseInt(c.readLine().strip(), 16);
                c.read(size + 2);
                total += size;
            } while (size > 0);
        }
        return total;
    }

    @AfterEach
    void stopUpstream() throws Exception {
        upstream.close();
    }

    private TestProxy proxy(Front front, RequestFilter filter) {
        return TestProxy.start(
                front, b -> b.route(r -> r.name("hooked").filter(filter).forward(upstream.uri())));
    }

    private RequestFilter later() {
        return request -> {
            CompletableFuture<FilterDecision> decision = new CompletableFuture<>();
            asked.add(decision);
            return FilterDecision.later(decision);
        };
    }

    private CompletableFuture<FilterDecision> asked() throws InterruptedException {
        CompletableFuture<FilterDecision> decision = asked.poll(30, TimeUnit.SECONDS);
        assertThat(decision).isNotNull();
        return decision;
    }

    private String head() throws InterruptedException {
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head;
    }

    @OverEachFront
    void filterChangesTheRequestAndTagsTheRecord(Front front) throws Exception {
        RequestFilter filter = request -> FilterDecision.proceed()
                .withPath("/other/%41")
                .setHeader("X-Tenant", request.query())
                .removeHeader("Cookie")
                .addTag("tenant", "a")
                .addTag("model", "big");
        try (TestProxy proxy = proxy(front, filter)) {
            Request request = new Request.Builder()
                    .url(proxy.url("/here?q=1"))
                    .header("Cookie", "secret")
                    .build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(head())
                    .startsWith("GET /other/%41?q=1 HTTP/1.1\r\n")
                    .contains("X-Tenant: q=1\r\n")
                    .doesNotContain("secret");
            ExchangeRecord record = proxy.record();
            assertThat(record.tags()).isEqualTo(Map.of("tenant", "a", "model", "big"));
            assertThat(record.path()).isEqualTo("/here");
            assertThat(record.error()).isEmpty();
        }
    }

    @OverBothVersions
    void filterChoosesTheOnlyUpstream(Front front) throws Exception {
        try (RawUpstream own = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 3¶¶own");
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.filter(request -> request.path().equals("/chosen")
                                                ? FilterDecision.proceed().withUpstream(Upstream.of(own.uri()))
                                                : FilterDecision.proceed())
                                        .forward(upstream.uri()))
                                .route(r -> r.path("/own").forward(own.uri()))
                                .route(r -> r.name("answered")
                                        .path("/answered")
                                        .filter(request ->
                                                FilterDecision.proceed().withUpstream(Upstream.of(own.uri())))
                                        .answer(Answer.of(503))))) {
            try (Response response = proxy.get("/answered")) {
                assertThat(response.body().string()).isEqualTo("own");
            }
            assertThat(proxy.record().route()).contains("answered");
            for (int i = 0; i < 3; i++) {
                try (Response response = proxy.get("/chosen")) {
                    assertThat(response.body().string()).isEqualTo("own");
                }
                assertThat(proxy.record().upstream()).contains("http://127.0.0.1:" + own.port());
            }
            try (Response response = proxy.get("/")) {
                assertThat(response.body().string()).isEqualTo("0");
            }
        }
    }

    @OverEachFront
    void filterAnswersWithoutAnUpstream(Front front) throws Exception {
        Answer answer = Answer.text(402, "pay").withHeader("X-Price", "1").withHeader("X-Price", "2");
        RequestFilter filter = request -> FilterDecision.answer(answer).addTag("paid", "no");
        try (TestProxy proxy = proxy(front, filter)) {
            for (String method : List.of("GET", "HEAD")) {
                Request request = new Request.Builder()
                        .url(proxy.url("/"))
                        .method(method, null)
                        .build();
                try (Response response = proxy.client().newCall(request).execute()) {
                    assertThat(response.code()).isEqualTo(402);
                    assertThat(response.headers("X-Price")).containsExactly("1", "2");
                    assertThat(response.header("Content-Type")).isEqualTo("text/plain; charset=utf-8");
                    assertThat(response.header("Content-Length")).isEqualTo("3");
                    assertThat(response.body().string()).isEqualTo(method.equals("GET") ? "pay" : "");
                }
                ExchangeRecord record = proxy.record();
                assertThat(record.tags()).isEqualTo(Map.of("paid", "no"));
                assertThat(record.proxyAnswered()).isTrue();
                assertThat(record.error()).isEmpty();
            }
            assertThat(upstream.connections()).isZero();
        }
    }

    @Test
    void pathOfAFilterIsToldWithoutThePrefixThatItHasReplaced() throws Exception {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        try (RawUpstream own = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        seen.add(head);
                        c.send("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.path("/api/")
                                .stripPrefix()
                                .forward(own.uri())
                                .filter(request -> request.path().endsWith("/moved")
                                        ? FilterDecision.proceed().withPath("/elsewhere")
                                        : FilterDecision.proceed())))) {
            proxy.get("/api/x").close();
            assertThat(seen.poll(30, TimeUnit.SECONDS))
                    .startsWith("GET /x HTTP/1.1")
                    .containsIgnoringCase("X-Forwarded-Prefix: /api");
            proxy.get("/api/moved").close();
            assertThat(seen.poll(30, TimeUnit.SECONDS))
                    .startsWith("GET /elsewhere HTTP/1.1")
                    .doesNotContainIgnoringCase("X-Forwarded-Prefix");
        }
    }

    private static final class Body extends RequestBody {
        private final long length;

        Body(long length) {
            this.length = length;
        }

        @Override
        public MediaType contentType() {
            return null;
        }

        @Override
        public long contentLength() {
            return length;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            for (int i = 0; i < 30; i++) {
                sink.write(new byte[10_000]);
            }
        }
    }

    @OverEachFront
    void bodyWaitsForALaterDecision(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, later())) {
            for (long length : new long[] {300_000, -1}) {
                Request request = new Request.Builder()
                        .url(proxy.url("/"))
                        .post(new Body(length))
                        .build();
                CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> {
                    try (Response response = proxy.client().newCall(request).execute()) {
                        return response.code() + " " + response.body().string();
                    } catch (IOException e) {
                        return e.toString();
                    }
                });
                CompletableFuture<FilterDecision> decision = asked();
                assertThat(heads).isEmpty();
                decision.complete(FilterDecision.proceed().addTag("from", "elsewhere"));
                assertThat(answer.get(30, TimeUnit.SECONDS)).isEqualTo("200 300000");
                head();
                ExchangeRecord record = proxy.record();
                assertThat(record.bytesIn()).isEqualTo(300_000);
                assertThat(record.tags()).containsKey("from");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void clientIsToldToContinueWhenTheDecisionIsMade(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, later());
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Expect: 100-continue¶Content-Length: 4¶¶");
            asked().complete(FilterDecision.proceed());
            assertThat(client.readHead()).startsWith("HTTP/1.1 100 ");
            client.send("body");
            assertThat(client.readResponse()).endsWith("\r\n\r\n4");

            client.send("POST / HTTP/1.1¶Host: localhost¶Expect: 100-continue¶Content-Length: 4¶¶");
            asked().complete(FilterDecision.answer(Answer.of(403)));
            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
        }
    }

    @OverBothVersions
    void decisionThatDoesNotComeIs504AndOneThatComesLateIsIgnored(Front front) throws Exception {
        TimeoutPolicy limited = TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, LIMIT);
        TimeoutPolicy unlimited = limited.withClassifier(new TimeoutClassifier() {
            @Override
            public TimeoutClass classify(io.webproxy.http.RequestHead request) {
                return TimeoutClass.WEBSOCKET;
            }

            @Override
            public TimeoutClass upgrade(TimeoutClass current, io.webproxy.http.ResponseHead response) {
                return current;
            }
        });
        for (TimeoutPolicy timeouts : List.of(limited, unlimited)) {
            try (TestProxy proxy = TestProxy.start(
                            front,
                            b -> b.timeouts(timeouts)
                                    .route(r -> r.filter(later()).forward(upstream.uri())));
                    Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(504);
                assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_HEAD_TIMEOUT);
                asked().complete(FilterDecision.proceed());
                proxy.awaitIdle();
                assertThat(upstream.connections()).isZero();
            }
        }
    }

    @OverHttp1
    void clientThatLeavesBeforeTheDecisionIsRecorded(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, later())) {
            CompletableFuture<FilterDecision> decision;
            try (RawConnection client = proxy.raw()) {
                client.send("GET / HTTP/1.1¶Host: localhost¶¶");
                decision = asked();
            }
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            assertThat(record.status()).isEqualTo(499);
            decision.complete(FilterDecision.proceed());
            proxy.awaitIdle();
            assertThat(upstream.connections()).isZero();
        }
    }

    /** A client in the middle of its body can't be seen leaving, for nobody reads; the decision finds it gone. */
    @OverHttp1
    void bodyThatBreaksOffBeforeTheDecisionIsNoWholeRequest(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, later())) {
            try (RawConnection client = proxy.raw()) {
                client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: 10¶¶five!");
                await().until(() -> !asked.isEmpty());
                // a close by the JDK's TLS would wait for an answer, and nobody reads here
                client.reset();
            }
            asked().complete(FilterDecision.proceed());
            assertThat(proxy.record().error()).contains(ForwardError.CLIENT_ABORTED);
            proxy.awaitIdle();
        }
    }

    @Test
    void resetStreamEndsTheWaitAndNoOtherStream() throws Exception {
        try (TestProxy proxy = proxy(Front.H2_TLS, later());
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/1", "localhost");
            CompletableFuture<FilterDecision> first = asked();
            client.request(3, "GET", "/3", "localhost");
            CompletableFuture<FilterDecision> second = asked();
            client.send(Http2Client.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
            ExchangeRecord record = proxy.record();
            assertThat(record.path()).isEqualTo("/1");
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            assertThat(record.status()).isEqualTo(499);
            first.complete(FilterDecision.proceed());
            second.complete(FilterDecision.proceed());
            assertThat(client.answer(3)).isEqualTo("200");
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    private enum Defect {
        THROWS,
        ERROR,
        NULL,
        FAILED,
        FAILS_LATER,
        LATER_NULL,
        LATER_TWICE,
        STAGE_OF_ITS_OWN,
        STAGE_WITH_AN_ERROR,
        STAGE_OF_NOTHING;

        FilterDecision decide() {
            return switch (this) {
                case THROWS -> throw new IllegalStateException("defect");
                case ERROR -> throw new StackOverflowError();
                case NULL -> null;
                case FAILED -> FilterDecision.later(CompletableFuture.failedFuture(new IOException("defect")));
                case FAILS_LATER ->
                    FilterDecision.later(CompletableFuture.supplyAsync(() -> {
                        throw new IllegalStateException("defect");
                    }));
                case LATER_NULL -> FilterDecision.later(CompletableFuture.supplyAsync(() -> null));
                case LATER_TWICE ->
                    FilterDecision.later(CompletableFuture.supplyAsync(
                            () -> FilterDecision.later(CompletableFuture.completedFuture(FilterDecision.proceed()))));
                case STAGE_OF_ITS_OWN ->
                    later(() -> {
                        throw new UnsupportedOperationException("defect");
                    });
                case STAGE_WITH_AN_ERROR ->
                    later(() -> {
                        throw new StackOverflowError("defect");
                    });
                case STAGE_OF_NOTHING -> later(() -> null);
            };
        }

        private static FilterDecision later(Supplier<CompletableFuture<FilterDecision>> future) {
            return FilterDecision.later(new CompletableFuture<FilterDecision>() {
                @Override
                public CompletableFuture<FilterDecision> toCompletableFuture() {
                    return future.get();
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    @ExpectedLog(logger = "io.webproxy.undertow.pipeline.RouteAnswer", contains = "The filter of route hooked failed")
    void defectOfAFilterIsA500AndAnErrorInTheRecord(Front front) throws Exception {
        try (LoggedErrors errors = new LoggedErrors("io.webproxy.undertow.pipeline.RouteAnswer");
                TestProxy proxy = proxy(
                        front,
                        request -> Defect.valueOf(request.path().substring(1)).decide())) {
            for (Defect defect : Defect.values()) {
                try (Response response = proxy.get("/" + defect)) {
                    assertThat(response.code()).as(defect.toString()).isEqualTo(500);
                }
                ExchangeRecord record = proxy.record();
                assertThat(record.error()).contains(ForwardError.APPLICATION_FAILED);
                assertThat(record.route()).contains("hooked");
            }
            assertThat(errors.count()).as("one line for each").isEqualTo(Defect.values().length);
            assertThat(upstream.connections()).isZero();
        }
    }

    /** A stage that was complete before it was handed over needs no turn of the thread. */
    @OverBothVersions
    void decisionThatIsMadeAlreadyHoldsAtOnce(Front front) throws Exception {
        CompletionStage<FilterDecision> made = CompletableFuture.<FilterDecision>completedFuture(
                        FilterDecision.proceed().addTag("a", "b"))
                .minimalCompletionStage();
        try (TestProxy proxy = proxy(front, request -> FilterDecision.later(made));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(proxy.record().tags()).isEqualTo(Map.of("a", "b"));
        }
    }
}
