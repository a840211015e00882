package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.undertow.util.Headers;
import io.webproxy.ProxyConfig;
import io.webproxy.http.Answer;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Balancing;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.ResponseFilter;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.LoggedErrors;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import io.webproxy.undertow.testing.UpstreamKind;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Credentials;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The application's say in every response of a route's upstreams. */
@ExtendWith(LeakCheck.class)
class ResponseFilterTest {
    private static final Duration LIMIT = Duration.ofMillis(200);
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶X-Own: 1¶¶ok";
    private static final String LOG = "io.webproxy.undertow.forward.ResponseFiltering";

    private final BlockingQueue<CompletableFuture<FilterDecision>> asked = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();

    private static TestProxy proxy(Front front, RawUpstream upstream, Consumer<Route.Builder> more) {
        return TestProxy.start(
                front, b -> b.route(r -> more.accept(r.name("hooked").forward(upstream.uri()))));
    }

    private ResponseFilter later() {
        return (request, response) -> {
            CompletableFuture<FilterDecision> decision = new CompletableFuture<>();
            asked.add(decision);
            return FilterDecision.later(decision);
        };
    }

    private ResponseFilter watching() {
        return (request, response) -> {
            seen.add(request.method() + " " + request.path() + " " + response.status());
            return FilterDecision.proceed();
        };
    }

    private CompletableFuture<FilterDecision> asked() throws InterruptedException {
        CompletableFuture<FilterDecision> decision = asked.poll(30, TimeUnit.SECONDS);
        assertThat(decision).isNotNull();
        return decision;
    }

