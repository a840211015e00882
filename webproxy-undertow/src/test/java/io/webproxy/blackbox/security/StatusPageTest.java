package io.webproxy.blackbox.security;

import static io.webproxy.undertow.testing.JsonText.list;
import static io.webproxy.undertow.testing.JsonText.member;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyConfigException;
import io.webproxy.ProxyServer;
import io.webproxy.http.Answer;
import io.webproxy.http.StatusPage;
import io.webproxy.port.Endpoint;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.JsonText;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import okhttp3.Credentials;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Who may see the status, and what they see. */
@ExtendWith(LeakCheck.class)
class StatusPageTest {
    private static final Answer HERE = Answer.text(200, "here");
    private static final String HOSTILE = "<script>alert(1)</script>\"'\u2028\u2029\\&";

    private static TestProxy start(Front front, Consumer<ProxyConfig.Builder> more) {
        return TestProxy.start(
                front,
                b -> more.accept(b.route(r -> r.name("here").path("/here").answer(HERE))
                        .route(r -> r.name("page").path("/status").answer(StatusPage.defaults()))));
    }

    private static Map<String, Object> status(TestProxy proxy) throws IOException {
        try (Response response = proxy.get("/status/status.json")) {
            assertThat(response.code()).isEqualTo(200);
            assertThat(response.header("Content-Type")).isEqualTo("application/json");
            return JsonText.object(response.body().string());
        }
    }

    private static int code(Response response) {
        try (response) {
            return response.code();
        }
    }

