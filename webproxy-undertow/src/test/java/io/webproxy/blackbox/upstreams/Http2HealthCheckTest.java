package io.webproxy.blackbox.upstreams;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.route.HealthCheck;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import mockwebserver3.MockWebServer;
import okhttp3.Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Health checks over HTTP/2, and by the gRPC health protocol. */
@ExtendWith(LeakCheck.class)
class Http2HealthCheckTest {
    private static HealthCheck fast(HealthCheck check) {
        return check.withInterval(Duration.ofMillis(100)).withThresholds(1, 1);
    }

    private static boolean isHealthy(TestProxy proxy, String uri) {
        return proxy.server().status().upstreams().get(uri).healthy();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @ExpectedLog(contains = "fails its health check")
    void checkIsAGetOverHttp2(boolean tls) throws Exception {
        AtomicInteger status = new AtomicInteger(200);
        AtomicInteger asked = new AtomicInteger();
        try (Http2Upstream upstream = Http2Upstream.start(tls, exchange -> {
                    assertThat(exchange.getProtocol().toString()).isEqualTo("HTTP/2.0");
                    asked.incrementAndGet();
                    exchange.setStatusCode(status.get());
                    exchange.getOutputStream().write(new byte[1000]);
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(
                                UpstreamGroup.of(upstream.upstream()).healthCheck(fast(HealthCheck.path("/well"))))))) {
            String uri = upstream.upstream().toString();
            await().until(() -> asked.get() > 2);
            assertThat(isHealthy(proxy, uri)).isTrue();
            status.set(503);
            await().until(() -> !isHealthy(proxy, uri));
            status.set(200);
            await().until(() -> isHealthy(proxy, uri));
        }
    }

    @Test
    @ExpectedLog(contains = "fails its health check")
    void grpcAnswersServingOrIsDown() throws Exception {
        BlockingQueue<Object> seen = new LinkedBlockingQueue<>();
        AtomicReference<String> answer = new AtomicReference<>("00000000020801");
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    Frame head = peer.next(HEADERS);
                    seen.add(peer.fieldsOf(head));
                    seen.add(HexFormat.of().formatHex(peer.next(DATA).payload()));
                    String now = answer.get();
                    if (now.equals("none")) {
                        peer.respond(
                                head.stream(),
                                END_STREAM,
                                "200",
                                "content-type",
                                "application/grpc",
                                "grpc-status",
                                "5");
                    } else if (now.equals("html")) {
                        peer.respond(head.stream(), END_STREAM, "404", "content-type", "text/html");
                    } else {
                        peer.respond(head.stream(), 0, "200", "content-type", "application/grpc");
                        peer.send(DATA, 0, head.stream(), HexFormat.of().parseHex(now));
                        peer.send(
                                HEADERS,
                                END_STREAM | END_HEADERS,
                                head.stream(),
                                Http2Client.fields("grpc-status", "0"));
                    }
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(UpstreamGroup.of("h2c://" + upstream.address())
                                .healthCheck(fast(HealthCheck.grpc("a.B"))))))) {
            String uri = "h2c://" + upstream.address();
            assertThat((List<?>) seen.poll(30, TimeUnit.SECONDS))
                    .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.list(String.class))
                    .contains(
                            ":method: POST",
                            ":path: /grpc.health.v1.Health/Check",
                            "content-type: application/grpc",
                            "te: trailers");
            assertThat(seen.poll(30, TimeUnit.SECONDS)).isEqualTo("00000000050a03612e42");
            for (String bad : List.of("00000000020802", "none", "html")) {
                await().until(() -> isHealthy(proxy, uri));
                answer.set(bad);
                await().until(() -> !isHealthy(proxy, uri));
                answer.set("00000000020801");
            }
            await().until(() -> isHealthy(proxy, uri));
        }
    }

    /** One answers as grpc-go does, the other one as grpc's C core. */
    @ParameterizedTest
    @ValueSource(strings = {"answered", "reset"})
    @ExpectedLog(contains = "(expected: HealthCheck.grpc() for a service of gRPC)")
    void grpcServiceThatIsAskedByGetIsTold(String how) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    int stream = peer.next(HEADERS).stream();
                    if (how.equals("reset")) {
                        peer.send(RST_STREAM, 0, stream, new byte[] {0, 0, 0, 2});
                    } else {
                        peer.respond(stream, END_STREAM, "415", "content-type", "application/grpc", "grpc-status", "3");
                    }
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(UpstreamGroup.of("h2c://" + upstream.address())
                                .healthCheck(fast(HealthCheck.path("/"))))))) {
            await().until(() -> !isHealthy(proxy, "h2c://" + upstream.address()));
        }
    }

    @Test
    @ExpectedLog(contains = "grpc-status 12 (expected: a server with the service grpc.health.v1.Health)")
    void serverWithoutAHealthServiceIsTold() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    peer.respond(
                            peer.next(HEADERS).stream(),
                            END_STREAM,
                            "200",
                            "content-type",
                            "application/grpc",
                            "grpc-status",
                            "12");
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(UpstreamGroup.of("h2c://" + upstream.address())
                                .healthCheck(fast(HealthCheck.grpc())))))) {
            await().until(() -> !isHealthy(proxy, "h2c://" + upstream.address()));
        }
    }

    @Test
    @ExpectedLog(contains = "speaks HTTP/1.1 and not HTTP/2 (expected: http:// for such an upstream, ")
    void upstreamThatSpeaksHttp11SaysWhatToUse() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 400 Bad Request¶Content-Length: 0¶¶");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(UpstreamGroup.of("h2c://" + upstream.address())
                                .healthCheck(fast(HealthCheck.grpc())))))) {
            await().until(() -> !isHealthy(proxy, "h2c://" + upstream.address()));
        }
    }

    @Test
    @ExpectedLog(
            contains = "doesn't speak HTTP/2 (expected: http:// for an upstream of HTTP/1.1, https+h2:// over TLS)")
    void upstreamThatDoesNotSpeakHttp2SaysWhatToUse() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> c.readByte());
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.forward(UpstreamGroup.of("h2c://" + upstream.address())
                                .healthCheck(fast(HealthCheck.grpc())))))) {
            await().until(() -> !isHealthy(proxy, "h2c://" + upstream.address()));
        }
    }

    @Test
    @ExpectedLog(contains = "which carries no gRPC (expected: a service that chooses h2 by ALPN)")
    void grpcCheckOfAnUpstreamThatChoosesHttp11SaysWhatItNeeds() throws Exception {
        try (MockWebServer server = new MockWebServer()) {
            server.useHttps(TestProxy.identity().sslSocketFactory());
            server.setProtocols(List.of(Protocol.HTTP_1_1));
            server.start();
            Upstream upstream = Upstream.of("https+h2://localhost:" + server.getPort())
                    .withTrust(TrustStore.pem(Http2Upstream.rootFile()));
            try (TestProxy proxy = TestProxy.start(
                    Front.H1,
                    b -> b.route(r -> r.forward(UpstreamGroup.of(upstream).healthCheck(fast(HealthCheck.grpc())))))) {
                await().until(() -> !isHealthy(proxy, upstream.toString()));
            }
        }
    }
}
