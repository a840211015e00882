package io.webproxy.blackbox.limits;

import static io.webproxy.timeout.TimeoutClass.DEFAULT;
import static io.webproxy.timeout.TimeoutClass.DOWNLOAD;
import static io.webproxy.timeout.TimeoutClass.LONG;
import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;
import static io.webproxy.undertow.testing.ScaledTimeouts.SCALED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutClassifier;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.OverHttp1;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Which class an exchange gets, and what happens when its limit runs out. Real limits are scaled down, and go by a
 * clock that the tests turn.
 */
@ExtendWith(LeakCheck.class)
class TimeoutClassTest {
    private static final Pattern NUMBER = Pattern.compile("n=(\\d+)");
    private static final Duration MOST_OF_DEFAULT = Duration.ofMillis(400);
    private static final int PIECES_MOVED = 3;
    private static final String PIECES = "Transfer-Encoding: chunked¶¶5¶piece¶";

    /**
     * A request, and all that its upstream ever says.
     *
     * @param field {@code name: value}, or empty
     * @param answer the begin of a response, or empty
     */
    private record Case(String path, String field, String answer, TimeoutClass asked, TimeoutClass got) {}

    private static final List<Case> CASES = cases();

    private static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (String path : List.of("/", "/chat", "/apix/chat", "/a.txt", "/zip", "/downloads.html")) {
            cases.add(new Case(path, "", "", DEFAULT, DEFAULT));
        }
        for (String path : List.of(
                "/api/chat",
                "/v1/chat/completions",
                "/api/generate",
                "/generate",
                "/stream",
                "/events",
                "/API/Chat",
                "/x/EVENTS/y")) {
            cases.add(new Case(path, "", "", LONG, LONG));
        }
        for (String type : List.of("text/event-stream", "application/x-ndjson", "text/html, TEXT/event-stream;q=0.5")) {
            cases.add(new Case("/", "Accept: " + type, "", LONG, LONG));
        }
        for (String path : List.of(
                "/a.zip",
                "/a.iso",
                "/m/a.gguf",
                "/a.safetensors",
                "/a.MP4",
                "/a.tar.gz",
                "/download/1",
                "/x/files/y",
                "/download")) {
            cases.add(new Case(path, "", "", DOWNLOAD, DOWNLOAD));
        }
        cases.add(new Case("/", "Accept: application/octet-stream", "", DOWNLOAD, DOWNLOAD));
        cases.add(new Case("/", "Range: bytes=0-9", "", DOWNLOAD, DOWNLOAD));
        cases.add(new Case("/", "", "200 OK¶Content-Type: text/plain¶" + PIECES, DEFAULT, DEFAULT));
        cases.add(new Case("/", "", "200 OK¶Content-Type: text/plain¶Content-Length: 9¶¶piece", DEFAULT, DEFAULT));
        cases.add(new Case("/", "", "200 OK¶Content-Type: text/event-stream¶" + PIECES, DEFAULT, LONG));
        cases.add(new Case("/", "", "200 OK¶Content-Type: Text/Event-Stream; charset=utf-8¶" + PIECES, DEFAULT, LONG));
        cases.add(new Case("/", "", "200 OK¶Content-Type: application/x-ndjson¶" + PIECES, DEFAULT, LONG));
        cases.add(new Case("/", "", "206 Partial Content¶Content-Range: bytes 0-8/9¶" + PIECES, DEFAULT, DOWNLOAD));
        cases.add(new Case("/", "", "200 OK¶Content-Disposition: attachment¶" + PIECES, DEFAULT, DOWNLOAD));
        cases.add(new Case(
                "/", "", "200 OK¶Content-Disposition: Attachment; filename=\"a\"¶" + PIECES, DEFAULT, DOWNLOAD));
        cases.add(new Case("/", "", "200 OK¶Content-Disposition: inline¶" + PIECES, DEFAULT, DEFAULT));
        cases.add(new Case("/api/chat", "", "200 OK¶Content-Disposition: attachment¶" + PIECES, LONG, DOWNLOAD));
        // never downgraded
        cases.add(new Case("/api/chat", "", "200 OK¶Content-Type: text/plain¶" + PIECES, LONG, LONG));
        cases.add(new Case("/a.zip", "", "200 OK¶Content-Type: text/event-stream¶" + PIECES, DOWNLOAD, DOWNLOAD));
        return cases;
    }

    private static RawUpstream upstream(CountDownLatch silent) throws IOException {
        return RawUpstream.start(c -> {
            Matcher number = NUMBER.matcher(c.readHead());
            if (number.find()) {
                String answer = CASES.get(Integer.parseInt(number.group(1))).answer();
                if (answer.isEmpty()) {
                    silent.countDown();
                } else {
                    c.send("HTTP/1.1 " + answer);
                }
            }
            c.end();
        });
    }

    @OverEachFront
    void everyTriggerGetsItsClassAndIsCutAtItsLimit(Front front) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(CASES.size());
        int answered =
                (int) CASES.stream().filter(one -> !one.answer().isEmpty()).count();
        CountDownLatch silent = new CountDownLatch(CASES.size() - answered);
        CountDownLatch begun = new CountDownLatch(answered);
        TestClock clock = new TestClock();
        try (RawUpstream upstream = upstream(silent);
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(SCALED))) {
            List<Future<String>> seen = new ArrayList<>();
            for (int i = 0; i < CASES.size(); i++) {
                Request request = request(proxy, i);
                seen.add(threads.submit(() -> proxy.outcome(request, begun)));
            }
            assertThat(silent.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
            Duration passed = Duration.ZERO;
            int ended = 0;
            for (TimeoutClass next : List.of(DEFAULT, LONG, DOWNLOAD)) {
                clock.passAndLook(SCALED.idle(next).minus(passed).minusNanos(1));
                assertThat(proxy.ended()).isEqualTo(ended);
                clock.pass(Duration.ofNanos(1));
                passed = SCALED.idle(next);
                for (long left = CASES.stream().filter(one -> one.got() == next).count(); left > 0; left--) {
                    ExchangeRecord record = proxy.record();
                    ended++;
                    Case sent = CASES.get(Integer.parseInt(record.query().substring(2)));
                    assertThat(record.startClass()).as(sent.toString()).isEqualTo(sent.asked());
                    assertThat(record.endClass()).as(sent.toString()).isEqualTo(sent.got());
                    assertThat(record.error())
                            .as(sent.toString())
                            .contains(
                                    sent.answer().isEmpty()
                                            ? ForwardError.RESPONSE_HEAD_TIMEOUT
                                            : ForwardError.RESPONSE_BODY_IDLE);
                    assertThat(record.total()).as(sent.toString()).isEqualTo(SCALED.idle(sent.got()));
                }
            }
            for (int i = 0; i < CASES.size(); i++) {
                assertThat(seen.get(i).get(30, TimeUnit.SECONDS))
                        .as(CASES.get(i).toString())
                        .isEqualTo(CASES.get(i).answer().isEmpty() ? "504" : "piece, then an abort");
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static Request request(TestProxy proxy, int number) {
        Case sent = CASES.get(number);
        Request.Builder request = new Request.Builder().url(proxy.url(sent.path() + "?n=" + number));
        int colon = sent.field().indexOf(": ");
        if (colon > 0) {
            request.header(sent.field().substring(0, colon), sent.field().substring(colon + 2));
        }
        return request.build();
    }

    @OverHttp1
    void webSocketIsUnderDefaultUntilIts101AndUnderItsOwnLimitBehindIt(Front front) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    if (c.readHead().startsWith("GET /stream/silent ")) {
                        asked.countDown();
                        c.end();
                    }
                    c.send(WebSocketHandshake.ACCEPTED);
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(SCALED))) {
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketHandshake.REQUEST.replace("/ws", "/stream/silent"));
                assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
                clock.pass(SCALED.idle(DEFAULT));
                assertThat(client.readHead()).startsWith("HTTP/1.1 504 ");
            }
            ExchangeRecord handshake = proxy.record();
            assertThat(handshake.endClass()).isEqualTo(DEFAULT);
            assertThat(handshake.error()).contains(ForwardError.RESPONSE_HEAD_TIMEOUT);
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketHandshake.REQUEST.replace("/ws", "/api/chat"));
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                clock.passAndLook(SCALED.idle(WEBSOCKET).minusNanos(1));
                clock.pass(Duration.ofNanos(1));
                assertThat(client.end()).isIn("end", "reset");
            }
            ExchangeRecord tunnel = proxy.record();
            assertThat(tunnel.startClass()).isEqualTo(DEFAULT);
            assertThat(tunnel.endClass()).isEqualTo(WEBSOCKET);
            assertThat(tunnel.error()).contains(ForwardError.RESPONSE_BODY_IDLE);
            assertThat(tunnel.total()).isEqualTo(SCALED.idle(WEBSOCKET));
        }
    }

    /** A shorter limit of the response's class changes nothing, and a tie keeps the class. */
    @OverBothVersions
    void responseNeverShortensTheWait(Front front) throws Exception {
        TimeoutPolicy odd = SCALED.with(DOWNLOAD, Duration.ofMillis(100)).with(LONG, Duration.ofMillis(600));
        TestClock clock = new TestClock();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    boolean download = c.readHead().startsWith("GET /download-later ");
                    c.send("HTTP/1.1 200 OK¶"
                            + (download ? "Content-Disposition: attachment¶" : "Content-Type: text/event-stream¶")
                            + PIECES);
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(odd))) {
            for (String path : List.of("/download-later", "/other")) {
                Request request = new Request.Builder().url(proxy.url(path)).build();
                CountDownLatch begun = new CountDownLatch(1);
                Future<String> seen = thread.submit(() -> proxy.outcome(request, begun));
                assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
                clock.passAndLook(odd.idle(DEFAULT).minusNanos(1));
                clock.pass(Duration.ofNanos(1));
                assertThat(seen.get(30, TimeUnit.SECONDS)).isEqualTo("piece, then an abort");
                ExchangeRecord record = proxy.record();
                assertThat(record.endClass()).isEqualTo(DEFAULT);
                assertThat(record.total()).isEqualTo(odd.idle(DEFAULT));
            }
        } finally {
            thread.shutdownNow();
        }
    }

    /** What moves for longer than the limit isn't cut, whichever side moves it. */
    @OverEachFront
    void anyByteInEitherDirectionRestartsTheWait(Front front) throws Exception {
        TestClock clock = new TestClock();
        BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
        BlockingQueue<String> toSend = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    if (c.readHead().startsWith("POST")) {
                        // silent until the whole upload is there
                        for (int i = 0; i < PIECES_MOVED; i++) {
                            arrived.add(c.read(1));
                        }
                        c.send("HTTP/1.1 200 OK¶Content-Length: 4¶¶took");
                    } else {
                        // the upload mustn't meet a connection that ends
                        c.send("HTTP/1.1 200 OK¶Connection: close¶Content-Length: " + PIECES_MOVED + "¶¶");
                        for (int i = 0; i < PIECES_MOVED; i++) {
                            c.send(toSend.take());
                        }
                    }
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(SCALED))) {
            try (Response response = proxy.get("/down")) {
                for (int i = 0; i < PIECES_MOVED; i++) {
                    clock.passAndLook(MOST_OF_DEFAULT);
                    toSend.add("x");
                    assertThat(response.body().source().readUtf8(1)).isEqualTo("x");
                }
            }
            Request upload = new Request.Builder()
                    .url(proxy.url("/up"))
                    .post(new Trickle(clock, arrived))
                    .build();
            try (Response response = proxy.client().newCall(upload).execute()) {
                assertThat(response.body().string()).isEqualTo("took");
            }
            assertThat(proxy.record().total()).isGreaterThan(SCALED.idle(DEFAULT));
            assertThat(proxy.record().total()).isGreaterThan(SCALED.idle(DEFAULT));
            assertThat(upstream.failures()).isEmpty();
        }
    }

    /** An upload each byte of which is sent when the one before has arrived, and most of the limit has passed since. */
    private static final class Trickle extends RequestBody {
        private final TestClock clock;
        private final BlockingQueue<String> arrived;

        Trickle(TestClock clock, BlockingQueue<String> arrived) {
            this.clock = clock;
            this.arrived = arrived;
        }

        @Override
        public @Nullable MediaType contentType() {
            return null;
        }

        @Override
        public long contentLength() {
            return PIECES_MOVED;
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            try {
                for (int i = 0; i < PIECES_MOVED; i++) {
                    sink.writeByte('x').flush();
                    if (!"x".equals(arrived.poll(30, TimeUnit.SECONDS))) {
                        throw new IOException("byte " + i + " has not arrived");
                    }
                    if (i < PIECES_MOVED - 1) {
                        clock.passAndLook(MOST_OF_DEFAULT);
                    }
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    /** Neither a head that trickles nor early hints without end keep an exchange alive. */
    @OverEachFront
    void bytesOfTheHeadAreNoActivity(Front front) throws Exception {
        TestClock clock = new TestClock();
        Semaphore next = new Semaphore(0);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    boolean hints = c.readHead().startsWith("GET /hints ");
                    c.send(hints ? "HTTP/1.1 103 ¶¶" : "HTTP/1.1 200 OK¶X-Long: ");
                    next.release();
                    for (int i = 0; i < 20; i++) {
                        RawConnection.pace(Duration.ofMillis(2));
                        c.send(hints ? "HTTP/1.1 103 ¶¶" : "x");
                    }
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        front, clock, b -> b.forward(upstream.uri()).timeouts(SCALED))) {
            for (String path : List.of("/hints", "/trickle")) {
                Request request = new Request.Builder().url(proxy.url(path)).build();
                Future<String> seen = thread.submit(() -> proxy.outcome(request, new CountDownLatch(1)));
                next.acquire();
                clock.passAndLook(MOST_OF_DEFAULT);
                clock.pass(SCALED.idle(DEFAULT).minus(MOST_OF_DEFAULT));
                assertThat(seen.get(30, TimeUnit.SECONDS)).isEqualTo("504");
                ExchangeRecord record = proxy.record();
                assertThat(record.error()).contains(ForwardError.RESPONSE_HEAD_TIMEOUT);
                assertThat(record.total()).isEqualTo(SCALED.idle(DEFAULT));
            }
        } finally {
            thread.shutdownNow();
        }
    }

    @Test
    void keptConnectionStartsEachExchangeAnew() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Disposition: attachment¶Content-Length: 2¶¶ok");
                    c.readHead();
                    asked.countDown();
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1, clock, b -> b.forward(upstream.uri()).timeouts(SCALED));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
            clock.pass(SCALED.idle(DEFAULT));
            assertThat(client.readResponse()).startsWith("HTTP/1.1 504 ");
            assertThat(proxy.record().endClass()).isEqualTo(DOWNLOAD);
            ExchangeRecord second = proxy.record();
            assertThat(second.endClass()).isEqualTo(DEFAULT);
            assertThat(second.total()).isEqualTo(SCALED.idle(DEFAULT));
        }
    }

    @Test
    void routeHasItsOwnClassifierAndLimits() throws Exception {
        TimeoutPolicy own = SCALED.with(LONG, Duration.ofMillis(200)).plusLongPaths("/v1/thoughts");
        TestClock clock = new TestClock();
        Semaphore asked = new Semaphore(0);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    asked.release();
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        clock,
                        b -> b.forward(upstream.uri())
                                .timeouts(SCALED)
                                .route(r ->
                                        r.path("/v1").forward(upstream.uri()).timeouts(own)))) {
            for (String path : List.of("/v1/thoughts", "/v2/v1/thoughts")) {
                try (RawConnection client = proxy.raw()) {
                    client.send("GET " + path + " HTTP/1.1¶Host: localhost¶¶");
                    asked.acquire();
                    clock.pass(path.startsWith("/v1") ? own.idle(LONG) : SCALED.idle(DEFAULT));
                    assertThat(client.readHead()).startsWith("HTTP/1.1 504 ");
                }
            }
            ExchangeRecord first = proxy.record();
            assertThat(first.endClass()).isEqualTo(LONG);
            assertThat(first.total()).isEqualTo(own.idle(LONG));
            assertThat(proxy.record().endClass()).isEqualTo(DEFAULT);
        }
    }

    @OverEachFront
    void observerSeesTheClassAsItChanges(Front front) throws Exception {
        Queue<ExchangeRecord> changes = new ConcurrentLinkedQueue<>();
        ProxyObserver observer = new ProxyObserver() {
            @Override
            public void timeoutClassChanged(ExchangeRecord soFar) {
                changes.add(soFar);
            }
        };
        try (RawUpstream upstream =
                        RawUpstream.answering("HTTP/1.1 200 OK¶Content-Disposition: attachment¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.name("all").forward(upstream.uri())).observer(observer))) {
            for (String path : List.of("/api/chat?q", "/a.zip")) {
                try (Response response = proxy.get(path)) {
                    assertThat(response.body().string()).isEqualTo("ok");
                }
                proxy.record();
            }
            assertThat(changes)
                    .extracting(
                            ExchangeRecord::path,
                            ExchangeRecord::route,
                            ExchangeRecord::startClass,
                            ExchangeRecord::endClass,
                            ExchangeRecord::status)
                    .containsExactly(
                            tuple("/api/chat", Optional.of("all"), LONG, LONG, 0),
                            tuple("/api/chat", Optional.of("all"), LONG, DOWNLOAD, 200),
                            tuple("/a.zip", Optional.of("all"), DOWNLOAD, DOWNLOAD, 0));
        }
    }

    @Test
    @ExpectedLog(contains = "The timeout classifier failed on route /")
    void classifierThatFailsCostsNoExchange() throws Exception {
        TimeoutClassifier broken = new TimeoutClassifier() {
            @Override
            public TimeoutClass classify(RequestHead request) {
                throw new IllegalStateException("broken");
            }

            @Override
            @SuppressWarnings("NullAway") // as careless as users may be
            public TimeoutClass upgrade(TimeoutClass current, ResponseHead response) {
                return null;
            }
        };
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 206 Partial Content¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .timeouts(TimeoutPolicy.defaults().withClassifier(broken)));
                Response response = proxy.get("/a.zip")) {
            assertThat(response.body().string()).isEqualTo("ok");
            assertThat(proxy.record().endClass()).isEqualTo(DEFAULT);
        }
    }

    /** What a class that is missing at run time does. */
    @Test
    @ExpectedLog(contains = "The timeout classifier failed on route /")
    void classifierThatLacksAClassCostsNoExchange() throws Exception {
        TimeoutClassifier broken = new TimeoutClassifier() {
            @Override
            public TimeoutClass classify(RequestHead request) {
                throw new NoClassDefFoundError("broken");
            }

            @Override
            public TimeoutClass upgrade(TimeoutClass current, ResponseHead response) {
                throw new NoClassDefFoundError("broken");
            }
        };
        try (RawUpstream upstream = RawUpstream.answering("HTTP/1.1 200 OK¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .timeouts(TimeoutPolicy.defaults().withClassifier(broken)));
                Response response = proxy.get("/")) {
            assertThat(response.body().string()).isEqualTo("ok");
            assertThat(proxy.record().error()).isEmpty();
        }
    }
}
