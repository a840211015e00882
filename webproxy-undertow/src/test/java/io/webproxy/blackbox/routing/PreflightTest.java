package io.webproxy.blackbox.routing;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.Authenticator;
import io.webproxy.route.Route;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import okhttp3.Credentials;
import okhttp3.Headers;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** CORS preflights pass without a password where a route says so, and nothing else does. */
@ExtendWith(LeakCheck.class)
class PreflightTest {
    private static final Headers PREFLIGHT = Headers.of(
            "Origin", "https://app.example",
            "Access-Control-Request-Method", "PUT",
            "Access-Control-Request-Headers", "authorization");
    private static final String RAW =
            "OPTIONS / HTTP/1.1¶Host: a¶Origin: https://app.example¶" + "Access-Control-Request-Method: PUT¶";

    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    private RawUpstream upstream;

    @BeforeEach
    void start() throws IOException {
        upstream = RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                heads.add(head.toLowerCase(Locale.ROOT));
                c.send("HTTP/1.1 204 No Content¶Access-Control-Allow-Methods: PUT¶¶");
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        upstream.close();
    }

    private TestProxy proxy(Front front, Consumer<Route.Builder> more) {
        return TestProxy.start(
                front, b -> b.basicAuth("user", "secret").route(r -> more.accept(r.forward(upstream.uri()))));
    }

    private static int status(TestProxy proxy, String method, Headers fields) throws IOException {
        RequestBody body = method.equals("POST") || method.equals("PUT") ? RequestBody.create(new byte[0]) : null;
        Request request = new Request.Builder()
                .url(proxy.url("/"))
                .method(method, body)
                .headers(fields)
                .build();
        try (Response response = proxy.client().newCall(request).execute()) {
            return response.code();
        }
    }

    private String head() throws InterruptedException {
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head;
    }

