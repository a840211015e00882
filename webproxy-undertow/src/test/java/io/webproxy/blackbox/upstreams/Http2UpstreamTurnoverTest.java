package io.webproxy.blackbox.upstreams;

import static io.webproxy.undertow.testing.Http2Client.ACK;
import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.PING;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static io.webproxy.undertow.testing.Http2Client.SETTINGS;
import static io.webproxy.undertow.testing.Http2Client.WINDOW_UPDATE;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.PoolLimits;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that go on over another connection of HTTP/2 when theirs has ended. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class Http2UpstreamTurnoverTest {
    private static final int NO_ERROR = 0;
    private static final int REFUSED_STREAM = 7;
    /** What is kept of a body at most. */
    private static final int KEPT = 16 * 1024;

    private static final int LARGE = 100_000;

    private final AtomicInteger connections = new AtomicInteger();

    private static void answerAll(Http2Client peer) throws IOException {
        while (true) {
            peer.respond(peer.next(HEADERS).stream(), END_STREAM, "200");
        }
    }

    private static byte[] goAway(int last) {
        return ByteBuffer.allocate(8).putInt(last).putInt(NO_ERROR).array();
    }

    @Test
    void thoseWhoseConnectionBreaksShareTheNextWhereThereMayBeOneOnly() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    if (connections.incrementAndGet() > 1) {
                        answerAll(peer);
                    }
                    peer.respond(peer.next(HEADERS).stream(), END_STREAM, "200");
                    for (int i = 0; i < 3; i++) {
                        peer.next(HEADERS);
                    }
                    peer.close();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.tuning(t -> t.withIoThreads(1)
                                        .withPool(PoolLimits.defaults().withConnections(1)))
                                .forward("h2c://" + upstream.address()));
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost");
            assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            for (int i = 0; i < 3; i++) {
                client.request(3 + 2 * i, "GET", "/", "localhost");
            }
            for (int i = 0; i < 3; i++) {
                assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            }
            assertThat(connections).hasValue(2);
        }
    }

    /** More of the body may come than is kept to be sent again, while the next connection is being opened. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bodyThatComesBetweenTwoConnectionsWaitsForTheNext(boolean chunked) throws Exception {
        CountDownLatch refused = new CountDownLatch(1);
        CountDownLatch sent = new CountDownLatch(1);
        BlockingQueue<byte[]> bodies = new LinkedBlockingQueue<>();
        byte[] body = new byte[LARGE];
        new Random(1).nextBytes(body);
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    if (connections.incrementAndGet() == 1) {
                        Http2Client peer = Http2Client.serve(raw);
                        peer.next(HEADERS);
                        peer.send(GOAWAY, 0, 0, goAway(0));
                        peer.end();
                        return;
                    }
                    refused.countDown();
                    sent.await(30, TimeUnit.SECONDS);
                    Http2Client peer = Http2Client.serve(raw);
                    int stream = peer.next(HEADERS).stream();
                    peer.send(
                            WINDOW_UPDATE,
                            0,
                            0,
                            ByteBuffer.allocate(4).putInt(LARGE).array());
                    peer.send(
                            WINDOW_UPDATE,
                            0,
                            stream,
                            ByteBuffer.allocate(4).putInt(LARGE).array());
                    ByteArrayOutputStream all = new ByteArrayOutputStream();
                    Frame frame = peer.next(DATA);
                    all.writeBytes(frame.payload());
                    while ((frame.flags() & END_STREAM) == 0) {
                        frame = peer.next(DATA);
                        all.writeBytes(frame.payload());
                    }
                    bodies.add(all.toByteArray());
                    peer.respond(stream, END_STREAM, "200");
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(Front.H1, "h2c://" + upstream.address());
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶"
                    + (chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + LARGE)
                    + "¶¶");
            assertThat(refused.await(30, TimeUnit.SECONDS)).isTrue();
            if (chunked) {
                client.send(Integer.toHexString(LARGE) + "¶");
            }
            client.send(Arrays.copyOf(body, KEPT + 1));
            sent.countDown();
            client.send(Arrays.copyOfRange(body, KEPT + 1, LARGE));
            if (chunked) {
                client.send("¶0¶¶");
            }
            assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            assertThat(bodies.poll(30, TimeUnit.SECONDS)).isEqualTo(body);
        }
    }

    @Test
    void bodyThatNoOtherConnectionTakesHoldsNothingUp() throws Exception {
        TestClock clock = new TestClock();
        CountDownLatch refused = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    if (connections.incrementAndGet() == 1) {
                        Http2Client peer = Http2Client.serve(raw);
                        peer.next(HEADERS);
                        peer.send(GOAWAY, 0, 0, goAway(0));
                        peer.end();
                    } else {
                        refused.countDown();
                        raw.readAll();
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        b -> b.timeouts(TimeoutPolicy.defaults().withConnect(Duration.ofMillis(300)))
                                .forward("h2c://" + upstream.address()));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶Content-Length: " + LARGE + "¶¶");
            assertThat(refused.await(30, TimeUnit.SECONDS)).isTrue();
            client.send(new byte[KEPT + 1]);
            clock.pass(Duration.ofMillis(300));
            assertThat(client.readHead()).startsWith("HTTP/1.1 504 ");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {GOAWAY, RST_STREAM})
    void whatAnInterimResponseHasComeForIsNotSentAgain(int refusal) throws Exception {
        BlockingQueue<Integer> taken = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw);
                    int stream = peer.next(HEADERS).stream();
                    taken.add(stream);
                    if (connections.incrementAndGet() > 1) {
                        peer.respond(stream, END_STREAM, "200");
                        peer.end();
                        return;
                    }
                    peer.respond(stream, 0, "103");
                    peer.send(
                            refusal,
                            0,
                            refusal == GOAWAY ? 0 : stream,
                            refusal == GOAWAY
                                    ? goAway(0)
                                    : ByteBuffer.allocate(4)
                                            .putInt(REFUSED_STREAM)
                                            .array());
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(Front.H1, "h2c://" + upstream.address());
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 0¶¶");
            assertThat(client.readHead()).startsWith("HTTP/1.1 103 ");
            assertThat(client.readHead()).startsWith("HTTP/1.1 502 ");
            assertThat(taken).hasSize(1);
        }
    }

    /**
     * An upstream may allow no streams for a while (RFC 9113 section 6.5.2), which is no reason to open more and more
     * connections.
     */
    @Test
    void upstreamThatAllowsNoStreamsIsWaitedFor() throws Exception {
        int maxConcurrentStreams = 3;
        CountDownLatch settled = new CountDownLatch(1);
        CountDownLatch raise = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    connections.incrementAndGet();
                    Http2Client peer = Http2Client.serve(raw, maxConcurrentStreams, 0);
                    Frame frame = peer.next(SETTINGS);
                    while ((frame.flags() & ACK) == 0) {
                        frame = peer.next(SETTINGS);
                    }
                    settled.countDown();
                    raise.await(30, TimeUnit.SECONDS);
                    peer.send(SETTINGS, 0, 0, new byte[] {0, 3, 0, 0, 0, 1});
                    answerAll(peer);
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS, b -> b.tuning(t -> t.withIoThreads(1)).forward("h2c://" + upstream.address()));
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost");
            assertThat(settled.await(30, TimeUnit.SECONDS)).isTrue();
            client.request(3, "GET", "/", "localhost");
            client.request(5, "GET", "/", "localhost");
            client.send(PING, 0, 0, new byte[8]);
            client.next(PING);
            assertThat(connections).hasValue(1);
            raise.countDown();
            for (int i = 0; i < 3; i++) {
                assertThat(client.status(client.next(HEADERS))).isEqualTo("200");
            }
        }
    }
}
