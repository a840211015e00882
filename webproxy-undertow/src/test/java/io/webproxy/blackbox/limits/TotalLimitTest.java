package io.webproxy.blackbox.limits;

import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.ScaledTimeouts;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import okhttp3.Request;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The optional limit of a whole exchange: it ends what is busy, and only that. */
@ExtendWith(LeakCheck.class)
class TotalLimitTest {
    @OverEachFront
    void totalLimitEndsWhatIsBusy(Front front) throws Exception {
        TimeoutPolicy total = ScaledTimeouts.SCALED.withTotal(Duration.ofMillis(800));
        TestClock clock = new TestClock();
        Semaphore asked = new Semaphore(0);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    boolean silent = c.readHead().startsWith("GET /silent.zip ");
                    asked.release();
                    if (silent) {
                        c.end();
                    }
                    c.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶Transfer-Encoding: chunked¶¶5¶piece¶");
                    while (true) {
                        c.trickle("1\r\nx\r\n", Duration.ofMillis(1));
                    }
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(total))) {
            for (String path : List.of("/busy", "/silent.zip")) {
                boolean busy = path.equals("/busy");
                Request request = new Request.Builder().url(proxy.url(path)).build();
                CountDownLatch begun = new CountDownLatch(busy ? 1 : 0);
                Future<String> seen = thread.submit(() -> proxy.outcome(request, begun));
                asked.acquire();
                assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
                clock.passAndLook(Duration.ofMillis(400));
                clock.passAndLook(Duration.ofMillis(400).minusNanos(1));
                clock.pass(Duration.ofNanos(1));
                assertThat(seen.get(30, TimeUnit.SECONDS)).isEqualTo(busy ? "piece, then an abort" : "504");
                ExchangeRecord record = proxy.record();
                assertThat(record.error()).contains(ForwardError.TOTAL_TIMEOUT);
                assertThat(record.status()).isEqualTo(busy ? 200 : 504);
                assertThat(record.total()).isEqualTo(total.total());
            }
        } finally {
            thread.shutdownNow();
        }
    }

    /** The client's window takes the 504 only later: the limit that caused the answer must not cut it. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H2_TLS", "H2_TLS_JDK"})
    void totalLimitLeavesItsOwn504Alone(Front front) throws Exception {
        TimeoutPolicy total = TimeoutPolicy.defaults().withTotal(Duration.ofMillis(200));
        TestClock clock = new TestClock();
        CountDownLatch asked = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    asked.countDown();
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(total));
                Http2Client client = Http2Client.open(proxy)) {
            // RFC 9113 section 6.5.2: SETTINGS_INITIAL_WINDOW_SIZE
            client.send(Http2Client.SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 1});
            client.request(1, "GET", "/", "localhost");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.pass(total.total());
            assertThat(client.answer(1)).isEqualTo("504");
            assertThat(client.read(1).payload()).hasSize(1);
            clock.passAndLook(Duration.ofMillis(300));
            client.send(Http2Client.WINDOW_UPDATE, 0, 1, new byte[] {0, 0, 100, 0});
            assertThat(client.read(1).type()).isEqualTo(Http2Client.DATA);
            assertThat(proxy.record().error()).contains(ForwardError.TOTAL_TIMEOUT);
        }
    }

    @Test
    void totalLimitLeavesAWebSocketAlone() throws Exception {
        TimeoutPolicy total = ScaledTimeouts.SCALED.withTotal(Duration.ofSeconds(1));
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(WebSocketHandshake.ACCEPTED);
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1, clock, b -> b.forward(upstream.uri()).timeouts(total));
                RawConnection client = proxy.raw()) {
            client.send(WebSocketHandshake.REQUEST);
            assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
            clock.passAndLook(total.idle(WEBSOCKET).minusNanos(1));
            clock.pass(Duration.ofNanos(1));
            assertThat(client.end()).isIn("end", "reset");
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.RESPONSE_BODY_IDLE);
            assertThat(record.total()).isEqualTo(total.idle(WEBSOCKET));
        }
    }
}