    private static RawConnection watch(TestProxy proxy) throws IOException {
        return proxy.raw().send("GET /status/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }

    private static Map<String, Object> event(RawConnection raw) throws IOException {
        String line = raw.readLine();
        while (!line.startsWith("data: ")) {
            line = raw.readLine();
        }
        return JsonText.object(line.substring("data: ".length()));
    }

    // --- what it shows ---

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    void showsTheServerOverEachProtocol(Front front) throws Exception {
        try (TestProxy proxy = start(front, b -> {})) {
            assertThat(code(proxy.get("/here"))).isEqualTo(200);
            try (Response page = proxy.get("/status/")) {
                assertThat(page.code()).isEqualTo(200);
                assertThat(page.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
                assertThat(page.header("Cache-Control")).isEqualTo("no-store");
                assertThat(page.header("X-Frame-Options")).isEqualTo("DENY");
                assertThat(page.body().string()).contains("<h1>webproxy</h1>").doesNotContain("src=", "/*script*/");
            }
            Map<String, Object> status = status(proxy);
            assertThat(status.get("version")).isEqualTo(1.0);
            assertThat(status.get("state")).isEqualTo("serving");
            assertThat(list(status, "endpoints").get(0))
                    .containsEntry("padlock", front.isTls())
                    .containsEntry("serves", "routes")
                    .containsEntry("uri", (front.isTls() ? "https" : "http") + "://127.0.0.1:" + proxy.port());
            assertThat(list(status, "routes"))
                    .extracting(route -> route.get("kind"))
                    .containsExactly("answer", "status");
            assertThat(list(status, "certificates")).hasSize(front.isTls() ? 1 : 0);
            // those of the page itself don't count
            await().untilAsserted(() -> assertThat(
                            member(status(proxy), "throughput").get("requests").toString())
                    .contains("1.0")
                    .doesNotContain("2.0"));
            try (Response redirect = proxy.get("/status")) {
                assertThat(redirect.code()).isEqualTo(308);
                assertThat(redirect.header("Location")).isEqualTo("status/");
            }
            assertThat(code(proxy.get("/status/other"))).isEqualTo(404);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H2_TLS"})
    void viewersGetOneSnapshotASecond(Front front) throws Exception {
        try (TestProxy proxy = start(front, b -> {});
                Response viewer = proxy.get("/status/events")) {
            assertThat(viewer.code()).isEqualTo(200);
            assertThat(viewer.header("Content-Type")).isEqualTo("text/event-stream");
            assertThat(viewer.header("Cache-Control")).isEqualTo("no-store");
            for (int i = 0; i < 2; i++) {
                String line = viewer.body().source().readUtf8LineStrict();
                assertThat(line).startsWith("data: ");
                assertThat(viewer.body().source().readUtf8LineStrict()).isEmpty();
                assertThat(JsonText.object(line.substring("data: ".length())))
                        .containsEntry("version", 1.0)
                        .containsEntry("viewers", 1.0);
            }
        }
    }

    @Test
    void endpointOfItsOwnAnswersWithTheStatusAlone() throws Exception {
        try (TestProxy proxy =
                        start(Front.H1, b -> b.http(0, e -> e.name("status").answer(StatusPage.defaults())));
                RawConnection raw = RawConnection.open(port(proxy, "status"))) {
            raw.send("GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assertThat(raw.readAll()).startsWith("HTTP/1.1 200 ").contains("\"serves\":\"status\"");
            try (RawConnection other = RawConnection.open(port(proxy, "status"))) {
                other.send("GET /here HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
                assertThat(other.readAll()).startsWith("HTTP/1.1 404 ");
            }
        }
    }

    private static int port(TestProxy proxy, String endpoint) {
        return proxy.server().endpoints().stream()
                .filter(each -> each.name().equals(endpoint))
                .map(Endpoint::address)
                .findFirst()
                .orElseThrow()
                .getPort();
    }

    @Test
    void showsAFailingUpstreamAndWhy() throws Exception {
        try (RefusedPort refused = RefusedPort.open();
                TestProxy proxy = start(
                        Front.H1,
                        b -> b.forward(UpstreamGroup.of("http://127.0.0.1:" + refused.port())
                                .named("gone")
                                .healthCheck(HealthCheck.path("/secret-check?key=secret-key")
                                        .withInterval(Duration.ofMillis(100))
                                        .withThresholds(1, 1))))) {
            assertThat(code(proxy.get("/secret-path?token=secret-query"))).isIn(502, 503);
            await().untilAsserted(() -> {
                Map<String, Object> status = status(proxy);
                Map<String, Object> group = list(status, "groups").get(0);
                assertThat(group).containsEntry("name", "gone");
                assertThat(list(group, "upstreams").get(0)).containsEntry("state", "down");
                assertThat(list(status, "failures"))
                        .anySatisfy(failure -> assertThat(failure)
                                .containsEntry("leg", "UPSTREAM")
                                .containsEntry("method", "GET"));
                assertThat(list(status, "failures"))
                        .anySatisfy(failure -> assertThat(failure)
                                .containsEntry("error", "UPSTREAM_DOWN")
                                .containsEntry("upstream", refused.uri()));
                assertThat(status.toString()).doesNotContain("secret-");
            });
        }
    }

    @Test
    void upstreamThatNothingWasAskedOfYetIsNotDown() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                TestProxy proxy = start(Front.H1, b -> b.forward(upstream.uri()))) {
            Map<String, Object> group = list(status(proxy), "groups").get(0);
            assertThat(list(group, "upstreams").get(0)).containsEntry("state", "up");
        }
    }

    @Test
    void exchangesInFlightAreCountedByTimeoutClassWithTheirSilence() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        try (RawUpstream upstream =
                        RawUpstream.answeringAfter(asked, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                TestProxy proxy = start(Front.H1, b -> b.forward(upstream.uri()));
                RawConnection client = proxy.raw()) {
            client.send("GET /v1/x HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
            await().untilAsserted(() -> assertThat(list(member(status(proxy), "exchanges"), "classes"))
                    .anySatisfy(each -> {
                        assertThat(each).containsEntry("class", "LONG").containsEntry("running", 1.0);
                        assertThat((Double) each.get("longestSilence")).isGreaterThan(0.1);
                    }));
            asked.countDown();
            assertThat(client.readResponse()).endsWith("ok");
        }
    }

    // --- who may see it ---

    @Test
    void readersFromOtherMachinesAreRefusedByTheConfiguration() {
        StatusPage page = StatusPage.defaults();
        assertThatThrownBy(() -> open().http(9091, e -> e.answer(page)).build())
                .isInstanceOf(ProxyConfigException.class)
                .hasMessage("http 9091: answer: StatusPage[allow=all] (expected: bind(\"127.0.0.1\") on the endpoint,"
                        + " basicAuth(…) on the server, or StatusPage.withAllow(…), because everyone who"
                        + " reaches the port could read it)");
        assertThatThrownBy(() ->
                        open().http(0, e -> e.bind("192.0.2.1").answer(page)).build())
                .hasMessageContaining("answer: StatusPage");
        assertThatThrownBy(
                        () -> open().route(r -> r.path("/status/").answer(page)).build())
                .hasMessage("route /status/: answer: StatusPage[allow=all] (expected: basicAuth(…) or allow(…) on the"
                        + " route, or endpoints bound to 127.0.0.1 alone, because everyone who reaches the server could"
                        + " read it)");
        assertThatThrownBy(() -> open().basicAuth("user", "secret")
                        .route(r -> r.path("/status/").withoutAuthentication().answer(page))
                        .build())
                .hasMessageContaining("answer: StatusPage");
        assertThatThrownBy(() -> open().redirectHttp(0, e -> e.bind("127.0.0.1").answer(page))
                        .https(0)
                        .build())
                .hasMessageContaining("answer: StatusPage[allow=all] (expected: http(port) or https(port))");
    }

    @Test
    void protectedOrLocalPagesAreAccepted() {
        StatusPage page = StatusPage.defaults();
        open().http(0, e -> e.bind("127.0.0.1").answer(page)).build();
        open().http(0, e -> e.bind("::1").answer(page)).build();
        open().http(0, e -> e.bind("localhost").answer(page)).build();
        open().http(0, e -> e.answer(page.withAllow("10.0.0.0/8"))).build();
        open().basicAuth("user", "secret").http(0, e -> e.answer(page)).build();
        open().https(
                        0,
                        e -> e.answer(page)
                                .clientCertificates(ClientCertificates.required(TrustStore.pem(Path.of("ca.pem")))))
                .build();
        open().route(r -> r.path("/s/").allow("10.0.0.0/8").answer(page)).build();
        open().route(r -> r.path("/s/").basicAuth("user", "secret").answer(page))
                .build();
        ProxyServer.builder()
                .bind("127.0.0.1")
                .http(0)
                .route(r -> r.answer(page))
                .build();
    }

    private static ProxyConfig.Builder open() {
        return ProxyServer.builder().http(0).forward("http://127.0.0.1:8080");
    }

    @ParameterizedTest
    @CsvSource({
        "localhost, 200",
        "LOCALHOST:1, 200",
        "127.0.0.1:9091, 200",
        "[::1]:9091, 200",
        "a.localhost, 200",
        "attacker.example, 421",
        "127.0.0.1.attacker.example, 421",
        "localhost.attacker.example:9091, 421",
        "192.0.2.1, 421",
        "127.1, 421"
    })
    void aWebPageCannotReadTheStatusByDnsRebinding(String host, int code) throws Exception {
        try (TestProxy proxy = start(Front.H1, b -> {});
                RawConnection raw = proxy.raw()) {
            for (String path : List.of("/status/", "/status/status.json")) {
                raw.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
                assertThat(raw.readResponse()).startsWith("HTTP/1.1 " + code + " ");
            }
        }
    }

    @Test
    void routeWithAHostIsReachedByThatNameAlone() throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.host("status.example.com").answer(StatusPage.defaults()))
                                .route(r -> r.path("/any/").answer(StatusPage.defaults())));
                RawConnection raw = proxy.raw()) {
            raw.send("GET / HTTP/1.1\r\nHost: status.example.com\r\n\r\n");
            assertThat(raw.readResponse()).startsWith("HTTP/1.1 200 ");
            raw.send("GET /any/ HTTP/1.1\r\nHost: other.example.com\r\n\r\n");
            assertThat(raw.readResponse()).startsWith("HTTP/1.1 421 ");
        }
    }

    @ParameterizedTest
    @CsvSource({"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"})
    void otherMethodsThanGetAndHeadAreRefused(String method) throws Exception {
        try (TestProxy proxy = start(Front.H1, b -> {});
                RawConnection raw = proxy.raw()) {
            raw.send(method + " /status/status.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
            assertThat(raw.readResponse()).startsWith("HTTP/1.1 405 ").contains("Allow: GET, HEAD");
        }
    }

    @Test
    void headIsAnsweredWithoutABodyAndWithoutAStream() throws Exception {
        try (TestProxy proxy = start(Front.H1, b -> {});
                RawConnection raw = proxy.raw()) {
            for (String path : List.of("/status/", "/status/status.json", "/status/events")) {
                raw.send("HEAD " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
                assertThat(raw.readHead()).startsWith("HTTP/1.1 200 ");
            }
        }
    }

    @Test
    void aPageOfAnotherSiteGetsNoDataAndTakesNoPlace() throws Exception {
        try (TestProxy proxy = start(Front.H1, b -> {})) {
            for (String[] fields : List.of(
                    new String[] {"Sec-Fetch-Site", "cross-site"},
                    new String[] {"Sec-Fetch-Site", "same-site"},
                    new String[] {"Origin", "https://attacker.example"},
                    new String[] {"Origin", "null"})) {
                for (String path : List.of("/status/events", "/status/status.json")) {
                    try (Response response = proxy.get(path, fields)) {
                        assertThat(response.code()).isEqualTo(403);
                        assertThat(response.headers().names()).noneMatch(name -> name.startsWith("Access-Control"));
                    }
                }
            }
            String own = "http://localhost:" + proxy.port();
            try (Response response = proxy.get("/status/status.json", "Origin", own, "Sec-Fetch-Site", "same-origin")) {
                assertThat(response.code()).isEqualTo(200);
                assertThat(response.headers().names()).noneMatch(name -> name.startsWith("Access-Control"));
                assertThat(response.body().string()).contains("\"viewers\":0");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"X-Forwarded-For", "Forwarded", "X-Real-IP"})
    void aLocalProxyInFrontDoesNotMakeItPublic(String field) throws Exception {
        try (TestProxy proxy = start(Front.H1, b -> {});
                TestProxy trusting = start(Front.H1, b -> b.trustedProxies("127.0.0.0/8"));
                TestProxy allowing = TestProxy.start(
                        Front.H1,
                        b -> b.trustedProxies("127.0.0.0/8")
                                .route(r -> r.path("/status")
                                        .answer(StatusPage.defaults().withAllow("203.0.113.0/24"))))) {
            String value = field.equals("Forwarded") ? "for=203.0.113.9" : "203.0.113.9";
            assertThat(code(proxy.get("/status/", field, value))).isEqualTo(403);
            assertThat(code(trusting.get("/status/status.json", field, value))).isEqualTo(403);
            if (!field.equals("X-Real-IP")) {
                assertThat(code(allowing.get("/status/", field, value))).isEqualTo(200);
            }
            assertThat(code(allowing.get("/status/"))).isEqualTo(403);
        }
    }

    @Test
    void itsPasswordIsNeededAndNoOtherRouteOpensIt() throws Exception {
        try (TestProxy proxy = start(
                Front.H1_TLS,
                b -> b.basicAuth("user", "secret")
                        .route(r -> r.path("/open").withoutAuthentication().answer(HERE)))) {
            for (String path : List.of("/status/", "/status/status.json", "/status/events", "/open/%2e%2e/status/")) {
                assertThat(code(proxy.get(path))).isIn(401, 400);
            }
            assertThat(code(proxy.get("/status/", "Authorization", Credentials.basic("user", "secret"))))
                    .isEqualTo(200);
        }
    }

    // --- viewers ---

    @Test
    void theSeventeenthViewerIsToldToComeLaterAndAPlaceIsFreeWhenOneLeaves() throws Exception {
        List<RawConnection> viewers = new ArrayList<>();
        try (TestProxy proxy = start(Front.H1, b -> {})) {
            for (int i = 0; i < 16; i++) {
                viewers.add(watch(proxy));
                assertThat(viewers.get(i).readHead()).startsWith("HTTP/1.1 200 ");
            }
            try (Response refused = proxy.get("/status/events")) {
                assertThat(refused.code()).isEqualTo(503);
                assertThat(refused.header("Retry-After")).isEqualTo("10");
            }
            for (RawConnection viewer : viewers) {
                assertThat(event(viewer)).containsEntry("version", 1.0);
            }
            viewers.remove(0).close();
            await().untilAsserted(() -> assertThat(status(proxy)).containsEntry("viewers", 15.0));
            viewers.add(watch(proxy));
            assertThat(viewers.get(15).readHead()).startsWith("HTTP/1.1 200 ");
        } finally {
            for (RawConnection viewer : viewers) {
                viewer.close();
            }
        }
    }

    @Test
    void aViewerThatDoesNotReadIsDroppedAndTheOthersGoOn() throws Exception {
        TestClock clock = new TestClock();
        try (TestProxy proxy = TestProxy.start(
                        Front.H2_TLS, clock, b -> b.route(r -> r.path("/status").answer(StatusPage.defaults())));
                Http2Client stalled = Http2Client.open(proxy);
                RawConnection other = proxy.tls("http/1.1")) {
            // no window for its stream
            stalled.send(Http2Client.SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 0});
            stalled.request(1, "GET", "/status/events", "localhost");
            other.send("GET /status/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertThat(other.readHead()).startsWith("HTTP/1.1 200 ");
            await().until(() -> event(other).get("viewers").equals(2.0));
            clock.passAndLook(Duration.ofSeconds(11));
            await().until(() -> event(other).get("viewers").equals(1.0));
            assertThat(stalled.status(stalled.next(Http2Client.HEADERS))).isEqualTo("200");
            assertThat(stalled.resetOf(1)).isGreaterThanOrEqualTo(0);
        }
    }

    @Test
    void viewersDoNotHoldUpTheEndOfTheServer() throws Exception {
        try (TestProxy proxy = start(Front.H1, b -> b.drainTime(Duration.ofMinutes(10)));
                RawConnection viewer = watch(proxy)) {
            assertThat(viewer.readHead()).startsWith("HTTP/1.1 200 ");
            event(viewer);
            proxy.server().close();
            assertThat(viewer.readAll()).endsWith("0\r\n\r\n");
        }
    }

    @Test
    void viewersOfARemovedPageAreLetGoAndItIsAtItsNewPlace() throws Exception {
        try (TestProxy proxy = start(Front.H1, b -> {});
                RawConnection viewer = watch(proxy)) {
            assertThat(viewer.readHead()).startsWith("HTTP/1.1 200 ");
            proxy.server().update(c -> c.removeRoute("page"));
            while (!viewer.readLine().strip().equals("0")) {
                // until the last chunk
            }
            assertThat(code(proxy.get("/status/"))).isEqualTo(404);
            proxy.server().update(c -> c.route(r -> r.path("/new/").answer(StatusPage.defaults())));
            assertThat(code(proxy.get("/new/status.json"))).isEqualTo(200);
        }
    }

    // --- hostile text ---

    @Test
    void namesThatAreMarkupStayText() throws Exception {
        try (TestProxy proxy = start(
                        Front.H1,
                        b -> b.route(r -> r.name(HOSTILE)
                                .path("/x")
                                .forward(UpstreamGroup.of("http://127.0.0.1:1").named(HOSTILE))));
                RawConnection raw = proxy.raw()) {
            raw.send("BR<script> /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
            raw.readResponse();
            assertThat(code(proxy.get("/x/<script>alert(2)</script>"))).isEqualTo(502);
            try (Response response = proxy.get("/status/status.json")) {
                String json = response.body().string();
                assertThat(json).matches("[ -~]+\n").doesNotContain("<", ">", "'", "alert(2)");
                Map<String, Object> status = JsonText.object(json);
                assertThat(list(status, "routes"))
                        .extracting(route -> route.get("name"))
                        .contains(HOSTILE);
                assertThat(list(status, "groups"))
                        .extracting(group -> group.get("name"))
                        .contains(HOSTILE);
                assertThat(list(status, "failures"))
                        .anySatisfy(failure -> assertThat(failure)
                                .containsEntry("route", HOSTILE)
                                .containsEntry("method", "GET"));
                assertThat(list(status, "failures"))
                        .extracting(failure -> failure.get("method"))
                        .containsOnly("GET", "other");
            }
        }
    }

    @Test
    void policyAllowsTheScriptAndTheStyleOfThePageAlone() throws Exception {
        try (TestProxy proxy = start(Front.H1, b -> {});
                Response page = proxy.get("/status/")) {
            String policy = page.header("Content-Security-Policy");
            assertThat(policy)
                    .startsWith("default-src 'none'; script-src 'sha256-")
                    .contains("frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'")
                    .doesNotContain("unsafe", "http:", "https:", "*");
            String html = page.body().string();
            assertThat(policy).contains(hash(html, "script"), hash(html, "style"));
            assertThat(html).doesNotContain("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "onclick=");
        }
    }

    private static String hash(String html, String element) throws Exception {
        String text = html.substring(
                html.indexOf("<" + element + ">") + element.length() + 2, html.lastIndexOf("</" + element + ">"));
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    }
}
