package io.webproxy.undertow;

import static io.webproxy.timeout.TimeoutClass.DEFAULT;
import static io.webproxy.timeout.TimeoutClass.DOWNLOAD;
import static io.webproxy.timeout.TimeoutClass.LONG;
import static io.webproxy.timeout.TimeoutClass.WEBSOCKET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.TimeoutClassChange;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.Front;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.TestProxy;
import io.webproxy.timeout.StandardClassifier;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutClassifier;
import io.webproxy.timeout.TimeoutPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which class an exchange gets, and what happens when its limit runs out. Real limits are scaled down. */
@ExtendWith(LeakCheck.class)
class TimeoutClassTest {
    static final TimeoutPolicy SCALED = TimeoutPolicy.defaults()
            .with(DEFAULT, Duration.ofMillis(600))
            .with(LONG, Duration.ofMillis(1100))
            .with(DOWNLOAD, Duration.ofMillis(1500))
            .with(WEBSOCKET, Duration.ofMillis(1200));
    private static final Pattern NUMBER = Pattern.compile("n=(\\d+)");
    private static final String TRICKLE = "drop by drop";
    private static final Duration PAUSE = Duration.ofMillis(80);
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

    private static RawUpstream upstream() throws IOException {
        return RawUpstream.start(c -> {
            Matcher number = NUMBER.matcher(c.readHead());
            if (number.find()) {
                String answer = CASES.get(Integer.parseInt(number.group(1))).answer();
                if (!answer.isEmpty()) {
                    c.send("HTTP/1.1 " + answer);
                }
            }
            c.end();
        });
    }

