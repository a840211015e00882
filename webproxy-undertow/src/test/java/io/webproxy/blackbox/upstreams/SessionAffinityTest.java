package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.undertow.util.Headers;
import io.webproxy.http.Answer;
import io.webproxy.route.Balancing;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions that stay with their upstream, by a field that it gives or by a cookie of the proxy's. */
@ExtendWith(LeakCheck.class)
class SessionAffinityTest {
    private static final String FIELD = "Mcp-Session-Id";

    /** An upstream that names itself, and gives each client that has none a session. */
    private static final class Sessions implements AutoCloseable {
        private final String name;
        private final AtomicInteger given = new AtomicInteger();
        private final Queue<String> heads = new ConcurrentLinkedQueue<>();
        private final RawUpstream upstream;
        private volatile String status = "200 OK";
        private volatile String more = "";

        Sessions(String name) throws IOException {
            this.name = name;
            this.upstream = RawUpstream.start(this::serve);
        }

        private void serve(RawConnection c) throws Exception {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                if (head.startsWith("GET /health ")) {
                    c.send("HTTP/1.1 " + status + "¶Content-Length: 0¶¶");
                    continue;
                }
                heads.add(head);
                String session = head.startsWith("GET /start ") ? FIELD + ": " + session() + "¶" : "";
                c.send("HTTP/1.1 " + status + "¶" + session + more + "Content-Length: 1¶¶" + name);
            }
        }

        private String session() {
            return name + "-" + given.incrementAndGet();
        }

        String uri() {
            return upstream.uri();
        }

