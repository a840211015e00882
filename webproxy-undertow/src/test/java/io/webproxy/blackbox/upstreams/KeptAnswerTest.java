package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ForwardError;
import io.webproxy.route.Balancing;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import io.webproxy.undertow.testing.UpstreamKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens to an answer while another upstream is tried. */
@ExtendWith(LeakCheck.class)
class KeptAnswerTest {
    private static final String ATTEMPT = "X-Webproxy-Attempt";
    private static final String OTHER = "HTTP/1.1 429 Busy¶Retry-After: 60¶Content-Length: 5¶¶other";

    private static TestProxy proxy(UpstreamKind kind, Upstream... upstreams) {
        return TestProxy.start(
                Front.H1,
                p -> p.jdkTls(kind.provider() == TlsProvider.JDK)
                        .route(r -> r.forward(UpstreamGroup.of(upstreams).balancing(Balancing.failover()))
                                .retryOn(429))
                        .retries(1, 1000));
    }

    /** A 429 whose head and first part come before the second upstream is asked, and the rest after that. */
    private static final class Busy {
        private final CountDownLatch asked = new CountDownLatch(1);
        private final CountDownLatch over = new CountDownLatch(1);
        private final UpstreamKind kind;
        private volatile BooleanSupplier noticed = () -> true;

        Busy(UpstreamKind kind) {
            this.kind = kind;
        }

        private RawUpstream http1(String framing, String first, String rest, boolean reset) throws IOException {
            return kind.start(c -> {
                c.readHead();
                c.send("HTTP/1.1 429 Busy¶Retry-After: 1¶" + framing + "¶¶" + first);
                asked.await(30, TimeUnit.SECONDS);
                c.send(rest);
                end(c, reset);
            });
        }

        private void end(RawConnection connection, boolean reset) throws IOException {
            if (reset) {
                connection.reset();
            } else {
                connection.shutdownOutput();
            }
            over.countDown();
        }

        RawUpstream start(String framing, String first, String rest, boolean reset) throws IOException {
            if (!kind.isHttp2()) {
                return http1(framing, first, rest, reset);
            }
            return kind.start(c -> {
                try (Http2Client h2 = Http2Client.serve(c)) {
                    int stream = h2.next(Http2Client.HEADERS).stream();
                    h2.respond(stream, 0, "429", "retry-after", "1");
                    h2.send(Http2Client.DATA, 0, stream, first.getBytes(StandardCharsets.ISO_8859_1));
                    asked.await(30, TimeUnit.SECONDS);
                    switch (framing) {
                        case "whole" ->
                            h2.send(
                                    Http2Client.DATA,
                                    Http2Client.END_STREAM,
                                    stream,
                                    rest.getBytes(StandardCharsets.ISO_8859_1));
                        case "reset" -> h2.send(Http2Client.RST_STREAM, 0, stream, new byte[] {0, 0, 0, 2});
                        case "goaway" -> h2.send(Http2Client.GOAWAY, 0, 0, new byte[8]);
                        default -> {}
                    }
                    // its answer says that what came before was read
                    h2.send(Http2Client.PING, 0, 0, new byte[8]);
                    if (!framing.equals("goaway")) {
                        h2.next(Http2Client.PING);
                    }
                    end(c, reset);
                }
            });
        }

        /** The proxy reads what comes over HTTP/2 at once: waits until it has found the connection closed. */
        void awaitClosed(TestProxy proxy, RawUpstream self) {
            noticed = () -> proxy.server().status().upstreams().entrySet().stream()
                    .noneMatch(pool -> pool.getKey().endsWith(":" + self.port())
                            && pool.getValue().open() > 0);
        }

        /** The second upstream, which answers when the first answer has ended. */
        RawUpstream other(String answer) throws IOException {
            return RawUpstream.start(c -> {
                c.readHead();
                asked.countDown();
                over.await(30, TimeUnit.SECONDS);
                await().until(noticed::getAsBoolean);
                c.send(answer);
            });
        }
    }

    /** The status, the attempt and the body; {@code cut} for one that breaks off. */
    private static String get(TestProxy proxy) throws IOException {
        try (Response response = proxy.get("/")) {
            String head = response.code() + " " + response.header(ATTEMPT) + " ";
            try {
                return head + response.body().string();
            } catch (IOException e) {
                return head + "cut";
            }
        }
    }

