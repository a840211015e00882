package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import okhttp3.Headers;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Exchanges with an upstream that speaks HTTP/2, from clients of all protocols. */
@ExtendWith(LeakCheck.class)
class Http2UpstreamTest {
    private static final MediaType BYTES = MediaType.get("application/octet-stream");

    static Stream<Arguments> ways() {
        return Stream.of(
                Arguments.of(Front.H1, false),
                Arguments.of(Front.H1, true),
                Arguments.of(Front.H1_TLS_JDK, true),
                Arguments.of(Front.H2_TLS, false),
                Arguments.of(Front.H2_TLS_JDK, true));
    }

    private static TestProxy proxy(Front front, Http2Upstream upstream) {
        return TestProxy.start(front, b -> b.route(r -> r.forward(upstream.upstream())));
    }

    private static final HttpHandler ECHO = Http2UpstreamTest::echo;

    private static void echo(HttpServerExchange exchange) throws Exception {
        byte[] body = exchange.getInputStream().readAllBytes();
        exchange.getResponseHeaders()
                .put(
                        new HttpString("X-Seen"),
                        exchange.getProtocol() + " " + exchange.getRequestMethod() + " "
                                + exchange.getRequestURI() + " "
                                + exchange.getRequestHeaders().getFirst(io.undertow.util.Headers.HOST) + " "
                                + exchange.getRequestHeaders().getFirst(io.undertow.util.Headers.CONTENT_LENGTH));
        exchange.getOutputStream().write(body);
        exchange.getOutputStream().close();
    }

