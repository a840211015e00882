package io.webproxy.blackbox.limits;

import static io.webproxy.timeout.TimeoutClass.DEFAULT;
import static io.webproxy.timeout.TimeoutClass.LONG;
import static io.webproxy.undertow.testing.ScaledTimeouts.SCALED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Upstream;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import okhttp3.Request;
import okhttp3.Response;
import okio.BufferedSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The optional limits of a stream: until its response head, and between two events. The clock is the test's. */
@ExtendWith(LeakCheck.class)
class StreamLimitsTest {
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Duration PATIENT = Duration.ofMillis(2000);
    private static final Duration EVENTS = Duration.ofMillis(500);
    private static final Duration STEP = Duration.ofMillis(400);
    private static final String PING = ": ping\n\n";
    private static final String END = "end";

    // --- until the response head ---

    @OverEachFront
    void firstByteHoldsInPlaceOfTheClassUntilTheHead(Front front) throws Exception {
        TestClock clock = new TestClock();
        Semaphore asked = new Semaphore(0);
        CountDownLatch answer = new CountDownLatch(1);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    boolean answers = c.readHead().startsWith("GET /patient");
                    asked.release();
                    if (answers) {
                        answer.await(30, TimeUnit.SECONDS);
                        c.send("HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶5¶piece¶");
                    }
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        clock,
                        b -> b.timeouts(SCALED.withFirstByte(SHORT))
                                .forward(upstream.uri())
                                .route(r -> r.path("/patient")
                                        .timeouts(SCALED.withFirstByte(PATIENT))
                                        .forward(upstream.uri())))) {
            for (String path : new String[] {"/", "/api/chat"}) {
                Request request = new Request.Builder().url(proxy.url(path)).build();
                Future<String> seen = thread.submit(() -> proxy.outcome(request, new CountDownLatch(1)));
                asked.acquire();
                clock.passAndLook(SHORT.minusNanos(1));
                clock.pass(Duration.ofNanos(1));
                assertThat(seen.get(30, TimeUnit.SECONDS)).isEqualTo("504");
                ExchangeRecord record = proxy.record();
                assertThat(record.error()).contains(ForwardError.RESPONSE_HEAD_TIMEOUT);
                assertThat(record.total()).isEqualTo(SHORT);
                assertThat(record.endClass()).isEqualTo(path.equals("/") ? DEFAULT : LONG);
            }
            Request request = new Request.Builder().url(proxy.url("/patient")).build();
            CountDownLatch begun = new CountDownLatch(1);
            Future<String> seen = thread.submit(() -> proxy.outcome(request, begun));
            asked.acquire();
            clock.passAndLook(PATIENT.minusNanos(1));
            answer.countDown();
            assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
            clock.passAndLook(SCALED.idle(DEFAULT).minusNanos(1));
            clock.pass(Duration.ofNanos(1));
            assertThat(seen.get(30, TimeUnit.SECONDS)).isEqualTo("piece, then an abort");
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.RESPONSE_BODY_IDLE);
            assertThat(record.total())
                    .isEqualTo(PATIENT.plus(SCALED.idle(DEFAULT)).minusNanos(1));
        } finally {
            thread.shutdownNow();
        }
    }

    @Test
    void bytesOfTheRequestBodyThatTheUpstreamTakesRestartTheFirstByte() throws Exception {
        TestClock clock = new TestClock();
        BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    for (int i = 0; i < 3; i++) {
                        arrived.add(c.read(1));
                    }
                    c.send("HTTP/1.1 103 Early Hints¶¶");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1, clock, b -> b.forward(upstream.uri()).timeouts(SCALED.withFirstByte(SHORT)));
                RawConnection client = proxy.raw()) {
            client.send("POST / HTTP/1.1¶Host: localhost¶Content-Length: 3¶¶");
            for (int i = 0; i < 3; i++) {
                clock.passAndLook(SHORT.minusMillis(10));
                client.send("x");
                assertThat(arrived.poll(30, TimeUnit.SECONDS)).isEqualTo("x");
            }
            assertThat(client.readHead()).startsWith("HTTP/1.1 103 ");
            clock.passAndLook(SHORT.minusNanos(1));
            clock.pass(Duration.ofNanos(1));
            assertThat(client.readHead()).startsWith("HTTP/1.1 504 ");
            assertThat(proxy.record().error()).contains(ForwardError.RESPONSE_HEAD_TIMEOUT);
        }
    }

    // --- between two events ---

    private static RawUpstream stream(String framing, BlockingQueue<String> toSend) throws IOException {
        return RawUpstream.start(c -> {
            c.readHead();
            c.send("HTTP/1.1 200 OK¶Content-Type: Text/Event-Stream; charset=utf-8¶" + framing + "¶");
            for (String next = toSend.take(); !next.equals(END); next = toSend.take()) {
                c.send(framing.startsWith("Transfer") ? Integer.toHexString(next.length()) + "¶" + next + "¶" : next);
            }
            c.end();
        });
    }

    private static Http2Upstream stream(BlockingQueue<String> toSend) {
        return Http2Upstream.start(false, exchange -> {
            exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/event-stream");
            OutputStream out = exchange.getOutputStream();
            try {
                for (String next = toSend.take(); !next.equals(END); next = toSend.take()) {
                    out.write(next.getBytes(StandardCharsets.UTF_8));
                    out.flush();
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        });
    }

    /** Each piece is sent when the client has read the one before. */
    private static void exchange(BufferedSource source, BlockingQueue<String> toSend, String piece) throws IOException {
        toSend.add(piece);
        assertThat(source.readUtf8(piece.length())).isEqualTo(piece);
    }

    private static void endsWithoutEvents(TestProxy proxy, TestClock clock, BlockingQueue<String> toSend)
            throws Exception {
        toSend.add("data: 1\n\n");
        try (Response response = proxy.get("/")) {
            BufferedSource source = response.body().source();
            assertThat(source.readUtf8(9)).isEqualTo("data: 1\n\n");
            clock.passAndLook(STEP);
            exchange(source, toSend, PING);
            exchange(source, toSend, "id: 2\r\n");
            clock.passAndLook(STEP);
            exchange(source, toSend, "\r");
            clock.passAndLook(STEP);
            exchange(source, toSend, "\n: pi");
            exchange(source, toSend, "ng\r\n\n\r" + PING);
            clock.passAndLook(EVENTS.minus(STEP).minusNanos(1));
            clock.pass(Duration.ofNanos(1));
            assertThatThrownBy(source::readByteString).isInstanceOf(IOException.class);
        }
        ExchangeRecord record = proxy.record();
        assertThat(record.error()).contains(ForwardError.RESPONSE_BODY_IDLE);
        assertThat(record.total()).isEqualTo(STEP.multipliedBy(2).plus(EVENTS));
        toSend.add(END);
    }

    @OverEachFront
    void upstreamThatOnlyPingsIsCut(Front front) throws Exception {
        for (String framing :
                new String[] {"Transfer-Encoding: chunked¶", "Content-Length: 1000¶", "X-Framing: close¶"}) {
            TestClock clock = new TestClock();
            BlockingQueue<String> toSend = new LinkedBlockingQueue<>();
            try (RawUpstream upstream = stream(framing, toSend);
                    TestProxy proxy = TestProxy.start(
                            front, clock, b -> b.forward(upstream.uri()).timeouts(SCALED.withEventSilence(EVENTS)))) {
                endsWithoutEvents(proxy, clock, toSend);
            }
        }
    }

    @OverBothVersions
    void upstreamOverHttp2ThatOnlyPingsIsCut(Front front) throws Exception {
        TestClock clock = new TestClock();
        BlockingQueue<String> toSend = new LinkedBlockingQueue<>();
        try (Http2Upstream upstream = stream(toSend);
                TestProxy proxy = TestProxy.start(
                        front,
                        clock,
                        b -> b.route(r -> r.forward(upstream.upstream()).timeouts(SCALED.withEventSilence(EVENTS))))) {
            endsWithoutEvents(proxy, clock, toSend);
        }
    }

    /** The proxy's own comments keep the client's side alive, and never the upstream. */
    @Test
    void heartbeatsOfTheRouteAreNoEvents() throws Exception {
        TestClock clock = new TestClock();
        BlockingQueue<String> toSend = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = stream("Transfer-Encoding: chunked¶", toSend);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        b -> b.route(r -> r.forward(upstream.uri())
                                .sseHeartbeat(SHORT)
                                .timeouts(SCALED.withEventSilence(EVENTS))));
                Response response = proxy.get("/")) {
            BufferedSource source = response.body().source();
            clock.pass(SHORT);
            assertThat(source.readUtf8(3)).isEqualTo(":\n\n");
            exchange(source, toSend, PING);
            clock.pass(SHORT);
            assertThat(source.readUtf8(3)).isEqualTo(":\n\n");
            clock.pass(EVENTS.minus(SHORT).minus(SHORT));
            assertThatThrownBy(source::readByteString).isInstanceOf(IOException.class);
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.RESPONSE_BODY_IDLE);
            assertThat(record.total()).isEqualTo(EVENTS);
            toSend.add(END);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "false, text/event-stream, identity-is-absent",
        "true, text/event-stream, gzip",
        "true, application/x-ndjson, identity-is-absent",
        "true, text/event-streams, identity-is-absent"
    })
    void pingsKeepAlive(boolean limited, String type, String coding) throws Exception {
        TestClock clock = new TestClock();
        BlockingQueue<String> toSend = new LinkedBlockingQueue<>();
        TimeoutPolicy policy = limited ? SCALED.withEventSilence(EVENTS) : SCALED;
        try (Http2Upstream upstream = Http2Upstream.start(false, exchange -> {
                    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, type);
                    if (coding.equals("gzip")) {
                        exchange.getResponseHeaders().put(new HttpString("Content-Encoding"), coding);
                    }
                    try {
                        for (String next = toSend.take(); !next.equals(END); next = toSend.take()) {
                            exchange.getOutputStream().write(next.getBytes(StandardCharsets.UTF_8));
                            exchange.getOutputStream().flush();
                        }
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        b -> b.route(r -> r.forward(upstream.upstream()).timeouts(policy)))) {
            Request request = new Request.Builder()
                    .url(proxy.url("/"))
                    .header("Accept-Encoding", "identity")
                    .build();
            toSend.add(PING);
            try (Response response = proxy.client().newCall(request).execute()) {
                BufferedSource source = response.body().source();
                assertThat(source.readUtf8(PING.length())).isEqualTo(PING);
                for (int i = 0; i < 4; i++) {
                    clock.passAndLook(STEP);
                    exchange(source, toSend, PING);
                }
                toSend.add(END);
                assertThat(source.readUtf8()).isEmpty();
            }
            assertThat(proxy.record().error()).isEmpty();
        }
    }

    /** A limit above that of the class doesn't lengthen it. */
    @Test
    void silenceOfTheClassHoldsBesideThatOfEvents() throws Exception {
        TestClock clock = new TestClock();
        BlockingQueue<String> toSend = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = stream("Transfer-Encoding: chunked¶", toSend);
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        b -> b.forward(upstream.uri()).timeouts(SCALED.withEventSilence(Duration.ofHours(1))));
                Response response = proxy.get("/")) {
            exchange(response.body().source(), toSend, PING);
            clock.passAndLook(SCALED.idle(LONG).minusNanos(1));
            clock.pass(Duration.ofNanos(1));
            assertThatThrownBy(response.body().source()::readByteString).isInstanceOf(IOException.class);
            assertThat(proxy.record().total()).isEqualTo(SCALED.idle(LONG));
            toSend.add(END);
        }
    }
}