    private static Stream<Arguments> broken() {
        Stream<Arguments> http1 = Stream.of(UpstreamKind.H1, UpstreamKind.H1_TLS, UpstreamKind.H1_TLS_JDK)
                .flatMap(kind -> Stream.of(
                        Arguments.of(kind, "Content-Length: 10", "01234", "", false),
                        Arguments.of(kind, "Content-Length: 10", "", "01234", true),
                        Arguments.of(kind, "Transfer-Encoding: chunked", "5¶01", "234¶", false),
                        Arguments.of(kind, "Transfer-Encoding: chunked", "", "", true),
                        Arguments.of(kind, "Transfer-Encoding: chunked", "5¶01234", "x¶0¶¶", false),
                        Arguments.of(kind, "X-Until: closed", "01234", "", true)));
        Stream<Arguments> http2 = Stream.of(UpstreamKind.H2C, UpstreamKind.H2_TLS, UpstreamKind.H2_TLS_JDK)
                .flatMap(kind -> Stream.of(
                        Arguments.of(kind, "reset", "01234", "", false),
                        Arguments.of(kind, "goaway", "01234", "", false),
                        Arguments.of(kind, "closed", "01234", "", false),
                        Arguments.of(kind, "closed", "01234", "", true)));
        return Stream.concat(http1, http2);
    }

