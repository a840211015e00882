package io.webproxy.blackbox.streaming;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How streams of HTTP/2 end, and what that leaves to the connection and its IO thread: over TLS, and in cleartext by
 * prior knowledge.
 */
@ExtendWith(LeakCheck.class)
class Http2EndingsTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 0¶¶";

    /** All connections share the thread, so that one which spins holds up all. */
    private static TestProxy oneThread(Front front, String upstream) {
        return TestProxy.start(front, b -> b.forward(upstream).tuning(t -> t.withIoThreads(1)));
    }

    private static void assertServes(TestProxy proxy) throws Exception {
        try (Http2Client other = Http2Client.open(proxy)) {
            other.request(1, "GET", "/", "localhost");
            assertThat(other.answer(1)).isEqualTo("200");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS", "H2_TLS_JDK"})
    void requestThatEndsAfterItsAnswerLeavesTheThreadFree(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = oneThread(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/", "localhost");
            client.send(DATA, 0, 1, new byte[100]);
            assertThat(client.answer(1)).isEqualTo("200");
            client.send(DATA, END_STREAM, 1, new byte[100]);
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
            assertServes(proxy);
            proxy.awaitIdle();
        }
    }

    @OverBothVersions
    void refusedTunnelWhoseClientEndsItsSideLeavesTheConnection(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    if (c.readHead().startsWith("GET /ws")) {
                        c.send("HTTP/1.1 403 Forbidden¶Content-Length: 3¶¶no!");
                    } else {
                        c.send(OK);
                    }
                });
                TestProxy proxy = oneThread(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.send(HEADERS, END_HEADERS, 1, connect());
            client.send(DATA, 0, 1, new byte[100]);
            assertThat(client.answer(1)).isEqualTo("403");
            assertThat(client.read(1).payload()).asString().isEqualTo("no!");
            client.send(DATA, END_STREAM, 1, new byte[10]);
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
        }
    }

    private static byte[] connect() {
        return fields(
                ":method",
                "CONNECT",
                ":protocol",
                "websocket",
                ":scheme",
                "https",
                ":path",
                "/ws",
                ":authority",
                "localhost",
                "sec-websocket-version",
                "13");
    }

    @OverBothVersions
    void lastStreamOfGoAwayNeverRises(Front front) throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.answeringAfter(latch, OK);
                TestProxy proxy = oneThread(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost");
            await().until(() -> upstream.connections() == 1);
            var drained = proxy.server().drain(Duration.ofSeconds(20)).toCompletableFuture();
            Http2Client.Frame announced = client.next(GOAWAY);
            assertThat(announced.lastStream()).isEqualTo(Integer.MAX_VALUE);
            // the round trip isn't answered
            assertThat(client.next(GOAWAY).lastStream()).isEqualTo(1);
            client.request(3, "GET", "/", "localhost");
            assertThat(client.next(RST_STREAM).code()).isEqualTo(7);
            latch.countDown();
            assertThat(client.answer(1)).isEqualTo("200");
            assertThat(client.next(GOAWAY).lastStream()).isEqualTo(1);
            drained.get(30, TimeUnit.SECONDS);
        }
    }

    @OverBothVersions
    void endOfConnectionEndsExchangesInEveryPhase(Front front) throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    if (head.startsWith("GET /body")) {
                        c.send("HTTP/1.1 200 OK¶Content-Length: 100000000¶¶");
                        byte[] some = new byte[64 * 1024];
                        while (true) {
                            c.send(some);
                        }
                    }
                    latch.await(30, TimeUnit.SECONDS);
                });
                TestProxy proxy = oneThread(front, upstream.uri())) {
            for (int round = 0; round < 5; round++) {
                Http2Client client = Http2Client.open(proxy);
                client.request(1, "GET", "/wait", "localhost");
                client.request(3, "GET", "/body", "localhost");
                client.open(5, "POST", "/upload", "localhost");
                client.send(DATA, 0, 5, new byte[10_000]);
                client.open(7, "POST", "/nothing", "localhost");
                // the whole window of the connection, and no more
                int read = 0;
                while (read < 65_535) {
                    Http2Client.Frame frame = client.read();
                    read += frame.type() == DATA ? frame.payload().length : 0;
                }
                if (round % 2 == 0) {
                    client.reset();
                } else {
                    client.close();
                }
                for (int i = 0; i < 4; i++) {
                    ExchangeRecord record = proxy.record();
                    assertThat(record.error()).as(record.path()).isPresent();
                }
                proxy.awaitIdle();
            }
            latch.countDown();
        }
    }
}