    @ParameterizedTest
    @EnumSource(Front.class)
    void everyTriggerGetsItsClassAndIsCutAtItsLimit(Front front) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(CASES.size());
        try (RawUpstream upstream = upstream();
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).timeouts(SCALED))) {
            List<Future<String>> seen = new ArrayList<>();
            for (int i = 0; i < CASES.size(); i++) {
                Request request = request(proxy, i);
                seen.add(threads.submit(() -> fetch(proxy, request)));
            }
            for (int i = 0; i < CASES.size(); i++) {
                boolean answered = !CASES.get(i).answer().isEmpty();
                assertThat(seen.get(i).get(30, TimeUnit.SECONDS))
                        .as(CASES.get(i).toString())
                        .isEqualTo(answered ? "piece, then an abort" : "504");
            }
            for (int i = 0; i < CASES.size(); i++) {
                ExchangeRecord record = proxy.record();
                Case sent = CASES.get(Integer.parseInt(record.query().substring(2)));
                Duration limit = SCALED.idle(sent.got());
                assertThat(record.startClass()).as(sent.toString()).isEqualTo(sent.asked());
                assertThat(record.endClass()).as(sent.toString()).isEqualTo(sent.got());
                assertThat(record.error())
                        .as(sent.toString())
                        .isEqualTo(
                                sent.answer().isEmpty()
                                        ? ForwardError.RESPONSE_HEAD_TIMEOUT
                                        : ForwardError.RESPONSE_BODY_IDLE);
                // the upper bound is one for busy machines; the sweep's own is 50 ms
                assertThat(record.total()).as(sent.toString()).isBetween(limit, limit.plusSeconds(3));
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

    static String fetch(TestProxy proxy, Request request) throws IOException {
        try (Response response = proxy.client().newCall(request).execute()) {
            if (response.code() == 504) {
                return "504";
            }
            String piece = response.body().source().readUtf8(5);
            try {
                return piece + response.body().string() + ", then an end";
            } catch (IOException e) {
                return piece + ", then an abort";
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS", "H1_TLS_JDK"})
    void webSocketIsUnderDefaultUntilIts101AndUnderItsOwnLimitBehindIt(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    if (c.readHead().startsWith("GET /stream/silent ")) {
                        c.end();
                    }
                    c.send(WebSocketTest.SWITCH);
                    c.end();
                });
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).timeouts(SCALED))) {
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketTest.HANDSHAKE.replace("/ws", "/stream/silent"));
                assertThat(client.readHead()).startsWith("HTTP/1.1 504 ");
            }
            ExchangeRecord handshake = proxy.record();
            assertThat(handshake.endClass()).isEqualTo(DEFAULT);
            assertThat(handshake.error()).isEqualTo(ForwardError.RESPONSE_HEAD_TIMEOUT);
            try (RawConnection client = proxy.raw()) {
                client.send(WebSocketTest.HANDSHAKE.replace("/ws", "/api/chat"));
                assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                assertThat(client.end()).isIn("end", "reset");
            }
            ExchangeRecord tunnel = proxy.record();
            assertThat(tunnel.startClass()).isEqualTo(DEFAULT);
            assertThat(tunnel.endClass()).isEqualTo(WEBSOCKET);
            assertThat(tunnel.error()).isEqualTo(ForwardError.RESPONSE_BODY_IDLE);
            assertThat(tunnel.total()).isBetween(SCALED.idle(WEBSOCKET), Duration.ofSeconds(5));
        }
    }

    /** A shorter limit of the response's class changes nothing, and a tie keeps the class. */
    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H2_TLS"})
    void responseNeverShortensTheWait(Front front) throws Exception {
        TimeoutPolicy odd = SCALED.with(DOWNLOAD, Duration.ofMillis(100)).with(LONG, Duration.ofMillis(600));
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    boolean download = c.readHead().startsWith("GET /download-later ");
                    c.send("HTTP/1.1 200 OK¶"
                            + (download ? "Content-Disposition: attachment¶" : "Content-Type: text/event-stream¶")
                            + PIECES);
                    c.end();
                });
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).timeouts(odd))) {
            for (String path : List.of("/download-later", "/other")) {
                Request request = new Request.Builder().url(proxy.url(path)).build();
                assertThat(fetch(proxy, request)).isEqualTo("piece, then an abort");
                ExchangeRecord record = proxy.record();
                assertThat(record.endClass()).isEqualTo(DEFAULT);
                assertThat(record.total()).isGreaterThanOrEqualTo(odd.idle(DEFAULT));
            }
        }
    }

    /** What moves for longer than the limit isn't cut, whichever side moves it. */
    @ParameterizedTest
    @EnumSource(Front.class)
    void anyByteInEitherDirectionRestartsTheWait(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    if (c.readHead().startsWith("POST")) {
                        // silent until the whole upload is there
                        assertThat(c.read(TRICKLE.length())).isEqualTo(TRICKLE);
                        c.send("HTTP/1.1 200 OK¶Content-Length: 4¶¶took");
                    } else {
                        c.send("HTTP/1.1 200 OK¶Content-Length: " + TRICKLE.length() + "¶¶");
                        c.trickle(TRICKLE, PAUSE);
                    }
                });
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).timeouts(SCALED))) {
            try (Response response = ResponseRelayTest.get(proxy, "/down")) {
                assertThat(response.body().string()).isEqualTo(TRICKLE);
            }
            Request upload = new Request.Builder()
                    .url(proxy.url("/up"))
                    .post(new Trickle())
                    .build();
            try (Response response = proxy.client().newCall(upload).execute()) {
                assertThat(response.body().string()).isEqualTo("took");
            }
            assertThat(proxy.record().total()).isGreaterThan(SCALED.idle(DEFAULT));
            assertThat(proxy.record().total()).isGreaterThan(SCALED.idle(DEFAULT));
            assertThat(upstream.failures()).isEmpty();
        }
    }

    /** A slow upload. */
    private static final class Trickle extends RequestBody {
        @Override
        public @Nullable MediaType contentType() {
            return null;
        }

        @Override
        public long contentLength() {
            return TRICKLE.length();
        }

        @Override
        public void writeTo(BufferedSink sink) throws IOException {
            for (char c : TRICKLE.toCharArray()) {
                RawConnection.pace(PAUSE);
                sink.writeByte(c).flush();
            }
        }
    }

    /** Neither a head that trickles nor early hints without end keep an exchange alive. */
    @ParameterizedTest
    @EnumSource(Front.class)
    void bytesOfTheHeadAreNoActivity(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    boolean hints = c.readHead().startsWith("GET /hints ");
                    c.trickle(
                            hints
                                    ? "HTTP/1.1 103 \r\n\r\n".repeat(100)
                                    : "HTTP/1.1 200 OK\r\nX-Long: " + "x".repeat(1000),
                            Duration.ofMillis(2));
                });
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).timeouts(SCALED))) {
            for (String path : List.of("/hints", "/trickle")) {
                Request request = new Request.Builder().url(proxy.url(path)).build();
                assertThat(fetch(proxy, request)).isEqualTo("504");
                ExchangeRecord record = proxy.record();
                assertThat(record.error()).isEqualTo(ForwardError.RESPONSE_HEAD_TIMEOUT);
                assertThat(record.total()).isBetween(SCALED.idle(DEFAULT), Duration.ofSeconds(3));
            }
        }
    }

    @Test
    void keptConnectionStartsEachExchangeAnew() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Disposition: attachment¶Content-Length: 2¶¶ok");
                    c.readHead();
                    c.end();
                });
                TestProxy proxy =
                        TestProxy.start(Front.H1, b -> b.forward(upstream.uri()).timeouts(SCALED));
                RawConnection client = proxy.raw()) {
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).endsWith("ok");
            client.send("GET / HTTP/1.1¶Host: localhost¶¶");
            assertThat(client.readResponse()).startsWith("HTTP/1.1 504 ");
            assertThat(proxy.record().endClass()).isEqualTo(DOWNLOAD);
            ExchangeRecord second = proxy.record();
            assertThat(second.endClass()).isEqualTo(DEFAULT);
            assertThat(second.total()).isLessThan(SCALED.idle(DOWNLOAD));
        }
    }

    @Test
    void routeHasItsOwnClassifierAndLimits() throws Exception {
        TimeoutPolicy own = SCALED.with(LONG, Duration.ofMillis(200))
                .withClassifier(StandardClassifier.defaults().plusLongPaths("/v1/thoughts"));
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1,
                        b -> b.forward(upstream.uri())
                                .timeouts(SCALED)
                                .route(r ->
                                        r.path("/v1").forward(upstream.uri()).timeouts(own)))) {
            for (String path : List.of("/v1/thoughts", "/v2/v1/thoughts")) {
                try (Response response = ResponseRelayTest.get(proxy, path)) {
                    assertThat(response.code()).isEqualTo(504);
                }
            }
            ExchangeRecord first = proxy.record();
            assertThat(first.endClass()).isEqualTo(LONG);
            assertThat(first.total()).isLessThan(SCALED.idle(LONG));
            assertThat(proxy.record().endClass()).isEqualTo(DEFAULT);
        }
    }

    @ParameterizedTest
    @EnumSource(Front.class)
    void observerSeesTheClassAsItChanges(Front front) throws Exception {
        Queue<TimeoutClassChange> changes = new ConcurrentLinkedQueue<>();
        ProxyObserver observer = new ProxyObserver() {
            @Override
            public void timeoutClassChanged(TimeoutClassChange change) {
                changes.add(change);
            }
        };
        try (RawUpstream upstream =
                        RawUpstream.answering("HTTP/1.1 200 OK¶Content-Disposition: attachment¶Content-Length: 2¶¶ok");
                TestProxy proxy = TestProxy.start(
                        front,
                        b -> b.route(r -> r.name("all").forward(upstream.uri())).observer(observer))) {
            for (String path : List.of("/api/chat?q", "/a.zip")) {
                try (Response response = ResponseRelayTest.get(proxy, path)) {
                    assertThat(response.body().string()).isEqualTo("ok");
                }
                proxy.record();
            }
            assertThat(changes)
                    .extracting(
                            TimeoutClassChange::path,
                            TimeoutClassChange::route,
                            TimeoutClassChange::from,
                            TimeoutClassChange::to)
                    .containsExactly(
                            tuple("/api/chat", "all", null, LONG),
                            tuple("/api/chat", "all", LONG, DOWNLOAD),
                            tuple("/a.zip", "all", null, DOWNLOAD));
        }
    }

    @Test
    @ExpectedLog(contains = "The timeout classifier failed")
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
                Response response = ResponseRelayTest.get(proxy, "/a.zip")) {
            assertThat(response.body().string()).isEqualTo("ok");
            assertThat(proxy.record().endClass()).isEqualTo(DEFAULT);
        }
    }

    /** What a class that is missing at run time does. */
    @Test
    @ExpectedLog(contains = "The timeout classifier failed")
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
                Response response = ResponseRelayTest.get(proxy, "/")) {
            assertThat(response.body().string()).isEqualTo("ok");
            assertThat(proxy.record().error()).isNull();
        }
    }
}
