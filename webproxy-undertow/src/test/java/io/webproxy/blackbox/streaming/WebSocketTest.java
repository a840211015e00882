package io.webproxy.blackbox.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
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

/** WebSockets through every front; over HTTP/2 ports by a client that offers only {@code http/1.1}, as browsers do. */
@ExtendWith(LeakCheck.class)
class WebSocketTest {
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
            Object next = received.poll(60, TimeUnit.SECONDS);
            assertThat(next).isNotNull();
            return next;
        }
    }

    @OverHttp1
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
            assertThat(record.error()).isEmpty();
            await().until(() -> proxy.server().status().tunnels() == 0);
        } finally {
            upstream.close();
        }
    }

    @OverHttp1
    void bytesRightBehindThe101AndTheRequestAreReplayed(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    assertThat(head).contains("Connection: Upgrade\r\n").contains("Upgrade: websocket\r\n");
                    c.send(WebSocketHandshake.ACCEPTED + "early");
                    c.send(c.read(4));
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST + "ping");
            assertThat(client.readHead())
                    .startsWith("HTTP/1.1 101 ")
                    .containsIgnoringCase("upgrade: websocket")
                    .containsIgnoringCase("connection: upgrade")
                    .contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            assertThat(client.read(9)).isEqualTo("earlyping");
            assertThat(upstream.failures()).isEmpty();
        }
    }

    /** A client that believed it would take the first bytes of the WebSocket for a body. */
    @Test
    void lengthOfA101IsDropped() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED.replace(
                                    "Upgrade: websocket", "Content-Length: 5¶Upgrade: websocket")
                            + "early");
                    c.send(c.read(4));
                });
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST + "ping");
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ").doesNotContainIgnoringCase("content-length");
            assertThat(client.read(9)).isEqualTo("earlyping");
        }
    }

    @OverHttp1
    void pingIsAnsweredByThePongOfTheUpstream(Front front) throws Exception {
        MockWebServer upstream = new MockWebServer();
        upstream.enqueue(new MockResponse.Builder().webSocketUpgrade(new Echo()).build());
        upstream.start();
        try (TestProxy proxy = TestProxy.start(front, "http://127.0.0.1:" + upstream.getPort());
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
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
                    c.send(WebSocketHandshake.ACCEPTED);
                    String all = c.readAll();
                    c.send("got " + all);
                });
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            client.send("all of it").shutdownOutput();
            assertThat(client.readAll()).isEqualTo("got all of it");
            assertThat(proxy.record().error()).isEmpty();
        }
    }

    @Test
    void refusedUpgradeIsAnOrdinaryAnswerAndTheNextRequestIsRoutedByItself() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶no");
                TestProxy proxy = TestProxy.start(Front.H1, upstream.uri());
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST + "GET /next HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("no");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("no");
            assertThat(proxy.record().path()).isEqualTo("/ws");
            assertThat(proxy.record().path()).isEqualTo("/next");
        }
    }

    @OverHttp1
    void endOfOneSideIsTheEndOfTheOther(Front front) throws Exception {
        BlockingQueue<String> ends = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED);
                    ends.add(c.end());
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            RawConnection client = proxy.raw();
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            client.reset();
            assertThat(ends.poll(30, TimeUnit.SECONDS)).isEqualTo("reset");
            await().until(() -> proxy.server().status().tunnels() == 0);
        }
    }

    @Test
    void closeCutsOpenTunnels() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            c.send(WebSocketHandshake.ACCEPTED);
            c.end();
        })) {
            TestProxy proxy = TestProxy.start(Front.H1_TLS, upstream.uri());
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketHandshake.REQUEST);
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                proxy.close();
                assertThat(client.end()).isIn("end", "reset");
            }
        }
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
            drained.toCompletableFuture().get(30, TimeUnit.SECONDS);
        } finally {
            proxy.close();
            upstream.close();
        }
    }

    /** Neither side ever pauses: everybody else on the thread gets a turn all the same. */
    @OverHttp1
    void busyTunnelLeavesTheThreadToOthers(Front front) throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    if (head.startsWith("GET /ws ")) {
                        c.send(WebSocketHandshake.ACCEPTED);
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
                        TestProxy.start(front, b -> b.forward(upstream.uri()).tuning(t -> t.withIoThreads(1)));
                RawConnection busy = proxy.raw();
                RawConnection other = proxy.raw()) {
            busy.send(WebSocketHandshake.REQUEST);
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
                other.send("GET / HTTP/1.1¶Host: localhost¶¶");
                assertThat(other.readResponse()).endsWith("ok");
            }
            over.set(true);
            sender.get(30, TimeUnit.SECONDS);
        }
    }
}
