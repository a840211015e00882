package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Route;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestProxy;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a route changes on a request's way to the upstream and on the answer's way back, and where it sends requests
 * itself.
 */
@ExtendWith(LeakCheck.class)
class RouteRewriteTest {
    private static final String ANSWER = "HTTP/1.1 200 OK¶Content-Length: 2¶Server: secret/1.2¶X-Powered-By: cobol¶"
            + "Set-Cookie: a=1¶Connection: X-Inner¶X-Inner: 1¶¶ok";

    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();

    /** An upstream that keeps the heads it gets. */
    private RawUpstream upstream() throws Exception {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head);
                c.send(ANSWER);
            }
        });
    }

    private String head() throws InterruptedException {
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head;
    }

    private static TestProxy proxy(Front front, RawUpstream upstream, Consumer<Route.Builder> route) {
        return TestProxy.start(front, b -> b.route(r -> route.accept(r.forward(upstream.uri()))));
    }

    private static String status(TestProxy proxy, String host, String path) throws Exception {
        if (proxy.front().isHttp2()) {
            try (Http2Client client = Http2Client.open(proxy)) {
                client.request(1, "GET", path, host);
                return client.answer(1);
            }
        }
        try (RawConnection client = proxy.raw()) {
            client.send("GET " + path + " HTTP/1.1¶Host: " + host + "¶¶");
            return client.readResponse().substring(9, 12);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "H1, /api/v1//x%2Fy/%41;b?q=%20&/, /v1//x%2Fy/%41;b?q=%20&/",
        "H2_TLS, /api/v1//x%2Fy/%41;b?q=%20&/, /v1//x%2Fy/%41;b?q=%20&/",
        "H1, /%61pi/../api/./x/%2e%2e/y, /./x/%2e%2e/y",
        "H2_TLS, /%61pi/../api/./x/%2e%2e/y, /./x/%2e%2e/y",
        "H1, /api/, /",
        "H1, /api/?q, /?q"
    })
    void strippedPrefixLeavesTheRestByteForByteAndIsTold(Front front, String path, String left) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = proxy(front, upstream, r -> r.path("/api/").stripPrefix())) {
            assertThat(status(proxy, "localhost", path)).isEqualTo("200");
            assertThat(head()).startsWith("GET " + left + " HTTP/1.1\r\n").contains("\r\nX-Forwarded-Prefix: /api\r\n");
        }
    }

    @Test
    void clientCannotForgeThePrefixAndATrustedProxyIsExtended() throws Exception {
        String request = "GET /api/x HTTP/1.1¶Host: a¶X-Forwarded-Prefix: /outer/¶¶";
        String plain = request.replace("/api/", "/plain/");
        for (String[] each : new String[][] {
            {"192.0.2.0/24", request, "/api"},
            {"127.0.0.0/8", request, "/outer/api"},
            {"192.0.2.0/24", plain, ""},
            {"127.0.0.0/8", plain, "/outer"}
        }) {
            try (RawUpstream upstream = upstream();
                    TestProxy proxy = TestProxy.start(
                            Front.H1,
                            b -> b.trustedProxies(each[0])
                                    .forward(upstream.uri())
                                    .route(r -> r.path("/api").stripPrefix().forward(upstream.uri())));
                    RawConnection client = proxy.raw()) {
                client.send(each[1]);
                assertThat(client.readResponse()).endsWith("ok");
                String head = head();
                if (each[2].isEmpty()) {
                    assertThat(head).doesNotContain("X-Forwarded-Prefix");
                } else {
                    assertThat(head).containsOnlyOnce("X-Forwarded-Prefix: " + each[2] + "\r\n");
                }
            }
        }
    }

    @OverBothVersions
    void prefixWithoutItsSlashIsRedirectedWithItsQueryAndNothingElseOfTheClient(Front front) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(upstream.uri())
                                .route(r -> r.path("/embedding-model/")
                                        .stripPrefix()
                                        .forward(upstream.uri())))) {
            Request request = new Request.Builder()
                    .url(proxy.url("/embedding-model?a=//evil.example&b"))
                    .post(RequestBody.create(new byte[100_000]))
                    .build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(response.code()).isEqualTo(308);
                assertThat(response.header("Location")).isEqualTo("/embedding-model/?a=//evil.example&b");
            }
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).isEmpty();
            assertThat(record.proxyAnswered()).isTrue();
            assertThat(record.route()).contains("/embedding-model/");
            for (String path : new String[] {"//embedding-model", "/x/../%65mbedding-model"}) {
                Request odd = new Request.Builder().url(proxy.url(path)).build();
                try (Response response = proxy.client().newCall(odd).execute()) {
                    assertThat(response.code()).isEqualTo(308);
                    assertThat(response.header("Location")).isEqualTo("/embedding-model/");
                }
            }
            assertThat(heads).isEmpty();
            assertThat(status(proxy, "localhost", "/embedding-modelX")).isEqualTo("200");
        }
    }

    @OverBothVersions
    void fieldsAreSetAddedAndRemovedInBothDirections(Front front) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = proxy(
                        front,
                        upstream,
                        r -> r.setRequestHeader("X-Set", "ours")
                                .addRequestHeader("x-added", "2")
                                .removeRequestHeader("AUTHORIZATION")
                                .removeRequestHeader("Cookie")
                                .addRequestHeader("Cookie", "only=ours")
                                .removeResponseHeader("server")
                                .setResponseHeader("X-Powered-By", "webproxy")
                                .addResponseHeader("Set-Cookie", "b=2")
                                .setResponseHeader("X-Frame-Options", "DENY"))) {
            Request request = new Request.Builder()
                    .url(proxy.url("/"))
                    .header("X-Set", "1")
                    .addHeader("X-Set", "2")
                    .header("X-Added", "1")
                    .header("Authorization", "Bearer secret")
                    .header("Cookie", "theirs=1")
                    .build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(response.body().string()).isEqualTo("ok");
                assertThat(response.headers("Server")).isEmpty();
                assertThat(response.headers("X-Inner")).isEmpty();
                assertThat(response.headers("X-Powered-By")).containsExactly("webproxy");
                assertThat(response.headers("Set-Cookie")).containsExactly("a=1", "b=2");
                assertThat(response.headers("X-Frame-Options")).containsExactly("DENY");
            }
            assertThat(head().toLowerCase(Locale.ROOT))
                    .containsOnlyOnce("\r\nx-set:")
                    .contains("\r\nx-set: ours\r\n")
                    .contains("\r\nx-added: 1\r\nx-added: 2\r\n")
                    .contains("\r\ncookie: only=ours\r\n")
                    .doesNotContain("authorization", "theirs");
        }
    }

    @Test
    void switchToAWebSocketHasTheRoutesFields() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    heads.add(c.readHead());
                    c.send(WebSocketHandshake.ACCEPTED.replace("¶Upgrade:", "¶Server: secret¶Upgrade:"));
                    c.readByte();
                });
                TestProxy proxy = proxy(
                        Front.H1,
                        upstream,
                        r -> r.path("/ws")
                                .replacePrefix("/inner/ws")
                                .setRequestHeader("X-Key", "k")
                                .removeResponseHeader("Server")
                                .setResponseHeader("X-Of-Route", "1"));
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 101 ")
                    .contains("\r\nX-Of-Route: 1\r\n", "\r\nUpgrade: websocket\r\n", "\r\nSec-WebSocket-Accept: s3p")
                    .doesNotContain("secret");
            assertThat(head())
                    .startsWith("GET /inner/ws HTTP/1.1\r\n")
                    .contains("\r\nX-Key: k\r\n", "\r\nUpgrade: websocket\r\n");
        }
    }

    @OverBothVersions
    void hostIsTheClientsTheUpstreamsOrAFixedOneAndTheClientsIsTold(Front front) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(upstream.uri())
                                .route(r -> r.path("/upstream")
                                        .hostHeaderOfUpstream()
                                        .forward(upstream.uri()))
                                .route(r -> r.path("/fixed")
                                        .hostHeader("inner.example:81")
                                        .forward(upstream.uri())))) {
            for (String[] each : new String[][] {
                {"/", "LocalHost:1"}, {"/upstream", "127.0.0.1:" + upstream.port()}, {"/fixed", "inner.example:81"}
            }) {
                assertThat(status(proxy, "LocalHost:1", each[0])).isEqualTo("200");
                assertThat(head())
                        .containsOnlyOnce("\r\nHost: " + each[1] + "\r\n")
                        .contains("\r\nX-Forwarded-Host: LocalHost:1\r\n", ";host=\"LocalHost:1\";");
            }
        }
    }

    @Test
    void pathIsRewrittenAndTheQueryStays() throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = proxy(Front.H1, upstream, r -> r.rewritePath("^/v1/(.*)|^/bad$|^/up$", "/new/$1"))) {
            assertThat(status(proxy, "a", "/v1/%41?q=/v1/x")).isEqualTo("200");
            assertThat(head()).startsWith("GET /new/%41?q=/v1/x HTTP/1.1\r\n").doesNotContain("X-Forwarded-Prefix");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/../secret", "secret", "/a?b", "/a b"})
    void rewritingThatMakesNoPathIs400AndReachesNoUpstream(String replacement) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = proxy(Front.H1, upstream, r -> r.rewritePath("^/x$", replacement))) {
            assertThat(status(proxy, "a", "/x")).isEqualTo("400");
            assertThat(proxy.record().error()).contains(ForwardError.REQUEST_REJECTED);
            assertThat(upstream.connections()).isZero();
            assertThat(status(proxy, "a", "/y")).isEqualTo("200");
        }
    }

    @Test
    void routeIsChosenByMethodAndField() throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.path("/x")
                                        .matchMethod("POST")
                                        .replacePrefix("/posted")
                                        .forward(upstream.uri()))
                                .route(r -> r.path("/x")
                                        .matchHeader("X-Version", "2")
                                        .replacePrefix("/second")
                                        .forward(upstream.uri()))
                                .route(r -> r.path("/x").forward(upstream.uri())));
                RawConnection client = proxy.raw()) {
            for (String[] each : new String[][] {
                {"POST /x HTTP/1.1¶Host: a¶Content-Length: 0¶¶", "POST /posted ", "/x POST"},
                {"GET /x HTTP/1.1¶Host: a¶x-version: 1¶X-VERSION: 2¶¶", "GET /second ", "/x x-version"},
                {"GET /x HTTP/1.1¶Host: a¶X-Version: 2, 3¶¶", "GET /x ", "/x"}
            }) {
                client.send(each[0]);
                assertThat(client.readResponse()).endsWith("ok");
                assertThat(head()).startsWith(each[1]);
                assertThat(proxy.record().route()).contains(each[2]);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "H1, other.example, /, 404",
        "H1, known.example, /none, 404",
        "H1_TLS, other.example, /, 421",
        "H1_TLS_JDK, other.example, /, 421",
        "H2_TLS, other.example, /, 421",
        "H2_TLS_JDK, other.example, /, 421",
        "H1_TLS, LOCALHOST.:1, /, 404",
        "H2_TLS, localhost, /, 404",
        "H2_TLS, 127.0.0.1:8443, /, 404",
        "H1_TLS, known.example, /x, 200",
        "H1_TLS, Known.Example.:99, /x, 200",
        "H1_TLS, xn--bcher-kva.example, /, 200",
        "H2_TLS, XN--BCHER-KVA.example:1, /, 200",
        "H1, [2001:DB8:0:0:0:0:0:1]:80, /, 200",
        "H2_TLS, [2001:db8::1], /, 200",
        "H1, [2001:db8::2], /, 404"
    })
    void hostWithoutARouteIs404And421WhereTheCertificateIsNotForItEither(
            Front front, String host, String path, String status) throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.host("known.example").path("/x").forward(upstream.uri()))
                                .route(r -> r.host("bücher.example").forward(upstream.uri()))
                                .route(r -> r.host("2001:db8::1").forward(upstream.uri())))) {
            assertThat(status(proxy, host, path)).isEqualTo(status);
            assertThat(proxy.record().error())
                    .isEqualTo(Optional.ofNullable(status.equals("421") ? ForwardError.REQUEST_REJECTED : null));
        }
    }

    @Test
    void requestThatNamesNoHostIsNotMisdirected() throws Exception {
        try (RawUpstream upstream = upstream();
                TestProxy proxy = proxy(Front.H1_TLS, upstream, r -> r.host("known.example"));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.0¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.0 404 ");
        }
    }
}