    /** Answers every request with this. */
    private static RawUpstream keeping(String answer) throws IOException {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                c.send(answer);
            }
        });
    }

    @OverEachFront
    void filterChangesFieldsAndTagsTheRecord(Front front) throws Exception {
        ResponseFilter filter = (request, response) -> FilterDecision.proceed()
                .setHeader("X-User", request.user().orElse("none"))
                .setHeader(
                        "X-Seen",
                        response.status() + " " + response.header("X-Own").orElse("-"))
                .addHeader("Set-Cookie", "b=2")
                .removeHeader("Server")
                .setHeader("X-Names", Boolean.toString(response.headerNames().contains("Server")))
                .addTag("response", "seen");
        try (RawUpstream upstream =
                        keeping("HTTP/1.1 200 OK¶Server: secret/1.0¶Set-Cookie: a=1¶X-Own: 1¶Transfer-Encoding:"
                                + " chunked¶¶2¶ok¶0¶¶");
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.basicAuth("ann", "secret")
                                .route(r -> r.filter(request ->
                                                FilterDecision.proceed().addTag("request", "seen"))
                                        .responseFilter(filter)
                                        .forward(upstream.uri())))) {
            for (int i = 0; i < 2; i++) {
                try (Response response = proxy.get("/", "Authorization", Credentials.basic("ann", "secret"))) {
                    assertThat(response.code()).isEqualTo(200);
                    assertThat(response.body().string()).isEqualTo("ok");
                    assertThat(response.header("X-User")).isEqualTo("ann");
                    assertThat(response.header("X-Seen")).isEqualTo("200 1");
                    assertThat(response.header("X-Names")).isEqualTo("true");
                    assertThat(response.header("Server")).isNull();
                    assertThat(response.headers("Set-Cookie")).containsExactly("a=1", "b=2");
                }
                ExchangeRecord record = proxy.record();
                assertThat(record.tags()).isEqualTo(Map.of("request", "seen", "response", "seen"));
                assertThat(record.proxyAnswered()).isFalse();
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @OverEachFront
    void answerReplacesTheResponseAndAShortOnesConnectionIsUsedAgain(Front front) throws Exception {
        ResponseFilter filter = (request, response) -> FilterDecision.answer(
                        Answer.text(418, "replaced " + response.status()).withHeader("X-New", "1"))
                .addTag("was", Integer.toString(response.status()));
        try (RawUpstream upstream = keeping("HTTP/1.1 404 Not Found¶Content-Length: 6¶X-Own: 1¶¶secret");
                TestProxy proxy = proxy(front, upstream, r -> r.responseFilter(filter))) {
            for (String method : new String[] {"GET", "GET"}) {
                try (Response response = proxy.client()
                        .newCall(new Request.Builder()
                                .url(proxy.url("/"))
                                .method(method, null)
                                .build())
                        .execute()) {
                    assertThat(response.code()).isEqualTo(418);
                    assertThat(response.body().string()).isEqualTo("replaced 404");
                    assertThat(response.header("X-New")).isEqualTo("1");
                    assertThat(response.header("X-Own")).isNull();
                }
                ExchangeRecord record = proxy.record();
                assertThat(record.status()).isEqualTo(418);
                assertThat(record.proxyAnswered()).isTrue();
                assertThat(record.error()).isEmpty();
                assertThat(record.upstream().orElse("")).endsWith("://" + upstream.address());
                assertThat(record.tags()).isEqualTo(Map.of("was", "404"));
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    void endlessResponseThatIsReplacedEndsAtTheUpstreamToo(Front front) throws Exception {
        BlockingQueue<String> ended = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶first¶");
                    ended.add(c.end());
                });
                TestProxy proxy = proxy(
                        front,
                        upstream,
                        r -> r.responseFilter((request, response) -> FilterDecision.answer(Answer.of(204))))) {
            for (int i = 1; i <= 2; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(204);
                }
                assertThat(ended.poll(30, TimeUnit.SECONDS)).isNotNull();
                assertThat(upstream.connections()).isEqualTo(i);
            }
        }
    }

    @OverEachFront
    void laterDecisionHoldsTheResponseBack(Front front) throws Exception {
        String large = "x".repeat(300_000);
        try (RawUpstream upstream = keeping("HTTP/1.1 200 OK¶Content-Length: " + large.length() + "¶¶" + large);
                TestProxy proxy = proxy(front, upstream, r -> r.responseFilter(later()))) {
            for (int i = 0; i < 4; i++) {
                boolean replaced = i % 2 == 1;
                CompletableFuture<String> got = CompletableFuture.supplyAsync(() -> {
                    try (Response response = proxy.get("/")) {
                        return response.header("X-Late") + " "
                                + response.body().string().length();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
                CompletableFuture<FilterDecision> decision = asked();
                assertThat(got).isNotDone();
                decision.complete(
                        replaced
                                ? FilterDecision.answer(Answer.text(200, "no").withHeader("X-Late", "no"))
                                : FilterDecision.proceed().setHeader("X-Late", "yes"));
                assertThat(got.get(30, TimeUnit.SECONDS)).isEqualTo(replaced ? "no 2" : "yes " + large.length());
                assertThat(proxy.record().error()).isEmpty();
            }
        }
    }

    @OverEachFront
    void limitsHoldUntilTheDecision(Front front) throws Exception {
        for (int kind = 0; kind < 3; kind++) {
            TimeoutPolicy timeouts = switch (kind) {
                case 0 -> TimeoutPolicy.defaults().withTotal(LIMIT);
                case 1 -> TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, LIMIT);
                // of a class without a limit
                default ->
                    TimeoutPolicy.defaults()
                            .with(TimeoutClass.LONG, Duration.ZERO)
                            .with(TimeoutClass.DEFAULT, LIMIT);
            };
            BlockingQueue<String> ended = new LinkedBlockingQueue<>();
            try (RawUpstream upstream = RawUpstream.start(c -> {
                        c.readHead();
                        c.send(OK);
                        ended.add(c.end());
                    });
                    TestProxy proxy =
                            proxy(front, upstream, r -> r.timeouts(timeouts).responseFilter(later()));
                    Response response = proxy.get(kind == 2 ? "/api/chat" : "/")) {
                assertThat(response.code()).isEqualTo(504);
                assertThat(proxy.record().error())
                        .contains(kind == 0 ? ForwardError.TOTAL_TIMEOUT : ForwardError.RESPONSE_HEAD_TIMEOUT);
                assertThat(ended.poll(30, TimeUnit.SECONDS)).isNotNull();
                asked().complete(FilterDecision.proceed());
                proxy.awaitIdle();
            }
        }
    }

    @OverHttp1
    void clientThatLeavesBeforeTheDecisionEndsTheUpstreamsResponse(Front front) throws Exception {
        BlockingQueue<String> ended = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(OK);
                    ended.add(c.end());
                });
                TestProxy proxy = proxy(front, upstream, r -> r.responseFilter(later()))) {
            try (RawConnection client = proxy.raw()) {
                client.send("GET / HTTP/1.1¶Host: a¶¶");
                CompletableFuture<FilterDecision> decision = asked();
                client.close();
                ExchangeRecord record = proxy.record();
                assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
                assertThat(record.status()).isEqualTo(499);
                assertThat(ended.poll(30, TimeUnit.SECONDS)).isNotNull();
                decision.complete(FilterDecision.proceed());
            }
        }
    }

    @Test
    void streamThatIsResetBeforeTheDecisionEndsAlone() throws Exception {
        try (RawUpstream upstream = keeping(OK);
                TestProxy proxy = proxy(Front.H2_TLS, upstream, r -> r.responseFilter(later()));
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/1", "localhost");
            CompletableFuture<FilterDecision> first = asked();
            client.request(3, "GET", "/3", "localhost");
            CompletableFuture<FilterDecision> second = asked();
            client.send(Http2Client.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
            ExchangeRecord record = proxy.record();
            assertThat(record.path()).isEqualTo("/1");
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            first.complete(FilterDecision.proceed());
            second.complete(FilterDecision.proceed());
            assertThat(client.answer(3)).startsWith("200");
        }
    }

    @Test
    void upstreamOfHttp2ThatBreaksBeforeTheDecisionIsA502() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    Http2Client server = Http2Client.serve(c);
                    int stream = server.next(Http2Client.HEADERS).stream();
                    server.respond(stream, 0, "200", "x-own", "1");
                    await().until(() -> !asked.isEmpty());
                    server.send(Http2Client.RST_STREAM, 0, stream, new byte[] {0, 0, 0, 7});
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(
                                r -> r.responseFilter(later()).forward(Upstream.of("h2c://" + upstream.address()))));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(502);
            assertThat(proxy.record().error()).contains(ForwardError.UPSTREAM_CLOSED);
            asked().complete(FilterDecision.proceed());
        }
    }

    @ParameterizedTest
    @CsvSource({"H1, Content-Length: 10", "H1_TLS, Transfer-Encoding: chunked", "H1_TLS_JDK, Content-Length: 10"})
    void upstreamThatBreaksBeforeTheDecisionIsA502(UpstreamKind kind, String framing) throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        CountDownLatch read = new CountDownLatch(1);
        try (RawUpstream upstream = kind.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶" + framing + "¶¶5¶0");
                    await().until(() -> !asked.isEmpty());
                    c.shutdownOutput();
                    ended.countDown();
                    read.await(30, TimeUnit.SECONDS);
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.jdkTls(kind.provider() == TlsProvider.JDK)
                                .route(r -> r.responseFilter(later()).forward(kind.upstream(upstream))));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: a¶¶");
            assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
            asked().complete(FilterDecision.proceed());
            assertThat(client.readResponse()).startsWith("HTTP/1.1 502 ");
            read.countDown();
            assertThat(proxy.record().error()).contains(ForwardError.UPSTREAM_CLOSED);
        }
    }

    @OverBothVersions
    void upstreamOfHttp2IsFilteredAlike(Front front) throws Exception {
        ResponseFilter filter = (request, response) -> request.query().equals("answer")
                ? FilterDecision.answer(Answer.text(200, "replaced"))
                : request.query().equals("later")
                        ? FilterDecision.later(CompletableFuture.supplyAsync(
                                () -> FilterDecision.proceed().setHeader("X-Late", "yes")))
                        : FilterDecision.proceed().setHeader("X-Late", "no");
        try (Http2Upstream upstream = Http2Upstream.start(true, exchange -> {
                    exchange.getResponseHeaders().put(Headers.SERVER, "secret");
                    exchange.getResponseSender().send("body");
                });
                TestProxy proxy = TestProxy.start(
                        front, b -> b.route(r -> r.responseFilter(filter).forward(upstream.upstream())))) {
            for (String[] each : new String[][] {
                {"answer", null, "replaced"},
                {"later", "yes", "body"},
                {"now", "no", "body"},
                {"answer", null, "replaced"}
            }) {
                try (Response response = proxy.get("/?" + each[0])) {
                    assertThat(response.body().string()).isEqualTo(each[2]);
                    assertThat(response.header("X-Late")).isEqualTo(each[1]);
                }
            }
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
        STAGE_WITH_AN_ERROR,
        PATH,
        UPSTREAM,
        FRAMING;

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
                case STAGE_WITH_AN_ERROR ->
                    FilterDecision.later(new CompletableFuture<FilterDecision>() {
                        @Override
                        public CompletableFuture<FilterDecision> toCompletableFuture() {
                            throw new StackOverflowError("defect");
                        }
                    });
                case PATH -> FilterDecision.proceed().withPath("/other");
                case UPSTREAM -> FilterDecision.proceed().withUpstream(Upstream.of("http://127.0.0.1:1"));
                case FRAMING -> FilterDecision.proceed().setHeader("Content-Length", "1");
            };
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    @ExpectedLog(logger = LOG, contains = "The response filter of route hooked failed")
    void defectOfAFilterIsA500AndAnErrorInTheRecord(Front front) throws Exception {
        try (LoggedErrors errors = new LoggedErrors(LOG);
                RawUpstream upstream = keeping(OK);
                TestProxy proxy = proxy(
                        front,
                        upstream,
                        r -> r.responseFilter((request, response) ->
                                Defect.valueOf(request.path().substring(1)).decide()))) {
            for (Defect defect : Defect.values()) {
                try (Response response = proxy.get("/" + defect)) {
                    assertThat(response.code()).as(defect.toString()).isEqualTo(500);
                    assertThat(response.header("X-Own")).isNull();
                }
                ExchangeRecord record = proxy.record();
                assertThat(record.error()).contains(ForwardError.APPLICATION_FAILED);
                assertThat(record.route()).contains("hooked");
            }
            assertThat(errors.count()).as("one line for each").isEqualTo(Defect.values().length);
        }
    }

    @OverBothVersions
    void filterSeesFinalResponsesOfUpstreamsOnly(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        c.send(
                                head.contains("/304")
                                        ? "HTTP/1.1 304 Not Modified¶Content-Length: 9¶¶"
                                        : head.contains("/204")
                                                ? "HTTP/1.1 204 No Content¶¶"
                                                : head.startsWith("HEAD")
                                                        ? "HTTP/1.1 200 OK¶Content-Length: 9¶¶"
                                                        : "HTTP/1.1 103 Early Hints¶Link: </a>¶¶" + OK);
                    }
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.responseFilter(watching())
                                        .filter(request -> request.path().equals("/refused")
                                                ? FilterDecision.answer(Answer.of(403))
                                                : FilterDecision.proceed())
                                        .forward(upstream.uri()))
                                .route(r -> r.path("/own")
                                        .responseFilter(watching())
                                        .answer(Answer.of(204)))
                                .route(r -> r.path("/down")
                                        .responseFilter(watching())
                                        .forward("http://127.0.0.1:1")))) {
            for (String[] each : new String[][] {
                {"GET", "/refused", "403"},
                {"GET", "/own", "204"},
                {"GET", "/down", "502"},
                {"GET", "/304", "304"},
                {"GET", "/204", "204"},
                {"HEAD", "/", "200"},
                {"GET", "/", "200"}
            }) {
                try (Response response = proxy.client()
                        .newCall(new Request.Builder()
                                .url(proxy.url(each[1]))
                                .method(each[0], null)
                                .build())
                        .execute()) {
                    assertThat(response.code()).as(each[1]).isEqualTo(Integer.parseInt(each[2]));
                }
            }
            assertThat(seen).containsExactly("GET /304 304", "GET /204 204", "HEAD / 200", "GET / 200");
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @Test
    void tunnelsOpenUnfilteredAndRefusedHandshakesDont() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    c.send(
                            head.contains("/no")
                                    ? "HTTP/1.1 403 Forbidden¶Content-Length: 0¶¶"
                                    : WebSocketHandshake.answerTo(head));
                    c.end();
                });
                TestProxy proxy = proxy(Front.H1, upstream, r -> r.responseFilter(watching()))) {
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketHandshake.REQUEST);
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            }
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketHandshake.REQUEST.replaceFirst("GET [^ ]*", "GET /no"));
                assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
            }
            assertThat(seen).containsExactly("GET /no 403");
        }
    }

    @Test
    void answerToHeadHasNoBodyAndTheNextRequestIsClean() throws Exception {
        try (RawUpstream upstream = keeping("HTTP/1.1 200 OK¶Content-Length: 9¶¶");
                TestProxy proxy = proxy(
                        Front.H1,
                        upstream,
                        r -> r.responseFilter(
                                (request, response) -> FilterDecision.answer(Answer.text(200, "replaced"))));
                RawConnection client = proxy.raw()) {
            for (int i = 0; i < 2; i++) {
                client.send("HEAD / HTTP/1.1¶Host: a¶¶");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ").contains("Content-Length: 8");
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @Test
    void filterComesAfterTheRoutesEditsAndBeforeTheServersOwnFields() throws Exception {
        ResponseFilter filter = (request, response) -> FilterDecision.proceed()
                .setHeader("X-Location", response.header("Location").orElse("-"))
                .setHeader("X-Alt", response.header("Alt-Svc").orElse("-"))
                .setHeader("X-Route", response.header("X-Route").orElse("-") + " filtered")
                .setHeader("X-Hop", response.header("X-Secret-Hop").orElse("-"))
                .setHeader("Strict-Transport-Security", "max-age=0")
                .removeHeader("Set-Cookie");
        try (RawUpstream upstream = keeping("HTTP/1.1 302 Found¶Location: /there¶Alt-Svc: h3=\":1\"¶"
                        + "Connection: X-Secret-Hop¶X-Secret-Hop: 1¶Set-Cookie: gone=1¶Content-Length: 0¶¶");
                TestProxy proxy = TestProxy.start(
                        Front.H1_TLS,
                        b -> b.hsts(Duration.ofDays(1))
                                .route(r -> r.path("/app/")
                                        .stripPrefix()
                                        .rewriteLocations()
                                        .setResponseHeader("X-Route", "edited")
                                        .responseFilter(filter)
                                        .forward(UpstreamGroup.of(upstream.uri(), upstream.uri() + "/")
                                                .balancing(Balancing.roundRobin()))));
                Response response = proxy.get("/app/")) {
            assertThat(response.code()).isEqualTo(302);
            assertThat(response.header("X-Location")).isEqualTo("/app/there");
            assertThat(response.header("X-Alt")).isEqualTo("-");
            assertThat(response.header("X-Hop")).isEqualTo("-");
            assertThat(response.header("X-Route")).isEqualTo("edited filtered");
            assertThat(response.headers("Strict-Transport-Security")).containsExactly("max-age=86400");
            assertThat(response.headers("Set-Cookie")).isEmpty();
        }
    }

    @Test
    void classFollowsTheUpstreamsResponseNotTheFilters() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        c.send("HTTP/1.1 200 OK¶Content-Length: 2¶Content-Type: "
                                + (head.contains("?events") ? "text/event-stream" : "text/plain") + "¶¶ok");
                    }
                });
                TestProxy proxy = proxy(
                        Front.H1,
                        upstream,
                        r -> r.responseFilter((request, response) -> FilterDecision.proceed()
                                .setHeader(
                                        "Content-Type",
                                        request.query().isEmpty() ? "text/event-stream" : "text/plain")))) {
            for (String path : new String[] {"/", "/?events"}) {
                boolean events = path.equals("/?events");
                try (Response response = proxy.get(path)) {
                    assertThat(response.body().string()).isEqualTo("ok");
                    assertThat(response.header("Content-Type")).isEqualTo(events ? "text/plain" : "text/event-stream");
                }
                assertThat(proxy.record().endClass()).isEqualTo(events ? TimeoutClass.LONG : TimeoutClass.DEFAULT);
            }
        }
    }

    @Test
    void serverThatClosesDoesntWaitForTheDecision() throws Exception {
        try (RawUpstream upstream = keeping(OK);
                TestProxy proxy = proxy(Front.H1, upstream, r -> r.responseFilter(later()));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: a¶¶");
            CompletableFuture<FilterDecision> decision = asked();
            proxy.close();
            assertThat(client.end()).isNotNull();
            decision.complete(FilterDecision.proceed());
        }
    }

    @Test
    void filterIsTakenBackByAnUpdate() throws Exception {
        try (RawUpstream upstream = keeping(OK);
                TestProxy proxy = proxy(Front.H1, upstream, r -> r.responseFilter(watching()))) {
            try (Response response = proxy.get("/1")) {
                assertThat(response.code()).isEqualTo(200);
            }
            proxy.server()
                    .update((ProxyConfig.Builder b) -> b.route(b.build().routes().get(0).toBuilder()
                            .withoutResponseFilter()
                            .build()));
            try (Response response = proxy.get("/2")) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(List.copyOf(seen)).containsExactly("GET /1 200");
        }
    }

    @Test
    void ofRetriedRequestsOnlyTheLastResponseIsSeen() throws Exception {
        try (RawUpstream busy = keeping("HTTP/1.1 503 Service Unavailable¶Content-Length: 4¶¶busy");
                RawUpstream upstream = keeping(OK);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(
                                r -> r.retryOn(503).responseFilter(watching()).forward(busy.uri(), upstream.uri())))) {
            for (int i = 0; i < 2; i++) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(200);
                }
            }
            assertThat(seen).containsExactly("GET / 200", "GET / 200");
        }
    }

    @Test
    void responseThatWasKeptWhileOthersFailedIsHeldAndReplacedToo() throws Exception {
        try (RawUpstream busy = keeping("HTTP/1.1 503 Service Unavailable¶Content-Length: 4¶¶busy");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r ->
                                r.retryOn(503).responseFilter(later()).forward(busy.uri(), "http://127.0.0.1:1")))) {
            CompletableFuture<Integer> got = CompletableFuture.supplyAsync(() -> {
                try (Response response = proxy.get("/")) {
                    return response.code();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            asked().complete(FilterDecision.answer(Answer.of(429)));
            assertThat(got.get(30, TimeUnit.SECONDS)).isEqualTo(429);
            proxy.awaitIdle();
        }
    }

    @Test
    void earlyResponseIsReplacedWithoutWaitingForTheRequestBody() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 413 Content Too Large¶Content-Length: 3¶¶big");
                    c.end();
                });
                TestProxy proxy = proxy(Front.H1, upstream, r -> r.responseFilter(later()));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 100¶¶part");
            asked().complete(FilterDecision.answer(Answer.text(413, "replaced")));
            assertThat(client.readResponse()).startsWith("HTTP/1.1 413 ").endsWith("replaced");
            assertThat(client.end()).isNotNull();
        }
    }
}