    @ParameterizedTest
    @MethodSource("broken")
    void answerThatBreaksWhileItIsKeptGivesWayToAWholeOne(
            UpstreamKind kind, String framing, String first, String rest, boolean reset) throws Exception {
        Busy busy = new Busy(kind);
        try (RawUpstream a = busy.start(framing, first, rest, reset);
                RawUpstream b = busy.other(OTHER);
                TestProxy proxy = proxy(kind, kind.upstream(a), Upstream.of(b.uri()))) {
            if (framing.equals("closed") || framing.equals("goaway")) {
                busy.awaitClosed(proxy, a);
            }
            assertThat(get(proxy)).isEqualTo("429 2 other");
            assertThat(proxy.record().error()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "H1, Content-Length: 10, false",
        "H1, X-Until: closed, true",
        "H1_TLS, Transfer-Encoding: chunked, false",
        "H2C, reset, false",
        "H2_TLS, closed, true"
    })
    void answerThatBreaksWhileItIsKeptIsNotTheClients(UpstreamKind kind, String framing, boolean reset)
            throws Exception {
        Busy busy = new Busy(kind);
        try (RawUpstream a = busy.start(framing, "5", "", reset);
                RawUpstream b = busy.other("");
                TestProxy proxy = proxy(kind, kind.upstream(a), Upstream.of(b.uri()))) {
            if (framing.equals("closed")) {
                busy.awaitClosed(proxy, a);
            }
            assertThat(get(proxy)).startsWith("502 null ").doesNotContain("cut");
        }
    }

    private static Stream<Arguments> whole() {
        Stream<Arguments> http1 = Stream.of(UpstreamKind.H1, UpstreamKind.H1_TLS, UpstreamKind.H1_TLS_JDK)
                .flatMap(kind -> Stream.of(
                        Arguments.of(kind, "Content-Length: 10", "01234", "56789", false),
                        Arguments.of(kind, "Content-Length: 10", "0123456789", "", true),
                        Arguments.of(kind, "Content-Length: 10", "", "0123456789surplus", false),
                        Arguments.of(kind, "Transfer-Encoding: chunked", "5¶01", "234¶5;x=y¶56789¶0¶X-T: t¶¶", false),
                        Arguments.of(kind, "Transfer-Encoding: chunked", "", "a¶0123456789¶0¶¶", true),
                        Arguments.of(kind, "X-Until: closed", "01234", "56789", false)));
        Stream<Arguments> http2 = Stream.of(UpstreamKind.H2C, UpstreamKind.H2_TLS, UpstreamKind.H2_TLS_JDK)
                .map(kind -> Arguments.of(kind, "whole", "01234", "56789", false));
        return Stream.concat(http1, http2);
    }

    @ParameterizedTest
    @MethodSource("whole")
    void answerThatIsWholeWhenItsConnectionEndsIsTheClients(
            UpstreamKind kind, String framing, String first, String rest, boolean reset) throws Exception {
        Busy busy = new Busy(kind);
        try (RawUpstream a = busy.start(framing, first, rest, reset);
                RawUpstream b = busy.other("");
                TestProxy proxy = proxy(kind, kind.upstream(a), Upstream.of(b.uri()))) {
            assertThat(get(proxy)).isEqualTo("429 1 0123456789");
            assertThat(proxy.record().error()).isEmpty();
        }
    }

    /** It is longer than what is looked at. */
    @ParameterizedTest
    @CsvSource({
        "H1, Content-Length: 300000",
        "H1, Transfer-Encoding: chunked",
        "H1, X-Until: closed",
        "H1_TLS, Content-Length: 300000",
        "H1_TLS, Transfer-Encoding: chunked",
        "H1_TLS, X-Until: closed",
        "H1_TLS_JDK, X-Until: closed",
        "H2C, whole",
        "H2_TLS, whole"
    })
    void longAnswerThatWasKeptLosesNoByte(UpstreamKind kind, String framing) throws Exception {
        StringBuilder body = new StringBuilder();
        for (int i = 0; body.length() < 300_000; i++) {
            body.append(i).append(' ');
        }
        body.setLength(300_000);
        boolean chunked = framing.endsWith("chunked");
        int half = kind.isHttp2() ? 10_000 : 150_000;
        String sent = kind.isHttp2() ? body.substring(0, 2 * half) : body.toString();
        String first = sent.substring(0, half);
        String rest = sent.substring(half);
        CountDownLatch failed = new CountDownLatch(1);
        Busy busy = new Busy(kind);
        try (RawUpstream a = kind.isHttp2()
                        ? busy.start(framing, first, rest, false)
                        : kind.start(c -> {
                            c.readHead();
                            c.send("HTTP/1.1 429 Busy¶" + framing + "¶¶" + (chunked ? "493e0¶" : "") + first);
                            failed.await(30, TimeUnit.SECONDS);
                            c.send(rest + (chunked ? "¶0¶¶" : ""));
                        });
                RawUpstream b = kind.isHttp2()
                        ? busy.other("")
                        : RawUpstream.start(c -> {
                            c.readHead();
                            failed.countDown();
                        });
                TestProxy proxy = proxy(kind, kind.upstream(a), Upstream.of(b.uri()))) {
            assertThat(get(proxy)).isEqualTo("429 1 " + sent);
        }
    }

    @Test
    void answerThatIsBrokenWhenItArrivesDoesNotReplaceAWholeOne() throws Exception {
        String broken = "HTTP/1.1 429 Busy¶Retry-After: 1¶Transfer-Encoding: chunked¶¶zz¶";
        try (RawUpstream a = RawUpstream.answering(OTHER);
                RawUpstream b = RawUpstream.answering(broken);
                RawUpstream c = RawUpstream.answering(broken);
                TestProxy proxy =
                        proxy(UpstreamKind.H1, Upstream.of(a.uri()), Upstream.of(b.uri()), Upstream.of(c.uri()))) {
            assertThat(get(proxy)).isEqualTo("429 1 other");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 101 Switching¶Connection: Upgrade¶Upgrade: websocket¶¶",
                "HTTP/1.1 101 Switching¶Content-Length: 5¶¶other",
                "HTTP/2 200 OK¶Content-Length: 5¶¶other"
            })
    void answerThatNoneAskedForDoesNotReplaceAKeptOne(String second) throws Exception {
        try (RawUpstream a = RawUpstream.answering(OTHER);
                RawUpstream b = RawUpstream.answering(second);
                TestProxy proxy = proxy(UpstreamKind.H1, Upstream.of(a.uri()), Upstream.of(b.uri()))) {
            assertThat(get(proxy)).isEqualTo("429 1 other");
        }
    }

    /** Whose connection serves another upload by then. */
    @Test
    void uploadThatWasAnsweredDoesNotStopTheNextOneOfItsConnection() throws Exception {
        int length = 8 << 20;
        CountDownLatch connecting = new CountDownLatch(1);
        CountDownLatch blocked = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        ServerSocket narrow = new ServerSocket();
        narrow.setReceiveBufferSize(4096);
        narrow.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        TestClock clock = new TestClock();
        try (RawUpstream a = RawUpstream.answering("HTTP/1.1 429 Busy¶Retry-After: 1¶Content-Length: 1¶¶a");
                RawUpstream b = RawUpstream.start(narrow, c -> {
                    c.readHead();
                    c.read(5);
                    c.send(OTHER);
                    c.readHead();
                    int before;
                    int waiting = 0;
                    do {
                        before = waiting;
                        RawConnection.pace(Duration.ofMillis(100));
                        waiting = c.socket().getInputStream().available();
                    } while (waiting == 0 || waiting != before);
                    blocked.countDown();
                    ended.await(30, TimeUnit.SECONDS);
                    assertThat(c.read(length)).hasSize(length);
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                });
                RawUpstream silent = RawUpstream.start(c -> {
                    connecting.countDown();
                    c.drain();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        p -> p.route(r -> r.path("/next").forward(b.uri()))
                                .route(r -> r.forward(
                                                UpstreamGroup.of(a.uri(), b.uri(), "https://127.0.0.1:" + silent.port())
                                                        .balancing(Balancing.failover()))
                                        .retryOn(429))
                                .retries(1, 1000));
                RawConnection first = proxy.raw();
                RawConnection next = proxy.raw()) {
            first.send("PUT / HTTP/1.1¶Host: localhost¶Content-Length: 5¶¶01234");
            assertThat(connecting.await(30, TimeUnit.SECONDS)).isTrue();
            FutureTask<String> upload = new FutureTask<>(() -> {
                next.send("PUT /next HTTP/1.1¶Host: localhost¶Content-Length: " + length + "¶¶" + "x".repeat(length));
                return next.readResponse();
            });
            new Thread(upload, "upload").start();
            assertThat(blocked.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(b.connections()).isEqualTo(1);
            clock.pass(Duration.ofSeconds(6));
            assertThat(first.readResponse()).startsWith("HTTP/1.1 429 ").endsWith("a");
            clock.awaitSweeps(2);
            ended.countDown();
            assertThat(upload.get(30, TimeUnit.SECONDS))
                    .startsWith("HTTP/1.1 200 ")
                    .endsWith("ok");
            assertThat(b.failures()).isEmpty();
        }
    }

    /** Before the next upstream is connected to, and within an upload. */
    @ParameterizedTest
    @CsvSource({
        "H1, H1, false",
        "H2_TLS, H1_TLS, false",
        "H2_TLS_JDK, H1, false",
        "H1_TLS, H2C, false",
        "H2_TLS, H2_TLS, false",
        "H1, H1_TLS, true",
        "H2_TLS, H2C, true"
    })
    void clientOrServerThatEndsLeavesNoAnswerKept(Front front, UpstreamKind kind, boolean server) throws Exception {
        CountDownLatch connecting = new CountDownLatch(1);
        CountDownLatch left = new CountDownLatch(1);
        try (RawUpstream a = kind.start(c -> {
                    if (kind.isHttp2()) {
                        try (Http2Client h2 = Http2Client.serve(c)) {
                            int stream = h2.next(Http2Client.HEADERS).stream();
                            h2.next(Http2Client.DATA);
                            h2.respond(stream, 0, "429");
                            h2.send(Http2Client.DATA, 0, stream, new byte[5]);
                            assertThat(h2.read(stream).type()).isIn(Http2Client.RST_STREAM, Http2Client.GOAWAY);
                        }
                    } else {
                        c.readHead();
                        c.read(5);
                        c.send("HTTP/1.1 429 Busy¶Content-Length: 10¶¶01234");
                        assertThat(c.end()).isIn("end", "reset");
                    }
                    left.countDown();
                });
                RawUpstream silent = RawUpstream.start(c -> {
                    connecting.countDown();
                    c.drain();
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        p -> p.route(r -> r.forward(UpstreamGroup.of(
                                                kind.upstream(a), Upstream.of("https://127.0.0.1:" + silent.port()))
                                        .balancing(Balancing.failover()))
                                .retryOn(429)));
                RawConnection client = front.isHttp2() ? proxy.tls("h2") : proxy.raw()) {
            if (front.isHttp2()) {
                Http2Client h2 = Http2Client.open(client);
                h2.open(1, "PUT", "/", "localhost:" + proxy.port(), "content-length", "10");
                h2.send(Http2Client.DATA, 0, 1, new byte[5]);
                assertThat(connecting.await(30, TimeUnit.SECONDS)).isTrue();
                if (!server) {
                    h2.send(Http2Client.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
                }
            } else {
                client.send("PUT / HTTP/1.1¶Host: localhost¶Content-Length: 10¶¶01234");
                assertThat(connecting.await(30, TimeUnit.SECONDS)).isTrue();
                if (!server) {
                    client.reset();
                }
            }
            if (server) {
                proxy.close();
            }
            assertThat(left.await(30, TimeUnit.SECONDS)).isTrue();
            if (!server) {
                assertThat(proxy.record().error()).contains(ForwardError.CLIENT_ABORTED);
            }
            await().until(() -> server || proxy.server().status().exchanges() == 0);
            assertThat(a.failures()).isEmpty();
        }
    }
}
