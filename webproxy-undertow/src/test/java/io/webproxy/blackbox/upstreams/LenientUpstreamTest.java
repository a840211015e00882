package io.webproxy.blackbox.upstreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.webproxy.ProxyConfig;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.HealthCheck;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.tls.TrustStore;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestProxy;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** Upstreams that are declared lenient; which responses that concerns is in {@code lenient-answers.corpus}. */
@ExtendWith(LeakCheck.class)
class LenientUpstreamTest {
    private static final String DEVIANT = "HTTP/1.0 777 Odd\nConnection: keep-alive\nServer: esp\nX-Folded: a\n\tb\n"
            + "Content-Length: 9, 9\nTransfer-Encoding: chunked\n\n4   ¶hell¶1¶o¶0   ¶¶";
    private static final String STRICT = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    private static final String LOG = "io.webproxy.upstream";

    private static TestProxy start(Front front, Upstream upstream) {
        return TestProxy.start(front, b -> b.route(r -> r.forward(upstream)));
    }

    private static Upstream lenient(RawUpstream upstream) {
        return Upstream.of(upstream.uri()).lenientResponses();
    }

    private static void good(Response response) throws Exception {
        try (response) {
            assertThat(response.code()).isEqualTo(777);
            assertThat(response.header("X-Folded")).isEqualTo("a b");
            assertThat(response.header("Server")).isEqualTo("esp");
            assertThat(response.headers("Content-Length")).isEmpty();
            assertThat(response.body().string()).isEqualTo("hello");
        }
    }

