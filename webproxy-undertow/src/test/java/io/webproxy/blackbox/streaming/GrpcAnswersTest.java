package io.webproxy.blackbox.streaming;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.AuthDecision;
import io.webproxy.http.Answer;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.LoggedErrors;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the proxy answers a gRPC call itself, in frames: over TLS, and in cleartext by prior knowledge. */
@ExtendWith(LeakCheck.class)
@ExpectedLog(logger = "io.webproxy.undertow.pipeline.RouteAnswer", contains = "The answer of route")
class GrpcAnswersTest {
    private static void call(Http2Client client, String path, String... more) throws Exception {
        String[] fields = new String[4 + more.length];
        System.arraycopy(new String[] {"content-type", "application/grpc+proto", "te", "trailers"}, 0, fields, 0, 4);
        System.arraycopy(more, 0, fields, 4, more.length);
        client.open(1, "POST", path, "localhost", fields);
    }

    /** The answer to a call whose client hasn't sent a message yet: one head that ends the stream. */
    private static Map<String, String> answer(Http2Client client) throws Exception {
        Http2Client.Frame head = client.read(1);
        assertThat(head.type()).isEqualTo(HEADERS);
        assertThat(head.flags() & END_STREAM).isEqualTo(END_STREAM);
        Map<String, String> fields = client.fields(head);
        assertThat(fields)
                .containsEntry(":status", "200")
                .containsEntry("content-type", "application/grpc")
                .doesNotContainKey("content-length");
        return fields;
    }

