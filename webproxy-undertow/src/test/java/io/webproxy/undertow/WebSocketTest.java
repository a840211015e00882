package io.webproxy.undertow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.Front;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.TestProxy;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** WebSockets through every front; over HTTP/2 ports by a client that offers only {@code http/1.1}, as browsers do. */
@ExtendWith(LeakCheck.class)
class WebSocketTest {
    static final String HANDSHAKE =
            "GET /ws HTTP/1.1¶Host: localhost¶Upgrade: websocket¶Connection: keep-alive, Upgrade¶"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==¶Sec-WebSocket-Version: 13¶¶";
    static final String SWITCH = "HTTP/1.1 101 Switching Protocols¶Upgrade: websocket¶Connection: Upgrade¶"
            + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=¶¶";

    private static final Duration PINGS = Duration.ofMillis(300);

    /** Sends back what it gets. */
    private static final class Echo extends WebSocketListener {
        @Override
        public void onMessage(WebSocket socket, String text) {
            socket.send(text);
        }

        @Override
        public void onMessage(WebSocket socket, ByteString bytes) {
            socket.send(bytes);
        }

        @Override
        public void onClosing(WebSocket socket, int code, String reason) {
            socket.close(code, reason);
        }
    }

    /** Keeps what it gets. */
    private static final class Inbox extends WebSocketListener {
        private final BlockingQueue<Object> received = new LinkedBlockingQueue<>();

        @Override
        public void onMessage(WebSocket socket, String text) {
            received.add(text);
        }

        @Override
        public void onMessage(WebSocket socket, ByteString bytes) {
            received.add(bytes);
        }

        @Override
        public void onClosing(WebSocket socket, int code, String reason) {
            received.add("closing " + code);
        }

        @Override
        public void onClosed(WebSocket socket, int code, String reason) {
            received.add("closed " + code);
        }

        @Override
        public void onFailure(WebSocket socket, Throwable failure, @Nullable Response response) {
            received.add(failure);
        }

        Object next() throws InterruptedException {
            Object next = received.poll(20, TimeUnit.SECONDS);
            assertThat(next).isNotNull();
            return next;
        }
    }

