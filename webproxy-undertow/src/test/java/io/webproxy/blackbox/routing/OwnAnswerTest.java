package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.Answer;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.LoggedErrors;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the server answers without an upstream, and what it adds to what an upstream answers. */
@ExtendWith(LeakCheck.class)
class OwnAnswerTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";

    private static Response send(TestProxy proxy, String method, String path, String... fields) throws Exception {
        Request.Builder request = new Request.Builder()
                .url(proxy.url(path))
                .method(method, method.equals("POST") ? RequestBody.create(new byte[100_000]) : null);
        for (int i = 0; i < fields.length; i += 2) {
            request.header(fields[i], fields[i + 1]);
        }
        return proxy.client().newCall(request.build()).execute();
    }

    @OverEachFront
    void routeAnswersItself(Front front) throws Exception {
        byte[] page = "<h1>später</h1>".getBytes(StandardCharsets.UTF_8);
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.path("/down")
                                .answer(Answer.of(503, "text/html; charset=utf-8", page)
                                        .withHeader("Retry-After", "60")))
                        .route(r ->
                                r.path("/who").answer(request -> Answer.text(200, request.path() + request.query())))
                        .route(r -> r.path("/none").answer(Answer.of(204)))
                        .route(r -> r.path("/same").answer(Answer.of(304).withHeader("ETag", "\"1\""))))) {
            try (Response response = send(proxy, "GET", "/down/x")) {
                assertThat(response.code()).isEqualTo(503);
                assertThat(response.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
                assertThat(response.header("Retry-After")).isEqualTo("60");
                assertThat(response.body().bytes()).isEqualTo(page);
            }
            ExchangeRecord record = proxy.record();
            assertThat(record.proxyAnswered()).isTrue();
            assertThat(record.error()).isEmpty();
            assertThat(record.upstream()).isEmpty();
            assertThat(record.bytesOut()).isEqualTo(page.length);
            try (Response response = send(proxy, "HEAD", "/down/x")) {
                assertThat(response.code()).isEqualTo(503);
                assertThat(response.header("Content-Length")).isEqualTo(Integer.toString(page.length));
            }
            try (Response response = send(proxy, "GET", "/who/a%2fb?c=%20")) {
                assertThat(response.body().string()).isEqualTo("/who/a%2fbc=%20");
            }
            for (String path : List.of("/none", "/same", "/none", "/same")) {
                try (Response response = send(proxy, "GET", path)) {
                    assertThat(response.code()).isEqualTo(path.equals("/none") ? 204 : 304);
                    assertThat(response.header("Content-Length")).isNull();
                    assertThat(response.header("Transfer-Encoding")).isNull();
                }
            }
            try (Response response = send(proxy, "POST", "/down/x")) {
                assertThat(response.code()).isEqualTo(503);
            }
        }
    }

    /** It answers before the body comes, and doesn't ask for it. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void answerDoesNotWaitForTheBody(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(front, b -> b.route(r -> r.answer(Answer.of(403))));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 1000000¶Expect: 100-continue¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 403 ").contains("Connection: close\r\n");
            assertThat(client.end()).isEqualTo("end");
        }
    }

    @OverBothVersions
    @ExpectedLog(logger = "io.webproxy.undertow.pipeline.RouteAnswer", contains = "The answer of route broken failed")
    void defectOfAnAnswerIsA500(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.name("broken").answer(request -> {
                    if (request.path().equals("/null")) {
                        return null;
                    }
                    throw new IllegalStateException("defect");
                })))) {
            for (String path : List.of("/", "/null")) {
                try (Response response = send(proxy, "GET", path)) {
                    assertThat(response.code()).isEqualTo(500);
                    assertThat(response.body().string()).doesNotContain("defect");
                }
                assertThat(proxy.record().error()).contains(ForwardError.APPLICATION_FAILED);
            }
        }
    }

    @OverEachFront
    void routeRedirectsToTheSamePathAndQuery(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.redirectTo("https://new.example:8443/base/"))
                        .route(r -> r.path("/x/").redirectTo("https://x.example")))) {
            for (String[] pair : new String[][] {
                {"/a%2f%41/b;c?d=%20&e", "https://new.example:8443/base/a%2f%41/b;c?d=%20&e"},
                {"/", "https://new.example:8443/base/"},
                {"/x/..%41", "https://x.example/x/..%41"},
                {"/x/@evil.example", "https://x.example/x/@evil.example"},
            }) {
                for (String method : List.of("GET", "HEAD", "POST")) {
                    try (Response response = send(proxy, method, pair[0])) {
                        assertThat(response.code()).isEqualTo(308);
                        assertThat(response.header("Location")).isEqualTo(pair[1]);
                    }
                }
            }
        }
    }

    private static String locationOf(TestProxy proxy, String target, String host) throws Exception {
        try (RawConnection client = proxy.raw()) {
            client.send((target.contains(" ") ? target : "GET " + target) + " HTTP/1.1¶Host: " + host
                    + "¶Connection: close¶¶");
            String head = client.readHead();
            int at = head.indexOf("Location: ");
            return head.substring(9, 12) + (at < 0 ? "" : " " + head.substring(at + 10, head.indexOf('\r', at)));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "//evil.example/, 308 https://own.example//evil.example/",
        "///evil.example, 308 https://own.example///evil.example",
        "/\\evil.example, 400",
        "/%5Cevil.example, 308 https://own.example/%5Cevil.example",
        "/..%5Cevil.example, 400",
        "/%0d%0aX:y, 308 https://own.example/%0d%0aX:y",
        "/.evil.example, 308 https://own.example/.evil.example",
        "/@evil.example, 308 https://own.example/@evil.example",
        "http://a.example, 308 https://own.example/",
        "http://a.example/b?c, 308 https://own.example/b?c",
        "OPTIONS *, 308 https://own.example/",
    })
    void redirectIsNeverOpen(String target, String answer) throws Exception {
        try (TestProxy proxy = TestProxy.start(Front.H1, b -> b.route(r -> r.redirectTo("https://own.example")))) {
            assertThat(locationOf(proxy, target, "a.example")).isEqualTo(answer);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "www.example.com, /a%2f?b=c, 308 P://example.com/a%2f?b=c",
        "WWW.Example.COM., //evil.example/, 308 P://example.com//evil.example/",
        "www.example.com:8443, /, 308 P://example.com:8443/",
        "example.com, /, 200",
        "example.com:99, /, 200",
        "sub.www.example.com, /, 200",
        "www.example.com, OPTIONS *, 308 P://example.com/",
    })
    void aliasIsSentToTheCanonicalHost(String host, String target, String answer) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK)) {
            for (Front front : List.of(Front.H1, Front.H1_TLS)) {
                try (TestProxy proxy = TestProxy.start(
                        front, b -> b.forward(upstream.uri()).canonicalHost("Example.com", "www.example.com"))) {
                    assertThat(locationOf(proxy, target, host))
                            .isEqualTo(answer.replace("P:", front.isTls() ? "https:" : "http:"));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.0/8, X-Forwarded-Proto: https, https",
        "127.0.0.0/8, X-Forwarded-Proto: wss, https",
        "127.0.0.0/8, Forwarded: proto=https, https",
        "127.0.0.0/8, Forwarded: for=192.0.2.7;proto=https, https",
        "192.0.2.0/24, X-Forwarded-Proto: https, http",
        "192.0.2.0/24, Forwarded: proto=https, http"
    })
    void schemeThatATlsTerminatorTellsIsTheRequests(String trusted, String told, String scheme) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.https(0)
                                .certificates(TestProxy.certificates())
                                .hsts(Duration.ofDays(1))
                                .route(r -> r.answer(request -> Answer.text(200, request.scheme())))
                                .trustedProxies(trusted));
                RawConnection client = proxy.raw()) {
            String answer = client.send("GET / HTTP/1.1¶Host: a¶" + told + "¶¶").readResponse();
            assertThat(answer).endsWith("\r\n\r\n" + scheme);
            assertThat(answer.contains("Strict-Transport-Security: ")).isEqualTo(scheme.equals("https"));
            assertThat(proxy.record().scheme()).isEqualTo(scheme);
        }
    }

    @Test
    void cleartextClientOfATlsTerminatorIsNotToldOfHttps() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H1_TLS,
                        b -> b.hsts(Duration.ofDays(1))
                                .route(r -> r.answer(request -> Answer.text(200, request.scheme())))
                                .trustedProxies("127.0.0.0/8"));
                RawConnection client = proxy.raw()) {
            String request = "GET / HTTP/1.1¶Host: localhost¶";
            assertThat(client.send(request + "X-Forwarded-Proto: http¶¶").readResponse())
                    .endsWith("\r\n\r\nhttp")
                    .doesNotContain("Strict-Transport");
            assertThat(client.send(request + "¶").readResponse())
                    .endsWith("\r\n\r\nhttps")
                    .contains("Strict-Transport");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.0/8, X-Forwarded-Proto: https, https",
        "127.0.0.0/8, Forwarded: proto=https, https",
        "192.0.2.0/24, X-Forwarded-Proto: https, http"
    })
    void aliasBehindATlsTerminatorStaysHttpsOnlyByItsWord(String trusted, String told, String scheme) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .canonicalHost("example.com", "www.example.com")
                                .trustedProxies(trusted));
                RawConnection client = proxy.raw()) {
            client.send("GET /a HTTP/1.1¶Host: www.example.com¶" + told + "¶¶");
            assertThat(client.readResponse()).contains("\nLocation: " + scheme + "://example.com/a");
        }
    }

    /** A query in which a control character or a space came over HTTP/2 makes no field of a response. */
    @Test
    void http2QueryCannotSplitALocation() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.route(r -> r.redirectTo("https://own.example"))
                                .canonicalHost("b.example", "a.example"));
                Http2Client client = Http2Client.open(proxy)) {
            int stream = 1;
            for (String path : List.of("/?a\r\nX: y", "/?a b", "/?a\u007f")) {
                for (String host : List.of("a.example", "localhost")) {
                    client.request(stream, "GET", path, host);
                    assertThat(client.answer(stream)).as(path).isIn("400", "reset");
                    stream += 2;
                }
            }
            for (String path : List.of("/?a", "/?a\u00e9")) {
                client.request(stream, "GET", path, "a.example");
                assertThat(client.answer(stream)).isEqualTo("308");
                stream += 2;
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET /a%2f?b=c, a.example, 301 https://a.example:P/a%2f?b=c",
        "POST /a, a.example:80, 308 https://a.example:P/a",
        "HEAD //evil.example, A.example., 301 https://a.example:P//evil.example",
        "GET /, [::1], 301 https://[::1]:P/",
        "GET /, [2001:DB8::1]:8080, 301 https://[2001:db8::1]:P/",
        "GET /, [::1, 400",
        "GET /, a@evil.example, 400",
        "GET /, a.example/x, 400",
        "OPTIONS *, a.example, 308 https://a.example:P/",
    })
    void clearIsRedirectedToHttps(String target, String host, String answer) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                Front.H1_TLS,
                b -> b.route(r -> r.answer(Answer.of(200))).redirectHttp(0).hsts(Duration.ofDays(1)))) {
            String expected = answer.replace(":P", ":" + proxy.port());
            for (int i = 0; i < 2; i++) {
                try (RawConnection client = RawConnection.open(
                        proxy.server().endpoints().get(i).address().getPort())) {
                    client.send(target + " HTTP/1.1¶Host: " + host + "¶¶");
                    String head = client.readHead();
                    int at = head.indexOf("Location: ");
                    assertThat(head.substring(9, 12)
                                    + (at < 0 ? "" : " " + head.substring(at + 10, head.indexOf('\r', at))))
                            .isEqualTo(expected);
                    assertThat(head)
                            .as("never said in clear, RFC 6797 section 7.2")
                            .doesNotContain("Strict-Transport");
                }
            }
        }
    }

    @OverEachFront
    void httpsOnlyIsSaidOnceOnEveryResponseOverTls(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        if (head.contains("Upgrade: websocket")) {
                            c.send(WebSocketHandshake.ACCEPTED.replace(
                                    "HTTP/1.1 101 Switching Protocols¶",
                                    "HTTP/1.1 101 Switching Protocols¶Strict-Transport-Security: max-age=0¶"));
                            c.end();
                        }
                        c.send("HTTP/1.1 200 OK¶Strict-Transport-Security: max-age=0¶strict-transport-security: x¶"
                                + "Content-Length: 2¶¶ok");
                    }
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> (front.isTls() ? b : b.https(0).certificates(new HeldProvider(TestProxy.material())))
                                .hstsWithSubDomains(Duration.ofDays(365))
                                .forward(upstream.uri())
                                .route(r -> r.path("/own").answer(Answer.of(200)))
                                .route(r -> r.path("/to").redirectTo("https://b.example"))
                                .route(r -> r.path("/gone").forward("http://127.0.0.1:1"))
                                .route(r ->
                                        r.path("/denied").basicAuth("u", "p").forward(upstream.uri())))) {
            for (String path : List.of("/", "/own", "/to", "/gone", "/denied", "/%00")) {
                try (Response response = send(proxy, "GET", path)) {
                    assertThat(response.headers("Strict-Transport-Security"))
                            .as(path + response.code())
                            .isEqualTo(front.isTls() ? List.of("max-age=31536000; includeSubDomains") : List.of());
                }
            }
            if (front.isTls() && !front.isHttp2()) {
                try (RawConnection client = proxy.raw()) {
                    client.send(WebSocketHandshake.REQUEST);
                    assertThat(client.readHead())
                            .startsWith("HTTP/1.1 101 ")
                            .containsOnlyOnce("Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n")
                            .doesNotContain("max-age=0");
                }
            }
        }
    }

    @OverEachFront
    void operatorsPageStandsInPlaceOfTheProxysOwn(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.errorPages((status, error, request) -> request.path().equals("/plain")
                                ? Optional.empty()
                                : Optional.of(Answer.of(
                                                200,
                                                "text/html",
                                                (status + " "
                                                                + error.map(Enum::name)
                                                                        .orElse("none") + " " + request.requestId())
                                                        .getBytes(StandardCharsets.UTF_8))
                                        .withHeader("X-Page", request.path())
                                        .withHeader("WWW-Authenticate", "Forged")))
                        .route(r -> r.path("/gone").forward("http://127.0.0.1:1"))
                        .route(r -> r.path("/own").answer(Answer.text(404, "mine")))
                        .route(r -> r.path("/denied").basicAuth("u", "p").answer(Answer.of(200))))) {
            for (String[] one : new String[][] {
                {"/nowhere", "404", "none"},
                {"/gone", "502", "CONNECT_REFUSED"},
                {"/denied", "401", "none"},
                {"/%00", "400", "REQUEST_REJECTED"},
            }) {
                for (String method : List.of("GET", "HEAD")) {
                    try (Response response = send(proxy, method, one[0], "Accept", "application/json")) {
                        assertThat(response.code()).as(one[0]).isEqualTo(Integer.parseInt(one[1]));
                        assertThat(response.header("Content-Type")).isEqualTo("text/html");
                        assertThat(response.header("X-Page")).isNotNull();
                        String id = proxy.record().requestId();
                        assertThat(id).hasSize(32);
                        assertThat(response.body().string())
                                .isEqualTo(method.equals("GET") ? one[1] + " " + one[2] + " " + id : "");
                        if (one[0].equals("/denied")) {
                            assertThat(response.headers("WWW-Authenticate"))
                                    .as("belongs to the status")
                                    .singleElement()
                                    .asString()
                                    .startsWith("Basic ");
                        }
                    }
                }
            }
            try (Response response = send(proxy, "GET", "/own")) {
                assertThat(response.body().string()).isEqualTo("mine");
            }
            try (Response response = send(proxy, "GET", "/plain")) {
                assertThat(response.body().string()).startsWith("404 Not Found: ");
            }
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.undertow.exchange.GuardedPages", contains = "The error pages failed")
    void defectOfAPageIsLoggedOnceAndTheProxysOwnIsSent() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (LoggedErrors errors = new LoggedErrors("io.webproxy.undertow.exchange.GuardedPages");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.path("/a").answer(Answer.of(200))).errorPages((status, error, request) -> {
                            if (asked.incrementAndGet() == 1) {
                                return null;
                            }
                            throw new IllegalStateException("defect");
                        }))) {
            for (int i = 0; i < 3; i++) {
                try (Response response = send(proxy, "GET", "/")) {
                    assertThat(response.code()).isEqualTo(404);
                    assertThat(response.body().string()).startsWith("404 Not Found: ");
                }
            }
            assertThat(asked).hasValue(3);
            assertThat(errors.count()).isEqualTo(1);
        }
    }

    @OverEachFront
    void everyAnswerHasADateAnd405SaysWhatIsAllowed(Front front) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                front,
                b -> b.route(r -> r.path("/own").answer(request -> Answer.text(200, "x")))
                        .route(r -> r.path("/dated")
                                .answer(request -> Answer.text(200, "x").withHeader("Date", "yesterday")))
                        .route(r -> r.path("/locked").basicAuth("a", "b").forward("http://127.0.0.1:1")))) {
            for (String path : List.of("/own", "/locked", "/nothing")) {
                try (Response response = send(proxy, "GET", path)) {
                    assertThat(response.headers("Date")).hasSize(1);
                    assertThat(response.headers().getDate("Date").toInstant())
                            .isBetween(Instant.now().minusSeconds(60), Instant.now());
                }
            }
            try (Response response = send(proxy, "GET", "/dated")) {
                assertThat(response.headers("Date")).containsExactly("yesterday");
            }
            try (Response response = send(proxy, "TRACE", "/own")) {
                assertThat(response.code()).isEqualTo(405);
                assertThat(response.header("Allow")).isEqualTo("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
                assertThat(response.headers("Date")).hasSize(1);
            }
        }
    }

    /** RFC 9110 section 7.6.2. */
    @OverEachFront
    void maxForwardsIsCountedDown(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        String left = head.lines()
                                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("max-forwards: "))
                                .map(line -> line.substring(14))
                                .findAny()
                                .orElse("none");
                        c.send("HTTP/1.1 200 OK¶Content-Length: " + left.length() + "¶¶" + left);
                    }
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(upstream.uri())
                                .route(r ->
                                        r.path("/locked").basicAuth("a", "b").forward(upstream.uri())))) {
            for (String[] counted : new String[][] {
                {"OPTIONS", "5", "4"},
                {"OPTIONS", "1", "0"},
                {"GET", "0", "0"},
                {"OPTIONS", "9".repeat(30), "999999998"}
            }) {
                try (Response response = send(proxy, counted[0], "/x", "Max-Forwards", counted[1])) {
                    assertThat(response.body().string()).isEqualTo(counted[2]);
                }
            }
            try (Response response = send(proxy, "OPTIONS", "/x", "Max-Forwards", "0")) {
                assertThat(response.code()).isEqualTo(204);
                assertThat(response.header("Allow")).contains("OPTIONS");
            }
            try (Response response = send(proxy, "OPTIONS", "/x", "Max-Forwards", "-1")) {
                assertThat(response.code()).isEqualTo(400);
            }
            try (Response response = send(proxy, "OPTIONS", "/locked", "Max-Forwards", "0")) {
                assertThat(response.code()).isEqualTo(401);
            }
        }
    }
}