    private static Map<String, String> answer(Front front, Consumer<ProxyConfig.Builder> config, String... more)
            throws Exception {
        try (TestProxy proxy = TestProxy.start(front, config);
                Http2Client client = Http2Client.open(proxy)) {
            call(client, "/a.B/C", more);
            Map<String, String> answer = answer(client);
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(200);
            assertThat(record.proxyAnswered()).isTrue();
            assertThat(record.bytesOut()).isZero();
            assertThat(record.grpcStatus()).contains(Integer.valueOf(answer.get("grpc-status")));
            return answer;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS", "H2_TLS_JDK"})
    void deadUpstreamIsUnavailable(Front front) throws Exception {
        try (RefusedPort dead = RefusedPort.open()) {
            assertThat(answer(front, b -> b.forward("http://127.0.0.1:" + dead.port())))
                    .containsEntry("grpc-status", "14")
                    .containsEntry("grpc-message", "The service after this proxy can't be reached.");
        }
    }

    @Test
    void upstreamOfHttp1IsOneClearError() throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        requests.add(head);
                        assertThat(c.readHead()).as("the end of an empty body").startsWith("0");
                        c.send("HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                    }
                });
                LoggedErrors log = new LoggedErrors("io.webproxy.upstream");
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri())) {
            for (int i = 0; i < 3; i++) {
                try (Http2Client client = Http2Client.open(proxy)) {
                    call(client, "/a.B/C");
                    assertThat(answer(client))
                            .containsEntry("grpc-status", "14")
                            .containsEntry(
                                    "grpc-message",
                                    "The service after this proxy can't be reached over HTTP/2, which is needed here.");
                    ExchangeRecord record = proxy.record();
                    assertThat(record.error()).contains(ForwardError.UPSTREAM_PROTOCOL);
                    assertThat(record.grpcStatus()).contains(14);
                    assertThat(record.upstream().orElse("")).endsWith("://" + upstream.address());
                    client.open(3, "POST", "/", "localhost", "content-type", "application/grpc-web+proto");
                    client.send(DATA, END_STREAM, 3, new byte[0]);
                    assertThat(client.answer(3)).isEqualTo("200");
                    proxy.record();
                }
            }
            assertThat(log.warnings())
                    .singleElement()
                    .asString()
                    .startsWith(upstream.uri() + " speaks HTTP/1.1, ")
                    .contains("h2c://");
            assertThat(requests).hasSize(3);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/none, 12, There is no service for this host and path.",
        "/denied, 7, Access from this address is denied.",
        "/login, 16, User and password are needed.",
        "/token, 16, Credentials are needed.",
        "/locked, 8, Access is denied for now.",
        "/moved, 2, This is to be found at another address.",
        "/prefix, 2, This path ends with a slash.",
        "/often, 8, Too many requests: try again later.",
        "/broken, 13, The service failed to handle this request.",
        "/filtered, 7, Forbidden",
        "/down, 14, Service Unavailable",
        "/a%00b, 13, The request target is ambiguous or malformed.",
    })
    void refusalIsSaidInGrpcsWords(String path, int status, String message) throws Exception {
        Consumer<ProxyConfig.Builder> config = b -> b.errorPages(
                        (code, error, request) -> Optional.of(Answer.text(code, "a page for people")))
                .route(r -> r.path("/denied").deny("127.0.0.0/8").answer(Answer.of(200)))
                .route(r -> r.path("/login").basicAuth("a", "b").answer(Answer.of(200)))
                .route(r -> r.path("/token")
                        .authenticator(request -> CompletableFuture.completedFuture(AuthDecision.denied(401)))
                        .answer(Answer.of(200)))
                .route(r -> r.path("/locked")
                        .authenticator(request -> CompletableFuture.completedFuture(AuthDecision.denied(429)))
                        .answer(Answer.of(200)))
                .route(r -> r.path("/moved").redirectTo("https://other.example"))
                .route(r -> r.path("/prefix/").stripPrefix().forward("http://127.0.0.1:9"))
                .route(r -> r.path("/often").rateLimit(1, Duration.ofHours(1)).answer(Answer.of(200)))
                .route(r -> r.path("/broken").answer(request -> null))
                .route(r -> r.path("/filtered")
                        .filter(request -> FilterDecision.answer(Answer.of(403, "text/html", new byte[9])))
                        .answer(Answer.of(200)))
                .route(r -> r.path("/down").answer(Answer.text(503, "later").withHeader("Retry-After", "60")));
        try (TestProxy proxy = TestProxy.start(Front.H2_TLS, config)) {
            if (path.equals("/often")) {
                try (Http2Client first = Http2Client.open(proxy)) {
                    call(first, path);
                    assertThat(first.answer(1)).isEqualTo("200");
                    proxy.record();
                }
            }
            try (Http2Client client = Http2Client.open(proxy)) {
                call(client, path);
                Map<String, String> answer = answer(client);
                assertThat(answer)
                        .containsEntry("grpc-status", Integer.toString(status))
                        .containsEntry("grpc-message", message);
                assertThat(answer.keySet())
                        .filteredOn(name -> name.matches("retry-after|location|www-authenticate"))
                        .as("fields that belong to the status")
                        .hasSize(path.matches("/(login|moved|prefix|often|down)") ? 1 : 0);
                assertThat(proxy.record().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void limitsAreResourcesThatAreExhausted() throws Exception {
        assertThat(answer(
                        Front.H2_TLS,
                        b -> b.tuning(t -> t.withHttp(HttpLimits.defaults().withRequestBodyBytes(10)))
                                .route(r -> r.answer(Answer.of(200))),
                        "content-length",
                        "11"))
                .containsEntry("grpc-status", "8");
        assertThat(answer(
                        Front.H2_TLS,
                        b -> b.tuning(t -> t.withHttp(HttpLimits.defaults().withRequestHeadBytes(1024)))
                                .route(r -> r.answer(Answer.of(200))),
                        "x-large",
                        "x".repeat(1000)))
                .containsEntry("grpc-status", "8");
    }

    /** gRPC needs HTTP/2, and gRPC-Web has other words. */
    @ParameterizedTest
    @ValueSource(strings = {"application/grpc-web+proto", "application/json", "application/grpcx"})
    void otherContentIsAnsweredByHttp(String type) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H2_TLS, b -> b.route(r -> r.path("/a/").answer(Answer.of(200))));
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/b", "localhost", "content-type", type);
            Map<String, String> fields = client.fields(client.next(HEADERS));
            assertThat(fields)
                    .containsEntry(":status", "404")
                    .containsEntry("content-type", "text/plain; charset=utf-8")
                    .doesNotContainKeys("grpc-status", "grpc-message");
            assertThat(proxy.record().status()).isEqualTo(404);
        }
    }

    @Test
    void clientOfHttp1IsAnsweredByHttp() throws Exception {
        try (TestProxy proxy = TestProxy.start(Front.H1, b -> b.route(r -> r.answer(Answer.text(403, "no"))));
                RawConnection client = proxy.raw()) {
            client.send("POST /a.B/C HTTP/1.1¶Host: localhost¶Content-Type: application/grpc¶Content-Length: 0¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 403 ").doesNotContain("grpc-");
            assertThat(proxy.record().grpcStatus()).isEmpty();
        }
    }

    /** The client is silent within its request, which goes on: the answer isn't held back for it. */
    @Test
    void answerEndsTheStreamOfAClientThatGoesOnSending() throws Exception {
        try (TestProxy proxy = TestProxy.start(Front.H2_TLS, b -> b.route(r -> r.answer(Answer.of(404))));
                Http2Client client = Http2Client.open(proxy)) {
            call(client, "/a.B/C");
            assertThat(answer(client)).containsEntry("grpc-status", "12");
            client.send(DATA, 0, 1, new byte[100]);
            client.send(DATA, END_STREAM, 1, new byte[100]);
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("404");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"200m", "200000u", "0n", "1n"})
    void timeoutOfTheClientEndsTheCall(String timeout) throws Exception {
        try (TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.route(r -> r.filter(request -> FilterDecision.later(new CompletableFuture<>()))
                                .answer(Answer.of(200))));
                Http2Client client = Http2Client.open(proxy)) {
            long start = System.nanoTime();
            call(client, "/a.B/C", "grpc-timeout", timeout);
            assertThat(answer(client)).containsEntry("grpc-status", "4");
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isGreaterThanOrEqualTo(timeout.startsWith("2") ? Duration.ofMillis(200) : Duration.ZERO);
            assertThat(proxy.record().error()).contains(ForwardError.TOTAL_TIMEOUT);
        }
    }

    @Test
    void callThatWaitsWhenTheServerEndsIsUnavailable() throws Exception {
        TestProxy proxy = TestProxy.start(
                Front.H2_TLS,
                b -> b.route(r -> r.filter(request -> FilterDecision.later(new CompletableFuture<>()))
                        .answer(Answer.of(200))));
        try (Http2Client client = Http2Client.open(proxy)) {
            call(client, "/a.B/C");
            await().until(() -> proxy.server().status().exchanges() == 1);
            CompletableFuture<Void> closed = CompletableFuture.runAsync(proxy::close);
            // behind the GOAWAY that announces it
            assertThat(client.fields(client.next(HEADERS))).containsEntry("grpc-status", "14");
            closed.join();
        } finally {
            proxy.close();
        }
    }
}