    @OverEachFront
    void preflightPassesWhereTheRouteAllowsIt(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, Route.Builder::allowPreflight)) {
            assertThat(status(proxy, "OPTIONS", PREFLIGHT)).isEqualTo(204);
            assertThat(head()).startsWith("options / ").contains("\r\norigin: https://app.example\r\n");
            assertThat(proxy.record().user()).isEmpty();
            assertThat(status(
                            proxy,
                            "PUT",
                            Headers.of(
                                    "Origin",
                                    "https://app.example",
                                    "Authorization",
                                    Credentials.basic("user", "secret"))))
                    .isEqualTo(204);
        }
    }

    @OverEachFront
    void preflightIsAuthenticatedByDefault(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, r -> {})) {
            assertThat(status(proxy, "OPTIONS", PREFLIGHT)).isEqualTo(401);
        }
        try (TestProxy proxy = proxy(front, r -> r.allowPreflight().withoutPreflight())) {
            assertThat(status(proxy, "OPTIONS", PREFLIGHT)).isEqualTo(401);
        }
        assertThat(heads).isEmpty();
    }

    @OverEachFront
    void requestThatIsNoPreflightPassesByNoneOfItsMarks(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, Route.Builder::allowPreflight)) {
            for (String method :
                    new String[] {"GET", "HEAD", "POST", "PUT", "DELETE", "PROPFIND", "options", "OPTIONSX"}) {
                assertThat(status(proxy, method, PREFLIGHT)).as(method).isEqualTo(401);
            }
            for (Headers fields : new Headers[] {
                Headers.of(),
                Headers.of("Origin", "https://app.example"),
                Headers.of("Access-Control-Request-Method", "PUT"),
                Headers.of("Origin", "https://app.example", "Access-Control-Request-Headers", "a"),
                Headers.of("Origin", "", "Access-Control-Request-Method", "PUT"),
                Headers.of("Origin", "a", "Access-Control-Request-Method", ""),
                Headers.of("Origin", "a", "Access-Control-Request-Method", "PUT, GET"),
                Headers.of("Origin", "a", "Origin", "b", "Access-Control-Request-Method", "PUT"),
                Headers.of("Origin", "a", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Method", "A"),
                Headers.of("X_Origin", "a", "Access_Control_Request_Method", "PUT"),
                PREFLIGHT.newBuilder().add("X-HTTP-Method-Override", "DELETE").build(),
                PREFLIGHT.newBuilder().add("x-http-method", "DELETE").build(),
                PREFLIGHT.newBuilder().add("X-Method-Override", "DELETE").build(),
                // browsers send no credentials with it: guesses would reach the upstream unchecked and unthrottled
                PREFLIGHT
                        .newBuilder()
                        .add("Authorization", Credentials.basic("user", "wrong"))
                        .build(),
                PREFLIGHT.newBuilder().add("Proxy-Authorization", "Basic eA==").build(),
                PREFLIGHT.newBuilder().add("Cookie", "session=1").build()
            }) {
                assertThat(status(proxy, "OPTIONS", fields)).as("%s", fields).isEqualTo(401);
            }
            assertThat(heads).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 5¶¶hello", "Transfer-Encoding: chunked¶¶5¶hello¶0¶¶"})
    void preflightWithABodyIsAuthenticated(String body) throws Exception {
        try (TestProxy proxy = proxy(Front.H1, Route.Builder::allowPreflight);
                RawConnection client = proxy.raw()) {
            client.send(RAW + body);
            assertThat(client.readResponse()).startsWith("HTTP/1.1 401 ");
            assertThat(heads).isEmpty();
        }
        try (TestProxy proxy = proxy(Front.H2_TLS, Route.Builder::allowPreflight);
                Http2Client client = Http2Client.open(proxy)) {
            client.open(
                    1,
                    "OPTIONS",
                    "/",
                    "localhost",
                    "origin",
                    "https://app.example",
                    "access-control-request-method",
                    "PUT");
            client.send(DATA, END_STREAM, 1, new byte[] {1});
            assertThat(client.answer(1)).isEqualTo("401");
            assertThat(heads).isEmpty();
        }
    }

    @Test
    void bodyOfNoBytesIsNone() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, Route.Builder::allowPreflight);
                RawConnection client = proxy.raw()) {
            client.send(RAW + "Content-Length: 0¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 204 ");
            client.send("GET / HTTP/1.1¶Host: a¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 401 ");
        }
    }

    @OverEachFront
    void preflightCarriesNoNameThatMayBeTakenForAnother(Front front) throws Exception {
        try (TestProxy proxy = proxy(front, Route.Builder::allowPreflight)) {
            assertThat(status(
                            proxy,
                            "OPTIONS",
                            PREFLIGHT
                                    .newBuilder()
                                    .add("X_HTTP_Method_Override", "DELETE")
                                    .build()))
                    .isEqualTo(204);
            assertThat(head()).doesNotContain("override");
        }
    }

    @Test
    void asteriskIsNoPreflight() throws Exception {
        try (TestProxy proxy = proxy(Front.H1, Route.Builder::allowPreflight);
                RawConnection client = proxy.raw()) {
            client.send(RAW.replace("OPTIONS /", "OPTIONS *") + "¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 401 ");
        }
    }

    @Test
    void routesAuthenticatorIsSkippedAndItsAddressListHolds() throws Exception {
        Authenticator refusing = request -> CompletableFuture.completedFuture(AuthDecision.denied(403));
        Consumer<ProxyConfig.Builder> routes = b -> b.route(r ->
                        r.path("/own").authenticator(refusing).allowPreflight().forward(upstream.uri()))
                .route(r -> r.path("/listed")
                        .authenticator(refusing)
                        .allowPreflight()
                        .allow("192.0.2.0/24")
                        .forward(upstream.uri()))
                .route(r -> r.path("/other").authenticator(refusing).forward(upstream.uri()));
        try (TestProxy proxy = TestProxy.start(Front.H1, routes);
                RawConnection client = proxy.raw()) {
            for (String[] each : new String[][] {{"/own", "204"}, {"/listed", "403"}, {"/other", "403"}}) {
                client.send(RAW.replace("OPTIONS /", "OPTIONS " + each[0]) + "¶");
                assertThat(client.readResponse()).as(each[0]).startsWith("HTTP/1.1 " + each[1] + " ");
            }
        }
    }
}