    @ParameterizedTest
    @MethodSource("ways")
    void requestsOfOneClientShareAConnection(Front front, boolean tls) throws Exception {
        try (Http2Upstream upstream = Http2Upstream.start(tls, ECHO);
                TestProxy proxy = proxy(front, upstream)) {
            for (int i = 0; i < 5; i++) {
                try (Response response = proxy.get("/a/b?c=d")) {
                    assertThat(response.code()).isEqualTo(200);
                    assertThat(response.header("X-Seen"))
                            .isEqualTo("HTTP/2.0 GET /a/b localhost:" + proxy.port() + " null");
                    assertThat(response.body().string()).isEmpty();
                }
                ExchangeRecord record = proxy.record();
                assertThat(record.upstreamProtocol()).contains("HTTP/2.0");
                assertThat(record.error()).isEmpty();
            }
            assertThat(upstream.connections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void bodiesGoBothWays(Front front, boolean tls) throws Exception {
        byte[] body = new byte[300_000];
        new Random(1).nextBytes(body);
        try (Http2Upstream upstream = Http2Upstream.start(tls, ECHO);
                TestProxy proxy = proxy(front, upstream)) {
            for (boolean chunked : new boolean[] {false, true}) {
                RequestBody sent = new RequestBody() {
                    @Override
                    public MediaType contentType() {
                        return BYTES;
                    }

                    @Override
                    public long contentLength() {
                        return chunked ? -1 : body.length;
                    }

                    @Override
                    public void writeTo(BufferedSink sink) throws java.io.IOException {
                        sink.write(body);
                    }
                };
                try (Response response = proxy.client()
                        .newCall(new Request.Builder()
                                .url(proxy.url("/up"))
                                .post(sent)
                                .build())
                        .execute()) {
                    assertThat(response.code()).isEqualTo(200);
                    assertThat(response.header("X-Seen")).startsWith("HTTP/2.0 POST /up ");
                    assertThat(response.header("X-Seen")).endsWith(chunked ? " null" : " 300000");
                    assertThat(response.body().bytes()).isEqualTo(body);
                }
                assertThat(proxy.record().bytesIn()).isEqualTo(body.length);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void answersWithoutABodyPass(Front front, boolean tls) throws Exception {
        try (Http2Upstream upstream = Http2Upstream.start(tls, exchange -> {
                    exchange.setStatusCode(
                            Integer.parseInt(exchange.getRequestURI().substring(1)));
                    exchange.endExchange();
                });
                TestProxy proxy = proxy(front, upstream)) {
            for (int status : new int[] {200, 204, 304, 404, 500}) {
                try (Response response = proxy.get("/" + status)) {
                    assertThat(response.code()).isEqualTo(status);
                    assertThat(response.body().string()).isEmpty();
                }
            }
            try (Response response = proxy.client()
                    .newCall(new Request.Builder().url(proxy.url("/200")).head().build())
                    .execute()) {
                assertThat(response.code()).isEqualTo(200);
            }
        }
    }

    @OverEachFront
    void headBodyAndTrailersPassAsTheyCome(Front front) throws Exception {
        CountDownLatch read = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    int stream = peer.next(Http2Client.HEADERS).stream();
                    peer.respond(stream, 0, "103", "link", "</a.css>");
                    peer.respond(stream, 0, "200", "x-own", "yes");
                    peer.send(Http2Client.DATA, 0, stream, "hello".getBytes(StandardCharsets.US_ASCII));
                    read.await(30, TimeUnit.SECONDS);
                    peer.send(
                            Http2Client.HEADERS,
                            Http2Client.END_STREAM | Http2Client.END_HEADERS,
                            stream,
                            Http2Client.fields("x-checksum", "abc", "content-length", "3", "authorization", "no"));
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(front, "h2c://" + upstream.address())) {
            try (Response response = proxy.get("/")) {
                assertThat(response.header("X-Own")).isEqualTo("yes");
                assertThat(response.body().source().readUtf8(5)).isEqualTo("hello");
                read.countDown();
                assertThat(response.body().string()).isEmpty();
                assertThat(response.trailers()).isEqualTo(Headers.of("x-checksum", "abc"));
            }
            assertThat(proxy.record().error()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void trailersOfTheRequestReachTheUpstream(Front front) throws Exception {
        BlockingQueue<List<String>> seen = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    Http2Client.Frame head = peer.next(Http2Client.HEADERS);
                    seen.add(peer.fieldsOf(head));
                    seen.add(peer.fieldsOf(peer.next(Http2Client.HEADERS)));
                    peer.respond(head.stream(), Http2Client.END_STREAM, "200");
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(front, "h2c://" + upstream.address());
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶TE: trailers¶Connection: TE¶Cookie: a=b¶Cookie: c=d¶"
                    + "Transfer-Encoding: chunked¶¶5¶hello¶0¶X-Checksum: abc¶Host: evil¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(seen.poll(30, TimeUnit.SECONDS))
                    .startsWith(":method: POST", ":scheme: http", ":authority: a", ":path: /")
                    .contains("te: trailers", "cookie: a=b", "cookie: c=d")
                    .noneMatch(field -> field.matches("(host|connection|transfer-encoding|content-length): .*"));
            assertThat(seen.poll(30, TimeUnit.SECONDS)).containsExactly("x-checksum: abc");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void requestWithoutAHostHasNoAuthority(Front front) throws Exception {
        BlockingQueue<List<String>> seen = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    Http2Client.Frame head = peer.next(Http2Client.HEADERS);
                    seen.add(peer.fieldsOf(head));
                    peer.respond(head.stream(), Http2Client.END_STREAM, "200");
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(front, "h2c://" + upstream.address());
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.0¶¶");
            assertThat(client.readHead()).contains(" 200 ");
            assertThat(seen.poll(30, TimeUnit.SECONDS))
                    .startsWith(":method: GET", ":scheme: http", ":path: /")
                    .noneMatch(field -> field.startsWith(":authority"));
        }
    }

    @OverBothVersions
    void firstSettingsOfTheUpstreamHoldForTheFirstRequest(Front front) throws Exception {
        int initialWindowSize = 4;
        BlockingQueue<Integer> seen = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw, initialWindowSize, 10);
                    Http2Client.Frame frame = peer.read();
                    while (frame.type() != Http2Client.HEADERS) {
                        if (frame.type() == Http2Client.SETTINGS) {
                            seen.add(frame.flags());
                        }
                        frame = peer.read();
                    }
                    seen.add(peer.next(Http2Client.DATA).payload().length);
                    peer.respond(frame.stream(), Http2Client.END_STREAM, "200");
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(front, "h2c://" + upstream.address())) {
            try (Response response = proxy.client()
                    .newCall(new Request.Builder()
                            .url(proxy.url("/"))
                            .post(RequestBody.create(new byte[5000]))
                            .build())
                    .execute()) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(seen.poll(30, TimeUnit.SECONDS)).isEqualTo(0);
            assertThat(seen.poll(30, TimeUnit.SECONDS)).isEqualTo(Http2Client.ACK);
            assertThat(seen.poll(30, TimeUnit.SECONDS)).isEqualTo(10);
        }
    }
}
