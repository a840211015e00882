package io.webproxy.blackbox.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.Answer;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.FilterDecision;
import io.webproxy.route.Upstream;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.RefusedPort;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the upstream sees of a request, and what never gets there. */
@ExtendWith(LeakCheck.class)
class RequestForwardTest {
    /** An upstream that keeps the heads it gets, with bodies of up to what Content-Length says. */
    private static RawUpstream recording(BlockingQueue<String> heads) throws Exception {
        return RawUpstream.start(c -> {
            for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                int length = head.toLowerCase(Locale.ROOT).indexOf("content-length: ");
                String body = length < 0
                        ? ""
                        : c.read(Integer.parseInt(head.substring(length + 16, head.indexOf('\r', length))));
                heads.add(head + body);
                c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
            }
        });
    }

    private static String next(BlockingQueue<String> heads) throws InterruptedException {
        String head = heads.poll(30, TimeUnit.SECONDS);
        assertThat(head).isNotNull();
        return head;
    }

    @OverEachFront
    void forwardingFieldsSayWhoTheClientIs(Front front) throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            Request request = new Request.Builder()
                    .url(proxy.url("/a/b;c=1?q=%20&x"))
                    .header("X-Forwarded-For", "6.6.6.6")
                    .header("X-Real-IP", "6.6.6.6")
                    .header("X_Real_IP", "6.6.6.6")
                    .header("Forwarded", "for=6.6.6.6")
                    .header("X-Forwarded-Proto", "gopher")
                    .header("X-Own", "yes")
                    .build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(response.code()).isEqualTo(200);
            }
            String scheme = front.isTls() ? "https" : "http";
            String head = next(heads).toLowerCase(Locale.ROOT);
            assertThat(head)
                    .startsWith("get /a/b;c=1?q=%20&x http/1.1\r\nhost: localhost:" + proxy.port() + "\r\n")
                    .contains("\r\nx-own: yes\r\n")
                    .contains("\r\nx-forwarded-for: 127.0.0.1\r\n")
                    .contains("\r\nx-forwarded-proto: " + scheme + "\r\n")
                    .contains("\r\nx-forwarded-host: localhost:" + proxy.port() + "\r\n")
                    .contains("\r\nx-forwarded-port: " + proxy.port() + "\r\n")
                    .contains("\r\nx-real-ip: 127.0.0.1\r\n")
                    .contains("\r\nforwarded: for=127.0.0.1;host=\"localhost:" + proxy.port() + "\";proto=" + scheme
                            + "\r\n")
                    .doesNotContain("6.6.6.6")
                    .doesNotContain("x-forwarded-server");
        }
    }

    @Test
    void trustedProxyIsExtended() throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(
                        Front.H1, b -> b.forward(upstream.uri()).trustedProxies("127.0.0.0/8", "10.0.0.0/8"));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: a.example¶X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1¶"
                    + "X-Forwarded-Proto: https¶X-Forwarded-Host: outer.example¶X-Forwarded-Port: 443¶"
                    + "Forwarded: for=192.0.2.7¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(next(heads))
                    .contains("X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1, 127.0.0.1\r\n")
                    .contains("X-Forwarded-Proto: https\r\n")
                    .contains("X-Forwarded-Host: outer.example\r\n")
                    .contains("X-Forwarded-Port: 443\r\n")
                    .contains("X-Real-IP: 192.0.2.7\r\n")
                    .contains("Forwarded: for=6.6.6.6, for=192.0.2.7;host=outer.example;proto=https, for=10.1.1.1,"
                            + " for=127.0.0.1;host=a.example;proto=http\r\n");
            assertThat(proxy.record().client().getHostAddress()).isEqualTo("192.0.2.7");
        }
    }

    @OverEachFront
    void trustedProxyMaySendOneFamilyOnly(Front front) throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).trustedProxies("127.0.0.0/8"))) {
            String inner = "localhost:" + proxy.port();
            String own = "for=127.0.0.1;host=\"" + inner + "\";proto=";
            String[][] cases = {
                {"X-Forwarded-Proto", "https", "127.0.0.1", "https", inner, own + "https"},
                {"X-Forwarded-Proto", "http", "127.0.0.1", "http", inner, own + "http"},
                {
                    "Forwarded",
                    "for=\"[2001:db8::7]:9\";host=outer;proto=http",
                    "2001:db8::7, 127.0.0.1",
                    "http",
                    "outer",
                    "for=\"[2001:db8::7]:9\";host=outer;proto=http, " + own + (front.isTls() ? "https" : "http")
                },
            };
            for (String[] each : cases) {
                Request request = new Request.Builder()
                        .url(proxy.url("/"))
                        .header(each[0], each[1])
                        .build();
                try (Response response = proxy.client().newCall(request).execute()) {
                    assertThat(response.code()).isEqualTo(200);
                }
                assertThat(next(heads))
                        .contains("\r\nX-Forwarded-For: " + each[2] + "\r\n")
                        .contains("\r\nX-Forwarded-Proto: " + each[3] + "\r\n")
                        .contains("\r\nX-Forwarded-Host: " + each[4] + "\r\n")
                        .contains("\r\nForwarded: " + each[5] + "\r\n");
                assertThat(proxy.record().scheme()).isEqualTo(each[3]);
            }
        }
    }

    @Test
    void hopByHopFieldsOfTheRequestStayBehind() throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: a¶Connection: keep-alive, X-Auth, X-Forwarded-For¶X-Auth: 1¶"
                    + "Keep-Alive: 5¶Proxy-Authorization: x¶Proxy-Connection: x¶TE: trailers, gzip¶Upgrade: h2c¶"
                    + "HTTP2-Settings: AAMAAABkAAQAAP__¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(next(heads))
                    .doesNotContain("X-Auth", "Keep-Alive", "Proxy-", "gzip", "h2c", "HTTP2-Settings", "Upgrade")
                    .contains("TE: trailers\r\n")
                    .contains("X-Forwarded-For: 127.0.0.1\r\n");
        }
    }

    @OverEachFront
    void bodiesArriveWholeWithAndWithoutLength(Front front) throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        boolean chunked = head.toLowerCase(Locale.ROOT).contains("transfer-encoding: chunked");
                        StringBuilder body = new StringBuilder();
                        if (chunked) {
                            for (int size = size(c.readLine()); size > 0; size = size(c.readLine())) {
                                body.append(c.read(size));
                                c.readLine();
                            }
                            c.readLine();
                        } else {
                            body.append(c.read(5));
                        }
                        heads.add((chunked ? "chunked " : "length ") + body);
                        c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            byte[] hello = {'h', 'e', 'l', 'l', 'o'};
            try (Response response = post(proxy, RequestBody.create(hello))) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(next(heads)).isEqualTo("length hello");
            RequestBody unknown = new RequestBody() {
                @Override
                public okhttp3.MediaType contentType() {
                    return okhttp3.MediaType.get("text/plain");
                }

                @Override
                public void writeTo(okio.BufferedSink sink) throws java.io.IOException {
                    sink.writeUtf8("hello ").flush();
                    sink.writeUtf8("world").flush();
                }
            };
            try (Response response = post(proxy, unknown)) {
                assertThat(response.code()).isEqualTo(200);
            }
            assertThat(next(heads)).isEqualTo("chunked hello world");
            assertThat(upstream.connections()).isEqualTo(1);
            assertThat(proxy.record().bytesIn()).isEqualTo(5);
            assertThat(proxy.record().bytesIn()).isEqualTo(11);
        }
    }

    private static int size(String line) {
        return Integer.parseInt(line.strip(), 16);
    }

    private static Response post(TestProxy proxy, RequestBody body) throws java.io.IOException {
        return proxy.client()
                .newCall(new Request.Builder().url(proxy.url("/")).post(body).build())
                .execute();
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send("POST /1 HTTP/1.1¶Host: a¶Transfer-Encoding: chunked¶¶0¶¶GET /2 HTTP/1.1¶Host: a¶¶"
                    + "POST /3 HTTP/1.1¶Host: a¶Content-Length: 2¶¶xyGET /4 HTTP/1.1¶Host: a¶¶");
            for (int i = 0; i < 4; i++) {
                assertThat(client.readResponse()).startsWith("HTTP/1.1 200").endsWith("ok");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'GET / HTTP/1.1¶Host: a¶Transfer-Encoding: xchunked¶¶', 400",
        "'GET / HTTP/1.1¶Host: a¶Transfer-Encoding: identity¶¶', 400",
        "'GET / HTTP/1.1¶Host: a¶Transfer-Encoding: gzip, chunked¶¶0¶¶', 400",
        "'GET / HTTP/1.0¶Host: a¶Transfer-Encoding: chunked¶¶0¶¶', 400",
        "'POST / HTTP/1.1¶Host: a¶Content-Length: 18446744073709551619¶¶abc', 400",
        "'POST / HTTP/1.1¶Host: a¶Content-Length: 3¶Transfer-Encoding: chunked¶¶0¶¶', 400",
        "'GET / HTTP/1.1¶Host: a b¶¶', 400",
        "'GET / HTTP/1.1¶Host: a@b¶¶', 400",
        "'GET / HTTP/1.1¶Host: a:99999¶¶', 400",
        "'GET / HTTP/1.1¶¶', 400",
        "'GET http://b/ HTTP/1.1¶Host: a¶¶', 400",
        "'GET /%zz HTTP/1.1¶Host: a¶¶', 400",
        "'GET /a%00 HTTP/1.1¶Host: a¶¶', 400",
        "'GET /../x HTTP/1.1¶Host: a¶¶', 400",
        "'GET /pub/..%2fs HTTP/1.1¶Host: a¶¶', 400",
        "'TRACE / HTTP/1.1¶Host: a¶¶', 405",
        "'GET / HTTP/1.1¶Host: a¶Expect: magic¶¶', 417",
        "'GET / HTTP/1.1¶Host: a¶Upgrade: websocket¶Connection: upgrade¶Sec-WebSocket-Version: 8¶¶', 426"
    })
    void ambiguousRequestsNeverReachTheUpstream(String request, int status) throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(request);
            assertThat(client.readResponse()).matches("(?s)HTTP/[0-9.]+ " + status + " .*");
            assertThat(client.end()).isEqualTo("end");
            assertThat(upstream.connections()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\r\nX-Injected: 1", "\n", "\r", "\0"})
    void http2ValueCannotSplitTheUpstreamRequest(String evil) throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                io.webproxy.undertow.testing.Http2Client client =
                        io.webproxy.undertow.testing.Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost", "x-evil", "a" + evil + "b");
            assertThat(client.answer(1)).isIn("400", "reset");
            assertThat(upstream.connections()).isZero();
        }
    }

    @Test
    void http2BodyShorterThanItsLengthPoisonsNothing() throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                io.webproxy.undertow.testing.Http2Client client =
                        io.webproxy.undertow.testing.Http2Client.open(proxy)) {
            client.request(1, "POST", "/", "localhost", "content-length", "5");
            assertThat(client.answer(1)).isIn("400", "reset");
            client.request(3, "GET", "/next", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
            assertThat(next(heads)).startsWith("GET /next ");
        }
    }

    @OverEachFront
    void bodyAboveTheLimitIs413(Front front) throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp(HttpLimits.defaults().withRequestBodyBytes(1000))))) {
            try (Response response = post(proxy, RequestBody.create(new byte[1001]))) {
                assertThat(response.code()).isEqualTo(413);
            }
            assertThat(upstream.connections())
                    .as("by Content-Length, nothing reaches the upstream")
                    .isZero();
            assertThat(proxy.record().error()).contains(ForwardError.REQUEST_REJECTED);
            try (Response response = post(proxy, RequestBody.create(new byte[1000]))) {
                assertThat(response.code()).isEqualTo(200);
            }
        }
    }

    @Test
    void chunkedBodyAboveTheLimitIs413WhenItPassesIt() throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(RawConnection::readAll);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp(HttpLimits.defaults().withRequestBodyBytes(1000))));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶Transfer-Encoding: chunked¶¶");
            client.send("200¶" + "a".repeat(512) + "¶");
            client.send("200¶" + "a".repeat(512) + "¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 413");
            assertThat(heads).isEmpty();
        }
    }

    /** Whether the proxy hears first of the answer, or of a write that fails, is chance. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void refusalOfAnUploadPassesThoughTheUpstreamHasGone(boolean tls) throws Exception {
        Semaphore asked = new Semaphore(0);
        Semaphore go = new Semaphore(0);
        Semaphore gone = new Semaphore(0);
        AtomicReference<RawConnection> upload = new AtomicReference<>();
        try (RawUpstream upstream = RawUpstream.start(tcp -> {
                    RawConnection raw =
                            tls ? tcp.serveTls(TestProxy.identity().sslContext().getSocketFactory(), "http/1.1") : tcp;
                    raw.readHead();
                    asked.release();
                    acquire(go);
                    raw.send("HTTP/1.1 413 Too Large¶Content-Length: 0¶¶");
                    raw.reset();
                    gone.release();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.tuning(t -> t.withIoThreads(1))
                                .route(r -> r.filter(request -> {
                                            if (!request.path().equals("/held")) {
                                                return FilterDecision.proceed();
                                            }
                                            // the thread finds more of the body and the answer at once
                                            send(upload.get(), new byte[20_000]);
                                            go.release();
                                            acquire(gone);
                                            return FilterDecision.answer(Answer.of(204));
                                        })
                                        .forward(
                                                tls
                                                        ? Upstream.of("https://" + upstream.address())
                                                                .withTrust(TrustStore.pem(Http2Upstream.rootFile()))
                                                        : Upstream.of(upstream.uri()))));
                RawConnection other = proxy.raw()) {
            for (int i = 0; i < 8; i++) {
                try (RawConnection client = proxy.raw()) {
                    upload.set(client);
                    client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 100000¶¶begins");
                    acquire(asked);
                    other.send("GET /held HTTP/1.1¶Host: a¶¶");
                    assertThat(other.readHead()).startsWith("HTTP/1.1 204");
                    assertThat(client.readHead()).startsWith("HTTP/1.1 413");
                }
            }
        }
    }

    private static void acquire(Semaphore semaphore) {
        try {
            assertThat(semaphore.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void send(RawConnection to, byte[] bytes) {
        try {
            to.send(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void headAboveTheLimitIs431AndTargetAboveTheLimitIs414() throws Exception {
        try (RawUpstream upstream = recording(new LinkedBlockingQueue<>());
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri())) {
            try (RawConnection client = proxy.raw()) {
                client.send("GET / HTTP/1.1¶Host: a¶X: " + "a".repeat(33_000) + "¶¶");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 431");
            }
            try (RawConnection client = proxy.raw()) {
                client.send("GET /" + "a".repeat(17_000) + " HTTP/1.1¶Host: a¶¶");
                assertThat(client.readResponse()).startsWith("HTTP/1.1 414");
            }
            assertThat(upstream.connections()).isZero();
        }
    }

    @Test
    void routesByHostAndPathStripTheirPrefix() throws Exception {
        BlockingQueue<String> chat = new LinkedBlockingQueue<>();
        BlockingQueue<String> embedding = new LinkedBlockingQueue<>();
        try (RawUpstream first = recording(chat);
                RawUpstream second = recording(embedding);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.route(r -> r.host("*.chat.example.com").forward(first.uri()))
                                .route(r -> r.path("/embedding-model/")
                                        .stripPrefix()
                                        .forward(second.uri())));
                RawConnection client = proxy.raw()) {
            client.send("GET /embedding-model/v1/models?x=1 HTTP/1.1¶Host: other¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(next(embedding)).startsWith("GET /v1/models?x=1 HTTP/1.1");
            client.send("GET /v1 HTTP/1.1¶Host: A.Chat.example.com:80¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(next(chat)).startsWith("GET /v1 HTTP/1.1");
            client.send("GET /pub/../embedding-model/%2e/v1 HTTP/1.1¶Host: other¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            assertThat(next(embedding)).startsWith("GET /%2e/v1 HTTP/1.1");
            client.send("GET /embedding-modelX/ HTTP/1.1¶Host: other¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 404");
        }
    }

    @Test
    void connectFailureMovesToTheNextUpstreamAndEndsIn502() throws Exception {
        BlockingQueue<String> heads = new LinkedBlockingQueue<>();
        try (RefusedPort refused = RefusedPort.open();
                RawUpstream upstream = recording(heads);
                TestProxy proxy = TestProxy.start(Front.H1, b -> b.forward(refused.uri(), upstream.uri()))) {
            for (int i = 0; i < 4; i++) {
                try (Response response = post(proxy, RequestBody.create(new byte[3]))) {
                    assertThat(response.code()).isEqualTo(200);
                }
            }
        }
        try (RefusedPort refused = RefusedPort.open();
                TestProxy proxy = TestProxy.start(Front.H1, refused.uri());
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(502);
            assertThat(proxy.record().error()).contains(ForwardError.CONNECT_REFUSED);
        }
    }
}
