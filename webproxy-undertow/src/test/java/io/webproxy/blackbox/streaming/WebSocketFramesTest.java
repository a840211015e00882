package io.webproxy.blackbox.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.ProxyConfig;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the proxy itself puts between the frames of a WebSocket: pings for a silent client, and the close frame at
 * drain.
 */
@ExtendWith(LeakCheck.class)
class WebSocketFramesTest {
    private static final Duration PINGS = Duration.ofMillis(500);

    private final TestClock clock = new TestClock();

    /** The upstream gets neither the pings' pongs nor less than all that the client sends besides. */
    @OverHttp1
    void silentClientIsPingedAndItsPongStaysHere(Front front) throws Exception {
        BlockingQueue<String> upstreamGot = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    // the begin of a frame of 5 bytes: what comes next from this side is within it
                    c.send(WebSocketHandshake.ACCEPTED + "\u0082\u0005he");
                    upstreamGot.add(c.read(12));
                    c.send("llo");
                    upstreamGot.add(c.read(12));
                    upstreamGot.add(c.end());
                });
                TestProxy proxy = TestProxy.start(front, clock, pinging(upstream, TimeoutPolicy.defaults()));
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            assertThat(client.read(4)).isEqualTo("\u0082\u0005he");
            clock.passAndLook(PINGS);
            clock.passAndLook(PINGS);
            client.send(masked("\u0082", "before"));
            assertThat(upstreamGot.poll(30, TimeUnit.SECONDS)).isEqualTo(masked("\u0082", "before"));
            assertThat(client.read(3)).as("no ping within a frame").isEqualTo("llo");
            String ping = client.read(10);
            assertThat(ping).startsWith("\u0089\u0008");
            client.send(pong(ping)).send(masked("\u0082", "behind"));
            assertThat(upstreamGot.poll(30, TimeUnit.SECONDS)).isEqualTo(masked("\u0082", "behind"));
            clock.pass(PINGS);
            assertThat(client.read(10)).as("the next ping").isEqualTo(ping);
        }
    }

    @OverHttp1
    void clientThatAnswersNoPingIsGone(Front front) throws Exception {
        BlockingQueue<String> ends = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED);
                    ends.add(c.end());
                });
                TestProxy proxy = TestProxy.start(front, clock, pinging(upstream, TimeoutPolicy.defaults()));
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            clock.passAndLook(PINGS.minusNanos(1));
            assertThat(ends).isEmpty();
            clock.pass(Duration.ofNanos(1));
            assertThat(client.read(2)).isEqualTo("\u0089\u0008");
            clock.pass(PINGS);
            assertThat(ends.poll(30, TimeUnit.SECONDS)).isEqualTo("reset");
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
            assertThat(record.total()).isEqualTo(PINGS.multipliedBy(2));
        }
    }

    @Test
    void pongIsNoActivityOfTheWebSocket() throws Exception {
        TimeoutPolicy limited = TimeoutPolicy.defaults().with(TimeoutClass.WEBSOCKET, PINGS.multipliedBy(5));
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED);
                    c.end();
                });
                TestProxy proxy = TestProxy.start(Front.H1, clock, pinging(upstream, limited));
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            for (int pings = 0; pings < 4; pings++) {
                clock.pass(PINGS);
                client.send(pong(client.read(10)));
                // between two sweeps everything that has come is read
                clock.awaitSweeps(2);
            }
            clock.pass(PINGS);
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.RESPONSE_BODY_IDLE);
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
                    c.send(WebSocketHandshake.ACCEPTED);
                    read.await(30, TimeUnit.SECONDS);
                    c.read(14 + size);
                    c.send("\u0082\u0002ok");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(Front.H1, clock, pinging(upstream, TimeoutPolicy.defaults()));
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            AtomicInteger pieces = new AtomicInteger();
            CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> {
                try {
                    client.send("\u0082\u00ff\0\0\0\0\0\u0080\0\0\0\0\0\0");
                    for (; pieces.get() < 128; pieces.incrementAndGet()) {
                        client.send(new byte[size / 128]);
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            // until all buffers are full
            await().until(() -> {
                int before = pieces.get();
                clock.awaitSweeps(10);
                return before > 0 && pieces.get() == before;
            });
            passPings();
            read.countDown();
            sent.get(30, TimeUnit.SECONDS);
            String frame = client.read(2);
            while (frame.equals("\u0089\u0008")) {
                // from now on it can answer, and has to
                client.send("\u008a\u0088\0\0\0\0" + client.read(8));
                frame = client.read(2);
            }
            assertThat(frame + client.read(2)).isEqualTo("\u0082\u0002ok");
        }
    }

    private void passPings() {
        for (int i = 0; i < 5; i++) {
            clock.passAndLook(PINGS);
        }
    }

    /** Where no ping can be sent, or no pong can come, nobody is gone. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void pingsCutNoHalfClosedTunnel(boolean byUpstream) throws Exception {
        BlockingQueue<String> got = new LinkedBlockingQueue<>();
        CountDownLatch silent = new CountDownLatch(byUpstream ? 0 : 1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED);
                    if (byUpstream) {
                        c.shutdownOutput();
                    }
                    got.add(c.readAll());
                    silent.await(30, TimeUnit.SECONDS);
                    c.send("answer");
                });
                TestProxy proxy = TestProxy.start(Front.H1, clock, pinging(upstream, TimeoutPolicy.defaults()));
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            if (byUpstream) {
                assertThat(client.end()).isEqualTo("end");
                passPings();
            }
            client.send("late").shutdownOutput();
            assertThat(got.poll(30, TimeUnit.SECONDS)).isEqualTo("late");
            if (!byUpstream) {
                passPings();
                silent.countDown();
            }
            assertThat(client.readAll()).isEqualTo(byUpstream ? "" : "answer");
            assertThat(proxy.record().error()).isEmpty();
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

    /**
     * RFC 6455 section 7.4.1: 1001, an endpoint is going away. Between two frames, masked towards the upstream, and
     * nothing behind it.
     */
    @OverHttp1
    void drainSays1001ToBothSidesAndWaitsForTheirAnswers(Front front) throws Exception {
        BlockingQueue<String> upstreamGot = new LinkedBlockingQueue<>();
        CountDownLatch draining = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            c.send(WebSocketHandshake.ACCEPTED + "\u0082\u0005he");
            draining.await(30, TimeUnit.SECONDS);
            upstreamGot.add(unmasked(c.read(8)));
            c.send("llo\u0082\u0004late");
            c.send("\u0088\u0002\u0003\u00e9");
        })) {
            TestProxy proxy =
                    TestProxy.start(front, b -> b.forward(upstream.uri()).drainTime(Duration.ofSeconds(20)));
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketHandshake.REQUEST);
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                assertThat(client.read(4)).isEqualTo("\u0082\u0005he");
                CompletionStage<Void> drained = proxy.server().drain(Duration.ofSeconds(20));
                draining.countDown();
                assertThat(client.read(3)).isEqualTo("llo");
                assertThat(client.read(4)).isEqualTo("\u0088\u0002\u0003\u00e9");
                assertThat(client.end()).isEqualTo("end");
                client.send(masked("\u0088", "\u0003\u00e9"));
                client.close();
                drained.toCompletableFuture().get(30, TimeUnit.SECONDS);
                assertThat(upstreamGot.poll(30, TimeUnit.SECONDS)).isEqualTo("\u0088\u0082\u0003\u00e9");
                assertThat(proxy.record().error()).isEmpty();
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

    /** A side that doesn't answer the close frame holds the drain up for the grace period, not for the drain time. */
    @Test
    void graceEndsBeforeTheDrainTime() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
            c.readHead();
            c.send(WebSocketHandshake.ACCEPTED);
            c.readAll();
            c.end();
        })) {
            TestClock clock = new TestClock();
            TestProxy proxy = TestProxy.start(Front.H1, clock, b -> b.forward(upstream.uri()));
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketHandshake.REQUEST);
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                CompletableFuture<?> drained =
                        proxy.server().drain(Duration.ofMinutes(5)).toCompletableFuture();
                assertThat(client.read(4)).isEqualTo("\u0088\u0002\u0003\u00e9");
                clock.passAndLook(Duration.ofSeconds(5).minusNanos(1));
                assertThat(drained).isNotDone();
                clock.pass(Duration.ofNanos(1));
                drained.get(30, TimeUnit.SECONDS);
                assertThat(client.end()).isEqualTo("end");
            } finally {
                proxy.close();
            }
        }
    }
}
