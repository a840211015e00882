package io.webproxy.blackbox.limits;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Clients that send as slowly as they can: they get an answer where one is possible, and hold nothing for longer than a
 * limit.
 */
@ExtendWith(LeakCheck.class)
class SlowPeersTest {
    private static final HttpLimits FAST = HttpLimits.defaults().withRequestBodyRate(10_000, Duration.ofMillis(200));

    /** What the upstream saw of a body that never became complete. */
    private static RawUpstream listening(CountDownLatch aborted) throws Exception {
        return RawUpstream.start(c -> {
            c.readHead();
            String end = c.end();
            while (end.startsWith("byte ")) {
                end = c.end();
            }
            assertThat(end).isEqualTo("reset");
            aborted.countDown();
        });
    }

    @OverEachFront
    void bodyThatTricklesIs408(Front front) throws Exception {
        CountDownLatch aborted = new CountDownLatch(1);
        try (RawUpstream upstream = listening(aborted);
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).tuning(t -> t.withHttp(FAST)))) {
            if (front.isHttp2()) {
                try (Http2Client client = Http2Client.open(proxy)) {
                    client.open(1, "POST", "/", "localhost", "content-length", "100000");
                    client.send(Http2Client.DATA, 0, 1, new byte[10]);
                    assertThat(client.answer(1)).isEqualTo("408");
                }
            } else {
                try (RawConnection client = proxy.raw()) {
                    client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: 100000¶¶0123456789");
                    assertThat(client.readResponse()).startsWith("HTTP/1.1 408 ");
                    assertThat(client.end()).isEqualTo("end");
                }
            }
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(408);
            assertThat(record.error()).contains(ForwardError.REQUEST_REJECTED);
            assertThat(record.total()).isGreaterThan(Duration.ofMillis(200));
            assertThat(aborted.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void chunkedBodyThatTricklesIs408() throws Exception {
        CountDownLatch aborted = new CountDownLatch(1);
        try (RawUpstream upstream = listening(aborted);
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(upstream.uri()).tuning(t -> t.withHttp(FAST)));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Transfer-Encoding: chunked¶¶1¶x¶1");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 408 ");
            assertThat(aborted.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** The client is ready to send, the upstream takes nothing: nobody may blame the client. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void bodyThatTheUpstreamDoesNotTakeIsNotSlow(Front front) throws Exception {
        byte[] body = new byte[16 << 20];
        CountDownLatch silent = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    silent.await(30, TimeUnit.SECONDS);
                    // early, so that only what the buffers hold has to come: how long all of it takes depends on the
                    // machine
                    c.send("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        clock,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp(FAST.withRequestBodyRate(100 << 20, Duration.ofSeconds(10)))));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: " + body.length + "¶¶");
            AtomicInteger sent = new AtomicInteger();
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                try {
                    while (sent.get() < body.length) {
                        client.send(Arrays.copyOf(body, 64 << 10));
                        sent.addAndGet(64 << 10);
                    }
                } catch (IOException e) {
                    // the rest isn't wanted
                }
            });
            // until the buffers are full the client is waited for, and the time would count against it
            int before;
            do {
                before = sent.get();
                clock.awaitSweeps(20);
            } while (before == 0 || sent.get() > before);
            for (int i = 0; i < 20; i++) {
                clock.pass(Duration.ofSeconds(1));
            }
            silent.countDown();
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ");
            client.close();
            sending.get(30, TimeUnit.SECONDS);
        }
    }

    /** Both sides talk at once: with a response under way the rate is nobody's business. */
    @Test
    void bodyBehindAResponseThatHasBegunMayTrickle() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶Transfer-Encoding: chunked¶¶2¶ok¶");
                    c.trickle("2\r\nok\r\n".repeat(6), Duration.ofMillis(50));
                    c.send("0¶¶");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp(
                                        HttpLimits.defaults().withRequestBodyRate(10_000, Duration.ofSeconds(1)))));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: 100000¶¶0123456789");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 200 ").endsWith("0\r\n\r\n");
        }
    }
}