    @OverEachFront
    void deviantResponseIsPutRightForEveryClientAndCostsItsConnection(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(DEVIANT);
                TestProxy proxy = start(front, lenient(upstream))) {
            good(proxy.get("/"));
            good(proxy.get("/"));

            assertThat(upstream.connections()).isEqualTo(2);
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(777);
            assertThat(record.bytesOut()).isEqualTo(5);
            assertThat(record.error()).isEmpty();
        }
    }

    @OverEachFront
    void deviantResponseIs502AndStrictOnesKeepTheirConnectionWithoutTheOption(Front front) throws Exception {
        AtomicReference<String> answer = new AtomicReference<>(STRICT);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (!c.readHead().isEmpty()) {
                        c.send(answer.get());
                    }
                });
                TestProxy lenient = start(Front.H1, lenient(upstream));
                TestProxy strict = start(front, Upstream.of(upstream.uri()))) {
            for (int i = 0; i < 2; i++) {
                lenient.get("/").close();
                strict.get("/").close();
                strict.record();
            }
            assertThat(upstream.connections()).as("one for each proxy").isEqualTo(2);
            answer.set(DEVIANT);
            try (Response response = strict.get("/")) {
                assertThat(response.code()).isEqualTo(502);
            }
            assertThat(strict.record().error()).contains(ForwardError.INVALID_RESPONSE);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1_TLS", "H2_TLS_JDK"})
    void upstreamOfTlsMayDeviateToo(Front front, @TempDir Path directory) throws Exception {
        Path root = Files.writeString(directory.resolve("root.pem"), TestProxy.rootPem());
        try (RawUpstream upstream = RawUpstream.start(
                        TestProxy.identity()
                                .sslContext()
                                .getServerSocketFactory()
                                .createServerSocket(0, 10, InetAddress.getLoopbackAddress()),
                        c -> {
                            while (!c.readHead().isEmpty()) {
                                c.send(DEVIANT);
                            }
                        });
                TestProxy proxy = start(
                        front,
                        Upstream.of("https://localhost:" + upstream.port())
                                .withTrust(TrustStore.pem(root))
                                .withHttp2()
                                .lenientResponses())) {
            good(proxy.get("/"));
            good(proxy.get("/"));
            assertThat(upstream.connections()).isEqualTo(2);
        }
    }

    /** Each size as it comes, not at the end. */
    @OverBothVersions
    void paddedChunksStream(Front front) throws Exception {
        CountDownLatch seen = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶Transfer-Encoding: chunked¶¶9 ¶data:"
                            + " 1\n\n"
                            + "¶");
                    seen.await(30, TimeUnit.SECONDS);
                    c.send("9 ¶data: 2\n\n¶0 ¶¶");
                    assertThat(c.end()).isIn("end", "reset");
                });
                TestProxy proxy = start(front, lenient(upstream));
                Response response = proxy.get("/events")) {
            assertThat(response.body().source().readUtf8(9)).isEqualTo("data: 1\n\n");
            seen.countDown();
            assertThat(response.body().string()).isEqualTo("data: 2\n\n");
            await().until(() -> proxy.ended() == 1);
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @Test
    @ExpectedLog(logger = LOG, contains = "breaks HTTP/1.1 in its responses (Content-Length beside Transfer-Encoding, ")
    void upstreamThatDeviatesIsOneWarningHoweverOften() throws Exception {
        Logger logger = (Logger) LoggerFactory.getLogger(LOG);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.list = new CopyOnWriteArrayList<>();
        log.start();
        logger.addAppender(log);
        try (RawUpstream upstream = RawUpstream.answering(DEVIANT);
                TestProxy proxy = start(Front.H1, lenient(upstream))) {
            for (int i = 0; i < 5; i++) {
                good(proxy.get("/"));
            }
            proxy.server().update(b -> b.route(r -> r.path("/other").forward(lenient(upstream))));
            good(proxy.get("/other"));
            assertThat(log.list.stream().map(ILoggingEvent::getFormattedMessage).filter(m -> m.contains(" breaks ")))
                    .containsExactly(upstream.uri()
                            + " breaks HTTP/1.1 in its responses (Content-Length beside Transfer-Encoding, a repeated"
                            + " Content-Length, a status above 599, chunks with HTTP/1.0, folded fields, lines that"
                            + " end with LF alone): they are put right, because it is declared lenient, and each costs"
                            + " a connection (expected: an update of the upstream, and a strict one then)");
        } finally {
            logger.detachAppender(log);
        }
    }

    @Test
    void leniencyOfOneRouteIsNotThatOfAnotherToTheSameAddress() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(DEVIANT);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri()).route(r -> r.path("/esp").forward(lenient(upstream))))) {
            good(proxy.get("/esp"));
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
            }
            assertThat(proxy.server().status().upstreams()).containsOnlyKeys(upstream.uri());
        }
    }

    @Test
    void updateThatTakesTheLeniencyBackChangesTheUpstream() throws Exception {
        AtomicReference<String> answer = new AtomicReference<>(STRICT);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (!c.readHead().isEmpty()) {
                        c.send(answer.get());
                    }
                });
                TestProxy proxy = start(Front.H1, lenient(upstream))) {
            proxy.get("/").close();
            Consumer<ProxyConfig.Builder> strict = b -> b.forward(upstream.uri());
            proxy.server().update(strict);
            proxy.get("/").close();
            assertThat(upstream.connections())
                    .as("connections of the lenient one aren't used")
                    .isEqualTo(2);
            answer.set(DEVIANT);
            try (Response response = proxy.get("/")) {
                assertThat(response.code()).isEqualTo(502);
            }
            proxy.server().update(b -> b.route(r -> r.forward(lenient(upstream))));
            good(proxy.get("/"));
        }
    }

    @Test
    void healthCheckIsAsLenientAsTheUpstreamAndHasItsOwnStatuses() throws Exception {
        AtomicReference<String> answer = new AtomicReference<>("HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
        HealthCheck check = HealthCheck.path("/health")
                .withInterval(Duration.ofMillis(100))
                .withTimeout(Duration.ofSeconds(10))
                .withThresholds(1, 1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (!c.readHead().isEmpty()) {
                        c.send(answer.get());
                    }
                });
                TestProxy lenient = TestProxy.start(
                        Front.H1,
                        b -> b.route(r ->
                                r.forward(UpstreamGroup.of(lenient(upstream)).healthCheck(check))));
                TestProxy strict = TestProxy.start(
                        Front.H1,
                        b -> b.route(
                                r -> r.forward(UpstreamGroup.of(upstream.uri()).healthCheck(check))))) {
            await().until(() -> !isHealthy(strict, upstream));
            int before = upstream.connections();
            await().until(() -> upstream.connections() > before + 4);
            assertThat(isHealthy(lenient, upstream)).isTrue();
            answer.set("HTTP/1.1 777 X\n\n");
            await().until(() -> !isHealthy(lenient, upstream));
        }
    }

    private static boolean isHealthy(TestProxy proxy, RawUpstream upstream) {
        var pool = proxy.server().status().upstreams().get(upstream.uri());
        return pool == null || pool.healthy();
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS_JDK"})
    void webSocketMayBeOpenedByLinesWithoutCr(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String answer = WebSocketHandshake.answerTo(c.readHead()).replace('¶', '\n');
                    c.send(answer + "\n\nearly");
                    c.send(c.read(4));
                    c.readAll();
                });
                TestProxy proxy = start(front, lenient(upstream));
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 101 ")
                    .contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
                    .matches("(?s)([^\r\n]+\r\n)+\r\n");
            client.send("ping");
            assertThat(client.read(11))
                    .as("what comes after the head is the tunnel's")
                    .isEqualTo("\n\nearlyping");
        }
    }

    /** The parser must not wait for a line end that the upstream never sends, nor take bytes of another protocol. */
    @Test
    void upstreamOfHttp2IsStillNamedAsSuch() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("\0\0\6\4\0\0\0\0\0\0\3\0\0\0d");
                    c.end();
                });
                TestProxy proxy = start(Front.H1, lenient(upstream));
                Response response = proxy.get("/")) {
            assertThat(response.code()).isEqualTo(502);
        }
    }

    @Test
    void nothingChangesForHttp2() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    peer.respond(peer.next(Http2Client.HEADERS).stream(), Http2Client.END_STREAM, "777");
                    peer.respond(peer.next(Http2Client.HEADERS).stream(), Http2Client.END_STREAM, "200");
                    peer.end();
                });
                TestProxy proxy = start(
                        Front.H1, Upstream.of("h2c://" + upstream.address()).lenientResponses())) {
            for (int expected : new int[] {502, 200}) {
                try (Response response = proxy.get("/")) {
                    assertThat(response.code()).isEqualTo(expected);
                }
            }
            assertThat(upstream.connections()).isEqualTo(1);
            assertThat(upstream.failures()).isEmpty();
        }
    }
}
