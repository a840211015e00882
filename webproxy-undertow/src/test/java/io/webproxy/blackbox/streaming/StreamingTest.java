package io.webproxy.blackbox.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.Peers;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.OverEachFront;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import okio.BufferedSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Nothing is held back: the head goes out at once, each piece as it comes, and bodies of any size pass whole. */
@ExtendWith(LeakCheck.class)
class StreamingTest {
    private static final int PIECES = 20;
    private static final Duration BEAT = Duration.ofMillis(150);
    private static final String EVENTS = "HTTP/1.1 200 OK¶Content-Type: text/event-stream; charset=utf-8¶";

    /** The upstream sends a piece only after the client has read the one before: what is held back stops the test. */
    @OverEachFront
    void eachEventArrivesBeforeTheNextIsSent(Front front) throws Exception {
        CyclicBarrier turn = new CyclicBarrier(2);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Type: text/event-stream¶Transfer-Encoding: chunked¶¶");
                    for (int i = 0; i < PIECES; i++) {
                        turn.await(30, TimeUnit.SECONDS);
                        String event = "data: " + (char) ('a' + i) + "\n\n";
                        c.send(Integer.toHexString(event.length()) + "¶" + event + "¶");
                    }
                    turn.await(30, TimeUnit.SECONDS);
                    c.send("0¶¶");
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Response response = proxy.get("/")) {
            assertThat(response.code())
                    .as("the head is out before the first piece")
                    .isEqualTo(200);
            BufferedSource source = response.body().source();
            for (int i = 0; i < PIECES; i++) {
                turn.await(30, TimeUnit.SECONDS);
                assertThat(source.readUtf8Line()).isEqualTo("data: " + (char) ('a' + i));
                assertThat(source.readUtf8Line()).isEmpty();
            }
            turn.await(30, TimeUnit.SECONDS);
            assertThat(source.exhausted()).isTrue();
            ExchangeRecord record = proxy.record();
            assertThat(record.endClass()).isEqualTo(TimeoutClass.LONG);
            assertThat(record.error()).isEmpty();
        }
    }

    /** A client that reads slowly fills all buffers; then the upstream goes silent: the tail must still get through. */
    @OverEachFront
    void tailIsFlushedAlthoughTheUpstreamPauses(Front front) throws Exception {
        int size = 16 << 20;
        CountDownLatch stopped = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Transfer-Encoding: chunked¶¶" + Integer.toHexString(size) + "¶");
                    c.send(new byte[1 << 20]);
                    stopped.countDown();
                    c.send(new byte[size - (1 << 20)]);
                    c.send("¶");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Response response = proxy.get("/")) {
            BufferedSource source = response.body().source();
            source.skip(1);
            stopped.await(30, TimeUnit.SECONDS);
            source.skip(size - 1L);
        }
    }

    /** curl fills its TLS records: encrypted, they are larger than a pooled buffer. */
    @ParameterizedTest
    @CsvSource({"H1, --http1.1", "H1_TLS, --http1.1", "H1_TLS_JDK, --http1.1", "H2_TLS, --http2", "H2_TLS_JDK, --http2"
    })
    void bodyInFullTlsRecordsPasses(Front front, String version, @TempDir Path directory) throws Exception {
        Path curl = Peers.require("curl");
        Path body = directory.resolve("body");
        Files.write(body, new byte[3_000_000]);
        Path root = directory.resolve("root.pem");
        Files.writeString(root, TestProxy.rootPem());
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    byte[] buffer = new byte[1 << 16];
                    for (int left = 3_000_000; left > 0; ) {
                        left -= Math.max(1, c.read(buffer, Math.min(buffer.length, left)));
                    }
                    c.send("HTTP/1.1 200 OK¶Content-Length: 5¶¶whole");
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            Peers.Outcome result = Peers.run(
                    Duration.ofSeconds(20),
                    curl.toString(),
                    "-sS",
                    version,
                    "--cacert",
                    root.toString(),
                    "-H",
                    "Expect:",
                    "--data-binary",
                    "@" + body,
                    proxy.url("/").toString());
            assertThat(result.stdout()).as(result.stderr()).isEqualTo("whole");
        }
    }

    @OverEachFront
    void bigBodiesPassByteForByteBothWays(Front front) throws Exception {
        int size = front == Front.H1 || front == Front.H2_TLS ? 24 << 20 : 6 << 20;
        byte[] content = new byte[size];
        new Random(42).nextBytes(content);
        // of each upload, where it isn't the content
        LinkedBlockingQueue<String> uploaded = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (!c.readHead().isEmpty()) {
                        String wrong = "";
                        byte[] buffer = new byte[1 << 16];
                        for (int at = 0; at < size; ) {
                            int read = c.read(buffer, Math.min(buffer.length, size - at));
                            if (wrong.isEmpty() && !Arrays.equals(buffer, 0, read, content, at, at + read)) {
                                wrong = "other bytes from " + at;
                            }
                            at += read;
                        }
                        uploaded.add(wrong);
                        c.send("HTTP/1.1 200 OK¶Content-Length: " + size + "¶¶");
                        c.send(content);
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri())) {
            RequestBody body = new RequestBody() {
                @Override
                public @Nullable MediaType contentType() {
                    return null;
                }

                @Override
                public long contentLength() {
                    return size;
                }

                @Override
                public void writeTo(BufferedSink sink) throws IOException {
                    sink.write(content);
                }
            };
            Request request =
                    new Request.Builder().url(proxy.url("/")).post(body).build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(Arrays.mismatch(response.body().bytes(), content)).isEqualTo(-1);
            }
            assertThat(uploaded.poll(30, TimeUnit.SECONDS)).isEmpty();
            ExchangeRecord record = proxy.record();
            assertThat(record.bytesIn()).isEqualTo(size);
            assertThat(record.bytesOut()).isEqualTo(size);
        }
    }

    /**
     * The window of a stream, or that of the connection that another stream has used up, is for bodies: heads go out at
     * once.
     */
    @ParameterizedTest
    @CsvSource({"H2_TLS, true", "H2_TLS, false", "H2_TLS_JDK, true", "H2_TLS_JDK, false"})
    void headIsNotHeldBackWhereThereIsNoWindowForTheBody(Front front, boolean ofTheStream) throws Exception {
        int window = 65_535;
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    while (true) {
                        boolean big = c.readHead().startsWith("GET /big ");
                        c.send("HTTP/1.1 200 OK¶Content-Length: " + (big ? window : 4) + "¶¶");
                        c.send(big ? new byte[window] : "body".getBytes(StandardCharsets.US_ASCII));
                    }
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            if (ofTheStream) {
                // RFC 9113 section 6.5.2: SETTINGS_INITIAL_WINDOW_SIZE
                client.send(Http2Client.SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 0});
            } else {
                client.request(1, "GET", "/big", "localhost");
                assertThat(client.answer(1)).isEqualTo("200");
                for (int left = window; left > 0; ) {
                    left -= client.read(1).payload().length;
                }
            }
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
            client.request(5, "TRACE", "/", "localhost");
            assertThat(client.answer(5)).as("the proxy's own answer").isEqualTo("405");
            for (int stream : ofTheStream ? new int[] {3, 5} : new int[] {0}) {
                client.send(Http2Client.WINDOW_UPDATE, 0, stream, new byte[] {0, 0, 100, 0});
            }
            Set<Integer> answered = new HashSet<>();
            while (answered.size() < 2) {
                Http2Client.Frame frame = client.read();
                if (frame.type() == Http2Client.DATA && frame.payload().length > 0) {
                    answered.add(frame.stream());
                }
            }
            assertThat(answered).containsExactlyInAnyOrder(3, 5);
        }
    }

    /**
     * Comment lines, before the first event and between two, never within one; they don't keep a dead upstream alive.
     */
    @OverEachFront
    void silentEventStreamGetsHeartbeatsBetweenItsEvents(Front front) throws Exception {
        CountDownLatch beaten = new CountDownLatch(1);
        CountDownLatch silent = new CountDownLatch(1);
        TestClock clock = new TestClock();
        TimeoutPolicy policy = TimeoutPolicy.defaults()
                .with(TimeoutClass.DEFAULT, BEAT.multipliedBy(8))
                .with(TimeoutClass.LONG, BEAT.multipliedBy(8));
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(EVENTS + "Transfer-Encoding: chunked¶¶");
                    beaten.await(30, TimeUnit.SECONDS);
                    c.send("10¶id: 1\ndata: half¶");
                    silent.await(30, TimeUnit.SECONDS);
                    c.send("3¶, \n¶5¶data:¶6¶more\n\n¶");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        clock,
                        b -> b.timeouts(policy)
                                .route(r -> r.forward(upstream.uri()).sseHeartbeat(BEAT)));
                Response response = proxy.get("/")) {
            BufferedSource source = response.body().source();
            for (int i = 0; i < 2; i++) {
                clock.pass(BEAT);
                assertThat(source.readUtf8(3)).isEqualTo(":\n\n");
            }
            beaten.countDown();
            assertThat(source.readUtf8Line()).isEqualTo("id: 1");
            assertThat(source.readUtf8(10)).isEqualTo("data: half");
            clock.passAndLook(BEAT.multipliedBy(3));
            silent.countDown();
            assertThat(source.readUtf8Line()).as("no comment within an event").isEqualTo(", ");
            assertThat(source.readUtf8Line()).isEqualTo("data:more");
            assertThat(source.readUtf8Line()).isEmpty();
            clock.pass(BEAT);
            assertThat(source.readUtf8(3)).isEqualTo(":\n\n");
            clock.pass(BEAT.multipliedBy(7));
            assertThatThrownBy(source::readByteString).isInstanceOf(IOException.class);
            ExchangeRecord record = proxy.record();
            assertThat(record.error()).contains(ForwardError.RESPONSE_BODY_IDLE);
        }
    }

    /** Where a comment would break a length or an encoding, or isn't one, there is none. */
    @ParameterizedTest
    @CsvSource({
        "H1, Content-Length: 6, text/event-stream",
        "H1, Content-Encoding: gzip, text/event-stream",
        "H1, X-Other: x, application/x-ndjson",
        "H1, X-Other: x, text/event-streams",
        "H2_TLS, Content-Length: 6, text/event-stream",
        "H2_TLS, Content-Encoding: br, text/event-stream",
        "H2_TLS, X-Other: x, text/plain"
    })
    void heartbeatsLeaveOtherResponsesAlone(Front front, String field, String type) throws Exception {
        boolean length = field.startsWith("Content-Length");
        CountDownLatch silent = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Type: " + type + "¶" + field + "¶"
                            + (length ? "¶" : "Transfer-Encoding: chunked¶¶3¶"));
                    c.send("a\n\n" + (length ? "" : "¶"));
                    silent.await(30, TimeUnit.SECONDS);
                    c.send(length ? "b\n\n" : "3¶b\n\n¶0¶¶");
                });
                TestProxy proxy = TestProxy.start(
                        front,
                        clock,
                        b -> b.route(r -> r.forward(upstream.uri()).sseHeartbeat(BEAT)))) {
            Request request = new Request.Builder()
                    .url(proxy.url("/"))
                    .header("Accept-Encoding", "identity")
                    .build();
            try (Response response = proxy.client().newCall(request).execute()) {
                assertThat(response.body().source().readUtf8(3)).isEqualTo("a\n\n");
                clock.passAndLook(BEAT.multipliedBy(3));
                silent.countDown();
                assertThat(response.body().source().readUtf8()).isEqualTo("b\n\n");
            }
        }
    }
}