    @ParameterizedTest
    @EnumSource(Front.class)
    void textAndBinaryOf16MiBPassBothWays(Front front) throws Exception {
        MockWebServer upstream = new MockWebServer();
        upstream.enqueue(new MockResponse.Builder().webSocketUpgrade(new Echo()).build());
        upstream.start();
        try (TestProxy proxy = TestProxy.start(front, "http://127.0.0.1:" + upstream.getPort())) {
            OkHttpClient client = proxy.client();
            Inbox inbox = new Inbox();
            WebSocket socket = client.newWebSocket(
                    new Request.Builder().url(proxy.url("/ws")).build(), inbox);
            byte[] bytes = new byte[16 << 20];
            new Random(7).nextBytes(bytes);
            ByteString binary = ByteString.of(bytes);
            String text = "ä".repeat(8 << 20);
            assertThat(socket.send("hello")).isTrue();
            assertThat(inbox.next()).isEqualTo("hello");
            // the client takes no more than 16 MiB at a time, and counts a message until its thread has looked again
            await().until(() -> socket.queueSize() == 0);
            assertThat(socket.send(binary)).isTrue();
            assertThat(inbox.next()).isEqualTo(binary);
            await().until(() -> socket.queueSize() == 0);
            assertThat(socket.send(text)).isTrue();
            assertThat(inbox.next()).isEqualTo(text);
            assertThat(proxy.server().status().tunnels()).isEqualTo(1);
            socket.close(1000, "bye");
            assertThat(inbox.next()).isEqualTo("closing 1000");
            assertThat(inbox.next()).isEqualTo("closed 1000");
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(101);
            assertThat(record.endClass()).isEqualTo(TimeoutClass.WEBSOCKET);
            assertThat(record.bytesOut()).isGreaterThan(bytes.length);
            assertThat(record.error()).isNull();
            await().until(() -> proxy.server().status().tunnels() == 0);
        } finally {
            upstream.close();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void bytesRightBehindThe101AndTheRequestAreReplayed(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    assertThat(head).contains("Connection: Upgrade\r\n").contains("Upgrade: websocket\r\n");
                    c.send(SWITCH + "early");
                    c.send(c.read(4));
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE + "ping");
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 101 ")
                    .containsIgnoringCase("upgrade: websocket")
                    .containsIgnoringCase("connection: upgrade")
                    .contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            assertThat(client.read(9)).isEqualTo("earlyping");
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void pingIsAnsweredByThePongOfTheUpstream(Front front) throws Exception {
        MockWebServer upstream = new MockWebServer();
        upstream.enqueue(new MockResponse.Builder().webSocketUpgrade(new Echo()).build());
        upstream.start();
        try (TestProxy proxy = TestProxy.start(front, "http://127.0.0.1:" + upstream.getPort());
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            // RFC 6455 section 5.5.2: a masked ping, here with a mask of zeros
            client.send("\u0089\u0084\0\0\0\0here");
            assertThat(client.read(6)).isEqualTo("\u008a\u0004here");
        } finally {
            upstream.close();
        }
    }

    @Test
    void halfCloseGoesThroughAndTheOtherDirectionLives() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(SWITCH);
                    String all = c.readAll();
                    c.send("got " + all);
                });
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            client.send("all of it").shutdownOutput();
            assertThat(client.readAll()).isEqualTo("got all of it");
            assertThat(proxy.record().error()).isNull();
        }
    }

    @Test
    void refusedUpgradeIsAnOrdinaryAnswerAndTheNextRequestIsRoutedByItself() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶no");
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE + "GET /next HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("no");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("no");
            assertThat(proxy.record().path()).isEqualTo("/ws");
            assertThat(proxy.record().path()).isEqualTo("/next");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void endOfOneSideIsTheEndOfTheOther(Front front) throws Exception {
        BlockingQueue<String> ends = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(SWITCH);
                    ends.add(c.end());
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            RawConnection client = proxy.raw();
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            client.reset();
            // a TLS client says good-bye even where it resets
            assertThat(ends.poll(10, TimeUnit.SECONDS)).isEqualTo(front.isTls() ? "end" : "reset");
            await().until(() -> proxy.server().status().tunnels() == 0);
        }
    }

    @Test
    void closeCutsOpenTunnels() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            c.send(SWITCH);
            c.end();
        })) {
            TestProxy proxy = TestProxy.start(Front.H1_TLS, upstream.uri());
            try (RawConnection client = proxy.raw()) {
                client.send(HANDSHAKE);
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                proxy.close();
                assertThat(client.end()).isIn("end", "reset");
            }
        }
    }

    /** The upstream gets neither the pings' pongs nor less than all that the client sends besides. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void silentClientIsPingedAndItsPongStaysHere(Front front) throws Exception {
        BlockingQueue<String> upstreamGot = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    // the begin of a frame of 5 bytes: what comes next from this side is within it
                    c.send(SWITCH + "\u0082\u0005he");
                    upstreamGot.add(c.read(12));
                    c.send("llo");
                    upstreamGot.add(c.read(12));
                    upstreamGot.add(c.end());
                });
                TestProxy proxy = TestProxy.start(front, pinging(upstream, TimeoutPolicy.defaults()));
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            assertThat(client.read(4)).isEqualTo("\u0082\u0005he");
            RawConnection.pace(PINGS.multipliedBy(2));
            client.send(masked("\u0082", "before"));
            assertThat(upstreamGot.poll(10, TimeUnit.SECONDS)).isEqualTo(masked("\u0082", "before"));
            assertThat(client.read(3)).as("no ping within a frame").isEqualTo("llo");
            String ping = client.read(10);
            assertThat(ping).startsWith("\u0089\u0008");
            client.send(pong(ping)).send(masked("\u0082", "behind"));
            assertThat(upstreamGot.poll(10, TimeUnit.SECONDS)).isEqualTo(masked("\u0082", "behind"));
            assertThat(client.read(10)).as("the next ping").isEqualTo(ping);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void clientThatAnswersNoPingIsGone(Front front) throws Exception {
        BlockingQueue<String> ends = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(SWITCH);
                    ends.add(c.end());
                });
                TestProxy proxy = TestProxy.start(front, pinging(upstream, TimeoutPolicy.defaults()));
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            assertThat(ends.poll(10, TimeUnit.SECONDS)).isEqualTo("reset");
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).isEqualTo(ForwardError.CLIENT_ABORTED);
            assertThat(record.total()).isGreaterThanOrEqualTo(PINGS.multipliedBy(2));
        }
    }

    @Test
    void pongIsNoActivityOfTheWebSocket() throws Exception {
        TimeoutPolicy limited = TimeoutPolicy.defaults().with(TimeoutClass.WEBSOCKET, PINGS.multipliedBy(5));
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(SWITCH);
                    c.end();
                });
                TestProxy proxy = TestProxy.start(Front.H1, pinging(upstream, limited));
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            int pings = 0;
            for (String ping = client.read(10); ping.length() == 10; ping = readOrEmpty(client)) {
                pings++;
                client.send(pong(ping));
            }
            assertThat(pings).isGreaterThan(1);
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).isEqualTo(ForwardError.RESPONSE_BODY_IDLE);
            assertThat(record.bytesIn()).isZero();
            assertThat(record.bytesOut()).isZero();
        }
    }

    /** Its pong is stuck behind what the upstream doesn't take yet: that is no silence of the client. */
    @Test
    void clientWhoseUploadIsHeldUpIsNotGone() throws Exception {
        CountDownLatch read = new CountDownLatch(1);
        int size = 8 << 20;
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(SWITCH);
                    read.await(10, TimeUnit.SECONDS);
                    c.read(14 + size);
                    c.send("\u0082\u0002ok");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(Front.H1, pinging(upstream, TimeoutPolicy.defaults()));
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> {
                try {
                    client.send("\u0082\u00ff\0\0\0\0\0\u0080\0\0\0\0\0\0").send(new byte[size]);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            RawConnection.pace(PINGS.multipliedBy(5));
            read.countDown();
            sent.get(10, TimeUnit.SECONDS);
            String frame = client.read(2);
            while (frame.equals("\u0089\u0008")) {
                client.read(8);
                frame = client.read(2);
            }
            assertThat(frame + client.read(2)).isEqualTo("\u0082\u0002ok");
        }
    }

    /** Where no ping can be sent, or no pong can come, nobody is gone. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void pingsCutNoHalfClosedTunnel(boolean byUpstream) throws Exception {
        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(SWITCH);
                    if (byUpstream) {
                        c.shutdownOutput();
                    }
                    got.add(c.readAll());
                    RawConnection.pace(byUpstream ? Duration.ZERO : PINGS.multipliedBy(5));
                    c.send("answer");
                });
                TestProxy proxy = TestProxy.start(Front.H1, pinging(upstream, TimeoutPolicy.defaults()));
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            if (byUpstream) {
                assertThat(client.end()).isEqualTo("end");
                RawConnection.pace(PINGS.multipliedBy(5));
            }
            client.send("late").shutdownOutput();
            assertThat(got.poll(10, TimeUnit.SECONDS)).isEqualTo("late");
            assertThat(client.readAll()).isEqualTo(byUpstream ? "" : "answer");
            assertThat(proxy.record().error()).isNull();
        }
    }

    private static String readOrEmpty(RawConnection client) {
        try {
            return client.read(10);
        } catch (IOException e) {
            return "";
        }
    }

    private static Consumer<ProxyConfig.Builder> pinging(RawUpstream upstream, TimeoutPolicy policy) {
        return b -> b.timeouts(policy).route(r -> r.forward(upstream.uri()).webSocketPings(PINGS));
    }

    /** A frame as a client sends it, with a mask of zeros. */
    private static String masked(String first, String payload) {
        return first + (char) (0x80 | payload.length()) + "\0\0\0\0" + payload;
    }

    /** The pong to a ping; in bytes, because a payload is any. */
    private static byte[] pong(String ping) {
        return masked("\u008a", ping.substring(2)).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** RFC 6455 section 7.4.1: 1001, an endpoint is going away. Between two frames, masked towards the upstream, and nothing behind it. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void drainSays1001ToBothSidesAndWaitsForTheirAnswers(Front front) throws Exception {
        BlockingQueue<String> upstreamGot = new LinkedBlockingQueue<>();
        CountDownLatch draining = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            c.send(SWITCH + "\u0082\u0005he");
            draining.await(10, TimeUnit.SECONDS);
            upstreamGot.add(unmasked(c.read(8)));
            c.send("llo\u0082\u0004late");
            c.send("\u0088\u0002\u0003\u00e9");
        })) {
            TestProxy proxy =
                    TestProxy.start(front, b -> b.forward(upstream.uri()).drainTime(Duration.ofSeconds(20)));
            try (RawConnection client = proxy.raw()) {
                client.send(HANDSHAKE);
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                assertThat(client.read(4)).isEqualTo("\u0082\u0005he");
                CompletionStage<Void> drained = proxy.server().drain(Duration.ofSeconds(20));
                draining.countDown();
                assertThat(client.read(3)).isEqualTo("llo");
                assertThat(client.read(4)).isEqualTo("\u0088\u0002\u0003\u00e9");
                assertThat(client.end()).isEqualTo("end");
                client.send(masked("\u0088", "\u0003\u00e9"));
                client.close();
                drained.toCompletableFuture().get(10, TimeUnit.SECONDS);
                assertThat(upstreamGot.poll(10, TimeUnit.SECONDS)).isEqualTo("\u0088\u0082\u0003\u00e9");
                assertThat(proxy.record().error()).isNull();
            } finally {
                proxy.close();
            }
        }
    }

    private static String unmasked(String frame) {
        StringBuilder plain = new StringBuilder(frame.substring(0, 2));
        for (int i = 6; i < frame.length(); i++) {
            plain.append((char) (frame.charAt(i) ^ frame.charAt(2 + (i - 6) % 4)));
        }
        return plain.toString();
    }

    @Test
    void libraryClientSees1001AtDrain() throws Exception {
        Inbox inbox = new Inbox();
        MockWebServer upstream = new MockWebServer();
        upstream.enqueue(new MockResponse.Builder().webSocketUpgrade(new Echo()).build());
        upstream.start();
        TestProxy proxy = TestProxy.start(Front.H1_TLS, "http://127.0.0.1:" + upstream.getPort());
        try {
            WebSocket socket = proxy.client()
                    .newWebSocket(new Request.Builder().url(proxy.url("/")).build(), inbox);
            socket.send("one");
            assertThat(inbox.next()).isEqualTo("one");
            CompletionStage<Void> drained = proxy.server().drain(Duration.ofSeconds(20));
            assertThat(inbox.next()).isEqualTo("closing 1001");
            socket.close(1000, null);
            drained.toCompletableFuture().get(10, TimeUnit.SECONDS);
        } finally {
            proxy.close();
            upstream.close();
        }
    }

    /** A side that doesn't answer the close frame holds the drain up for the grace period, not for the drain time. */
    @Test
    void graceEndsBeforeTheDrainTime() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            c.send(SWITCH);
            c.readAll();
            c.end();
        })) {
            TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
            try (RawConnection client = proxy.raw()) {
                client.send(HANDSHAKE);
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                proxy.server()
                        .drain(Duration.ofMinutes(5))
                        .toCompletableFuture()
                        .get(20, TimeUnit.SECONDS);
                assertThat(client.read(4)).isEqualTo("\u0088\u0002\u0003\u00e9");
                assertThat(client.end()).isEqualTo("end");
            } finally {
                proxy.close();
            }
        }
    }

    /** Neither side ever pauses: everybody else on the thread gets a turn all the same. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void busyTunnelLeavesTheThreadToOthers(Front front) throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    if (head.startsWith("GET /ws ")) {
                        c.send(SWITCH);
                        byte[] buffer = new byte[1 << 16];
                        while (c.read(buffer, buffer.length) >= 0) {
                            // all of it
                        }
                    }
                    for (; !head.isEmpty(); head = c.readHead()) {
                        c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                    }
                });
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).ioThreads(1));
                RawConnection busy = proxy.raw();
                RawConnection other = proxy.raw()) {
            busy.send(HANDSHAKE);
            assertThat(busy.readHead()).startsWith("HTTP/1.1 101 ");
            CompletableFuture<Void> sender = CompletableFuture.runAsync(() -> {
                byte[] piece = new byte[1 << 18];
                try {
                    while (!over.get()) {
                        busy.send(piece);
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            for (int i = 0; i < 20; i++) {
                long start = System.nanoTime();
                other.send("GET / HTTP/1.1¶Host: localhost¶¶");
                assertThat(other.readResponse()).endsWith("ok");
                assertThat(System.nanoTime() - start).isLessThan(1_000_000_000L);
            }
            over.set(true);
            sender.get(10, TimeUnit.SECONDS);
        }
    }
}