        @Override
        public void close() throws IOException {
            upstream.close();
        }
    }

    private static TestProxy proxy(Front front, UpstreamGroup group) {
        return TestProxy.start(front, p -> p.forward(group));
    }

    private static String body(TestProxy proxy, String path, String... fields) throws IOException {
        try (Response response = proxy.get(path, fields)) {
            return response.body().string();
        }
    }

    // --- by a field ---

    private static UpstreamGroup byField(Sessions... upstreams) {
        return group(upstreams).balancing(Balancing.header(FIELD));
    }

    private static UpstreamGroup group(Sessions... upstreams) {
        String[] uris = new String[upstreams.length];
        for (int i = 0; i < uris.length; i++) {
            uris[i] = upstreams[i].uri();
        }
        return UpstreamGroup.of(uris).named("sessions");
    }

    /** Starts sessions, and gives their ids. */
    private static List<String> started(TestProxy proxy, int count) throws IOException {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            try (Response response = proxy.get("/start")) {
                String id = Objects.requireNonNull(response.header(FIELD));
                assertThat(id).startsWith(response.body().string());
                ids.add(id);
            }
        }
        return ids;
    }

    @OverBothVersions
    void sessionStaysWithTheUpstreamThatHasGivenIt(Front front) throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy proxy = proxy(front, byField(a, b))) {
            List<String> ids = started(proxy, 16);
            assertThat(List.of(a.given.get(), b.given.get())).doesNotContain(0);
            for (int turn = 0; turn < 2; turn++) {
                for (String id : ids) {
                    assertThat(body(proxy, "/", FIELD, id)).as(id).isEqualTo(id.substring(0, 1));
                }
            }
        }
    }

    @Test
    void valueThatNoUpstreamHasGivenGoesWhereItsHashSaysOnEveryProxy() throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy one = proxy(Front.H1, byField(a, b));
                TestProxy other = proxy(Front.H1, byField(b, a))) {
            Set<String> used = new HashSet<>();
            for (int i = 0; i < 64; i++) {
                String by = body(one, "/", FIELD, "unknown-" + i);
                assertThat(body(one, "/", FIELD, "unknown-" + i)).isEqualTo(by);
                assertThat(body(other, "/", FIELD, "unknown-" + i)).isEqualTo(by);
                used.add(by);
            }
            assertThat(used).containsExactlyInAnyOrder("a", "b");
        }
    }

    @Test
    void requestWithoutASessionGoesWhereTheFewestAreInFlight() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (RawUpstream slow = RawUpstream.answeringAfter(release, "HTTP/1.1 200 OK¶Content-Length: 4¶¶slow");
                RawUpstream quick = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 5¶¶quick");
                TestProxy proxy = proxy(
                        Front.H1, UpstreamGroup.of(slow.uri(), quick.uri()).balancing(Balancing.header(FIELD)));
                RawConnection first = proxy.raw();
                RawConnection second = proxy.raw()) {
            first.send("GET / HTTP/1.1¶Host: a¶¶");
            second.send("GET / HTTP/1.1¶Host: a¶" + FIELD + ":¶¶");
            await().until(() -> slow.connections() == 1 && proxy.ended() == 1);
            for (int i = 0; i < 6; i++) {
                assertThat(body(proxy, "/")).isEqualTo("quick");
                int ended = i + 2;
                await().until(() -> proxy.ended() == ended);
            }
            release.countDown();
            await().until(() -> proxy.ended() == 8);
        }
    }

    @Test
    @ExpectedLog(contains = "failed more than")
    void sessionMovesWhileItsUpstreamIsSkipped() throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy proxy = proxy(
                        Front.H1,
                        byField(a, b)
                                .outlierEjection(OutlierEjection.defaults()
                                        .withFailureShare(0.1)
                                        .withLeastRequests(3)
                                        .withWindow(Duration.ofHours(1))
                                        .withTime(Duration.ofHours(1))))) {
            String id = started(proxy, 2).stream()
                    .filter(each -> each.startsWith("a"))
                    .findFirst()
                    .orElseThrow();
            a.status = "500 No";
            assertThat(body(proxy, "/", FIELD, id)).isEqualTo("a");
            assertThat(body(proxy, "/", FIELD, id)).isEqualTo("a");
            assertThat(body(proxy, "/", FIELD, id)).isEqualTo("b");
        }
    }

    @Test
    void updateThatKeepsTheGroupKeepsItsSessions() throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                Sessions c = new Sessions("c");
                TestProxy proxy = TestProxy.start(Front.H1, p -> p.forward(byField(a, b)))) {
            List<String> ids = started(proxy, 12);
            proxy.server().update(p -> p.forward(byField(a, b)));
            for (String id : ids) {
                assertThat(body(proxy, "/", FIELD, id)).as("equal").isEqualTo(id.substring(0, 1));
            }
            proxy.server().update(p -> p.forward(byField(c, a)));
            for (String id : ids) {
                String by = body(proxy, "/", FIELD, id);
                assertThat(by).as("without one of them").isIn(id.startsWith("a") ? Set.of("a") : Set.of("a", "c"));
            }
        }
    }

    @Test
    void hostileValueIsOneThatNoUpstreamHasGiven() throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy proxy = proxy(Front.H1, byField(a, b));
                RawConnection client = proxy.raw()) {
            String id = started(proxy, 1).get(0);
            for (String value : List.of("x".repeat(20_000), "\u00ff\u0080;=\"',", "a-1, b-1", id + " x")) {
                client.send("GET / HTTP/1.1¶Host: a¶" + FIELD + ": " + value + "¶¶");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            }
            for (int i = 0; i < 4; i++) {
                client.send("GET / HTTP/1.1¶Host: a¶" + FIELD + ": " + id + "¶" + FIELD + ": other" + i + "¶¶");
                assertThat(client.readResponse()).as("the first counts").endsWith(id.substring(0, 1));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sessionOfAWebSocketIsLearnedFromIts101(boolean multiplexed) throws Exception {
        List<RawUpstream> all = new ArrayList<>();
        try (RawUpstream a = webSockets("a");
                RawUpstream b = webSockets("b");
                TestProxy proxy = proxy(
                        multiplexed ? Front.H2_TLS : Front.H1,
                        UpstreamGroup.of(a.uri(), b.uri()).balancing(Balancing.header(FIELD)))) {
            all.addAll(List.of(a, b));
            for (int i = 0; i < 8; i++) {
                String id = webSocket(proxy, multiplexed, FIELD.toLowerCase(Locale.ROOT));
                assertThat(body(proxy, "/", FIELD, id)).isEqualTo(id.substring(0, 1));
            }
        }
        assertThat(all).allSatisfy(upstream -> assertThat(upstream.failures()).isEmpty());
    }

    /** Opens a WebSocket, and gives a field of its response. */
    private static String webSocket(TestProxy proxy, boolean multiplexed, String field) throws IOException {
        if (!multiplexed) {
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketHandshake.REQUEST);
                String head = client.readHead();
                assertThat(head).startsWith("HTTP/1.1 101 ");
                return head.lines()
                        .filter(line -> line.regionMatches(true, 0, field + ": ", 0, field.length() + 2))
                        .findFirst()
                        .orElseThrow()
                        .substring(field.length() + 2);
            }
        }
        try (Http2Client client = Http2Client.open(proxy)) {
            client.send(
                    Http2Client.HEADERS,
                    Http2Client.END_HEADERS,
                    1,
                    Http2Client.fields(
                            ":method",
                            "CONNECT",
                            ":protocol",
                            "websocket",
                            ":scheme",
                            "https",
                            ":path",
                            "/ws",
                            ":authority",
                            "localhost",
                            "sec-websocket-version",
                            "13"));
            Http2Client.Frame frame = client.read(1);
            while (frame.type() != Http2Client.HEADERS) {
                frame = client.read(1);
            }
            return Objects.requireNonNull(client.fields(frame).get(field));
        }
    }

    private static RawUpstream webSockets(String name) throws IOException {
        AtomicInteger given = new AtomicInteger();
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                if (head.startsWith("GET /ws ")) {
                    c.send(WebSocketHandshake.answerTo(head, FIELD + ": " + name + "-" + given.incrementAndGet()));
                    c.end();
                    return;
                }
                c.send("HTTP/1.1 200 OK¶Content-Length: 1¶¶" + name);
            }
        });
    }

    // --- by a cookie ---

    private static UpstreamGroup byCookie(Sessions... upstreams) {
        return group(upstreams).balancing(Balancing.cookie("SERVER"));
    }

    private static String cookieOf(Response response) {
        List<String> set = response.headers("Set-Cookie");
        assertThat(set).hasSize(1);
        return set.get(0).substring(0, set.get(0).indexOf(';'));
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H1_TLS", "H2_TLS"})
    void firstResponseSetsTheCookieAndLaterRequestsStay(Front front) throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy proxy = proxy(front, byCookie(a, b))) {
            Map<String, String> cookies = new TreeMap<>();
            for (int i = 0; i < 4; i++) {
                try (Response response = proxy.get("/")) {
                    String cookie = cookieOf(response);
                    assertThat(response.header("Set-Cookie"))
                            .matches("SERVER=[0-9a-f]{16}; Path=/; HttpOnly; SameSite=Lax"
                                    + (front.isTls() ? "; Secure" : ""));
                    cookies.put(response.body().string(), cookie);
                }
            }
            assertThat(cookies).containsOnlyKeys("a", "b");
            assertThat(new HashSet<>(cookies.values())).hasSize(2);
            for (int i = 0; i < 4; i++) {
                for (Map.Entry<String, String> each : cookies.entrySet()) {
                    try (Response response = proxy.get("/", "Cookie", "x=1; " + each.getValue() + "; y=2")) {
                        assertThat(response.body().string()).isEqualTo(each.getKey());
                        assertThat(response.headers("Set-Cookie")).isEmpty();
                    }
                }
            }
        }
    }

    @Test
    void responseFilterLeavesTheProxysCookieAlone() throws Exception {
        try (Sessions a = new Sessions("a");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.responseFilter(
                                        (request, response) -> request.path().equals("/no")
                                                ? FilterDecision.answer(Answer.of(403))
                                                : FilterDecision.proceed()
                                                        .setHeader(
                                                                "X-Seen",
                                                                response.header("Set-Cookie")
                                                                        .orElse("-"))
                                                        .removeHeader("Set-Cookie"))
                                .forward(byCookie(a))))) {
            a.more = "Set-Cookie: own=1¶Set-Cookie: SERVER=forged¶";
            try (Response response = proxy.get("/")) {
                assertThat(cookieOf(response)).matches("SERVER=[0-9a-f]{16}");
                assertThat(response.header("X-Seen")).isEqualTo("own=1");
            }
            try (Response response = proxy.get("/no")) {
                assertThat(response.code()).isEqualTo(403);
                assertThat(response.headers("Set-Cookie")).isEmpty();
            }
        }
    }

    @Test
    void cookieMeansTheSameToEveryProxy() throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy one = proxy(Front.H1, byCookie(a, b));
                TestProxy other = proxy(Front.H1, byCookie(b, a).named("other"));
                Response first = one.get("/")) {
            String by = first.body().string();
            String cookie = cookieOf(first);
            for (int i = 0; i < 4; i++) {
                assertThat(body(other, "/", "Cookie", cookie)).isEqualTo(by);
            }
        }
    }

    @OverBothVersions
    void cookieGoesNoFurtherAndTheOthersPassByteForByte(Front front) throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy proxy = proxy(front, byCookie(a, b));
                Response first = proxy.get("/")) {
            String cookie = cookieOf(first);
            Sessions by = first.body().string().equals("a") ? a : b;
            by.heads.clear();
            body(proxy, "/", "Cookie", "x=\"1, 2\";y==; " + cookie + ";SERVER=z; server=kept;  z");
            body(proxy, "/", "Cookie", cookie);
            assertThat(by.heads).hasSize(2);
            assertThat(Objects.requireNonNull(by.heads.poll()))
                    .contains("\r\nCookie: x=\"1, 2\";y==; server=kept;  z\r\n");
            assertThat(Objects.requireNonNull(by.heads.poll())).doesNotContainIgnoringCase("\r\nCookie:");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void cookieGoesNoFurtherOverHttp2(boolean tls) throws Exception {
        Queue<List<String>> seen = new ConcurrentLinkedQueue<>();
        try (Http2Upstream upstream = Http2Upstream.start(tls, exchange -> {
                    seen.add(List.copyOf(exchange.getRequestHeaders().get(Headers.COOKIE)));
                    exchange.getResponseSender().send("ok");
                });
                TestProxy proxy = proxy(
                        Front.H2_TLS, UpstreamGroup.of(upstream.upstream()).balancing(Balancing.cookie("SERVER")));
                Http2Client client = Http2Client.open(proxy)) {
            client.send(
                    Http2Client.HEADERS,
                    Http2Client.END_HEADERS | Http2Client.END_STREAM,
                    1,
                    Http2Client.block("GET", "/", "localhost", "cookie", "a=1", "cookie", "SERVER=x", "cookie", "b=2"));
            assertThat(client.answer(1)).isEqualTo("200");
            assertThat(seen).hasSize(1);
            assertThat(String.join("; ", Objects.requireNonNull(seen.poll()))).isEqualTo("a=1; b=2");
        }
    }

    @Test
    void hostileCookieIsOneThatNamesNoUpstream() throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy proxy = proxy(Front.H1, byCookie(a, b));
                RawConnection client = proxy.raw();
                Response first = proxy.get("/")) {
            String valid = cookieOf(first).substring("SERVER=".length());
            String by = first.body().string();
            for (String value : List.of(
                    "",
                    "garbage",
                    "\"" + valid + "\"",
                    valid + "0",
                    valid.substring(1),
                    valid.toUpperCase(Locale.ROOT) + "x",
                    "f".repeat(20_000),
                    "\u00ff\u0080 = , \"",
                    "%0d%0aSet-Cookie:%20x=y",
                    "../../etc/passwd")) {
                client.send("GET / HTTP/1.1¶Host: a¶Cookie: SERVER=" + value + "¶¶");
                assertThat(client.readResponse())
                        .as(value)
                        .startsWith("HTTP/1.1 200 ")
                        .containsPattern("\r\nSet-Cookie: SERVER=[0-9a-f]{16}; Path=/; HttpOnly; SameSite=Lax\r\n");
            }
            for (int i = 0; i < 4; i++) {
                client.send("GET / HTTP/1.1¶Host: a¶Cookie: SERVER=x; SERVER=" + valid + "; SERVER=y¶¶");
                assertThat(client.readResponse())
                        .as("twice: the first that names an upstream")
                        .endsWith(by)
                        .doesNotContain("Set-Cookie");
            }
            assertThat(a.heads.stream().anyMatch(head -> head.contains("SERVER")))
                    .isFalse();
            assertThat(b.heads.stream().anyMatch(head -> head.contains("SERVER")))
                    .isFalse();
        }
    }

    @Test
    void requestMovesAndTheCookieIsSetAnewWhenItsUpstreamCannotBeConnectedTo() throws Exception {
        try (Sessions b = new Sessions("b")) {
            Sessions a = new Sessions("a");
            try (TestProxy proxy = proxy(Front.H1, byCookie(a, b))) {
                String cookie = "";
                while (cookie.isEmpty()) {
                    try (Response response = proxy.get("/")) {
                        cookie = response.body().string().equals("a") ? cookieOf(response) : "";
                    }
                }
                a.close();
                String moved;
                try (Response response = proxy.get("/", "Cookie", cookie)) {
                    assertThat(response.body().string()).isEqualTo("b");
                    moved = cookieOf(response);
                    assertThat(moved).isNotEqualTo(cookie);
                }
                try (Response response = proxy.get("/", "Cookie", moved)) {
                    assertThat(response.body().string()).isEqualTo("b");
                    assertThat(response.headers("Set-Cookie")).isEmpty();
                }
                // it would go back to the first one as soon as that can be used again
                try (Response response = proxy.get("/", "Cookie", cookie + "; " + moved)) {
                    assertThat(response.body().string()).isEqualTo("b");
                    assertThat(cookieOf(response)).isEqualTo(moved);
                }
            } finally {
                a.close();
            }
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.upstream", contains = "health check")
    void requestMovesWhenItsUpstreamIsUnhealthyOrGone() throws Exception {
        HealthCheck check =
                HealthCheck.path("/health").withInterval(Duration.ofMillis(100)).withThresholds(1, 1000);
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                Sessions c = new Sessions("c");
                TestProxy proxy = proxy(Front.H1, byCookie(a, b).healthCheck(check));
                Response first = proxy.get("/")) {
            String cookie = cookieOf(first);
            String by = first.body().string();
            Sessions its = by.equals("a") ? a : b;
            its.status = "503 Busy";
            await().until(() -> !Objects.requireNonNull(
                            proxy.server().status().upstreams().get(its.uri()))
                    .healthy());
            String moved;
            try (Response response = proxy.get("/", "Cookie", cookie)) {
                assertThat(response.body().string()).isNotEqualTo(by);
                moved = cookieOf(response);
            }
            proxy.server().update(p -> p.forward(byCookie(c)));
            try (Response response = proxy.get("/", "Cookie", moved)) {
                assertThat(response.body().string()).isEqualTo("c");
                assertThat(cookieOf(response)).isNotEqualTo(moved).isNotEqualTo(cookie);
            }
        }
    }

    /** As HAProxy does by "cookie insert". */
    @Test
    void upstreamDoesNotSetACookieOfThisName() throws Exception {
        try (Sessions a = new Sessions("a");
                TestProxy proxy = proxy(Front.H1, byCookie(a))) {
            a.more = "Set-Cookie: one=1; Path=/¶Set-Cookie: SERVER=own; Path=/¶Set-Cookie: SERVERS=2¶";
            String cookie;
            try (Response response = proxy.get("/")) {
                assertThat(response.headers("Set-Cookie")).hasSize(3).startsWith("one=1; Path=/", "SERVERS=2");
                cookie = response.headers("Set-Cookie").get(2);
                assertThat(cookie).matches("SERVER=[0-9a-f]{16}; .*");
            }
            try (Response response = proxy.get("/", "Cookie", cookie.substring(0, cookie.indexOf(';')))) {
                assertThat(response.headers("Set-Cookie")).containsExactly("one=1; Path=/", "SERVERS=2");
            }
        }
    }

    @Test
    void editsOfTheRouteLeaveTheCookieAlone() throws Exception {
        try (Sessions a = new Sessions("a");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.removeResponseHeader("Set-Cookie")
                                .setRequestHeader("Cookie", "x=1; SERVER=2")
                                .forward(byCookie(a))))) {
            a.more = "Set-Cookie: one=1¶";
            try (Response response = proxy.get("/")) {
                assertThat(cookieOf(response)).startsWith("SERVER=");
            }
            assertThat(Objects.requireNonNull(a.heads.poll())).contains("\r\nCookie: x=1\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void webSocketHasTheCookieInIts101(boolean multiplexed) throws Exception {
        try (RawUpstream a = webSockets("a");
                RawUpstream b = webSockets("b");
                TestProxy proxy = proxy(
                        multiplexed ? Front.H2_TLS : Front.H1,
                        UpstreamGroup.of(a.uri(), b.uri()).balancing(Balancing.cookie("SERVER")))) {
            String cookie = webSocket(proxy, multiplexed, "set-cookie");
            assertThat(cookie)
                    .matches("SERVER=[0-9a-f]{16}; Path=/; HttpOnly; SameSite=Lax" + (multiplexed ? "; Secure" : ""));
            try (Response response = proxy.get("/", "Cookie", cookie.substring(0, cookie.indexOf(';')))) {
                assertThat(response.headers("Set-Cookie")).isEmpty();
            }
        }
    }

    @Test
    void schemeIsThatWhichATrustedProxyTells() throws Exception {
        try (Sessions a = new Sessions("a");
                TestProxy proxy = TestProxy.start(
                        Front.H1, p -> p.trustedProxies("127.0.0.0/8").forward(byCookie(a)));
                Response response = proxy.get("/", "X-Forwarded-Proto", "https")) {
            assertThat(response.header("Set-Cookie")).endsWith("; Secure");
        }
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.upstream", contains = "refuses connections")
    void answerOfTheProxysOwnHasNoCookie() throws Exception {
        Sessions gone = new Sessions("a");
        gone.close();
        try (TestProxy proxy = proxy(Front.H1, byCookie(gone));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(502);
            assertThat(response.headers("Set-Cookie")).isEmpty();
        }
    }

    @Test
    void upstreamThatAFilterHasChosenHasNoSessions() throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.route(r -> r.forward(byCookie(a))
                                .filter(request -> FilterDecision.proceed().withUpstream(Upstream.of(b.uri())))));
                Response response = proxy.get("/", "Cookie", "SERVER=x; y=1")) {
            assertThat(response.body().string()).isEqualTo("b");
            assertThat(response.headers("Set-Cookie")).isEmpty();
            assertThat(Objects.requireNonNull(b.heads.poll())).contains("\r\nCookie: y=1\r\n");
        }
    }

    @Test
    void nothingChangesForOtherGroups() throws Exception {
        try (Sessions a = new Sessions("a");
                Sessions b = new Sessions("b");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        p -> p.forward(a.uri()).route(r -> r.path("/sticky").forward(byCookie(b))));
                RawConnection client = proxy.raw()) {
            a.more = "Set-Cookie: SERVER=own¶";
            client.send("GET / HTTP/1.1¶Host: a¶Cookie: SERVER=x;;  y=\"2\" ;SERVER=z¶¶");
            assertThat(client.readResponse())
                    .contains("\r\nSet-Cookie: SERVER=own\r\n")
                    .containsOnlyOnce("Set-Cookie");
            assertThat(Objects.requireNonNull(a.heads.poll()))
                    .contains("\r\nCookie: SERVER=x;;  y=\"2\" ;SERVER=z\r\n");
        }
    }
}
