package io.webproxy.blackbox.streaming;

import static io.webproxy.undertow.testing.Http2Client.ACK;
import static io.webproxy.undertow.testing.Http2Client.CONTINUATION;
import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.PING;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static io.webproxy.undertow.testing.Http2Client.SETTINGS;
import static io.webproxy.undertow.testing.Http2Client.WINDOW_UPDATE;
import static io.webproxy.undertow.testing.Http2Client.block;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static io.webproxy.undertow.testing.Http2Client.frame;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.undertow.protocols.http2.Http2Channel;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.TestClock;
import io.webproxy.undertow.testing.TestProxy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP/2 of hostile clients over real sockets; what each frame does is in the test of the gate. */
@ExtendWith(LeakCheck.class)
class Http2FrontTest {
    private static final String OK = "HTTP/1.1 200 OK¶Content-Length: 0¶¶";

    private static RawUpstream recording(BlockingQueue<String> requests) throws IOException {
        return RawUpstream.start(connection -> {
            String head = connection.readHead();
            while (!head.isEmpty()) {
                requests.add(head);
                if (head.startsWith("POST ")) {
                    connection.readAll();
                    return;
                }
                connection.send(OK);
                head = connection.readHead();
            }
        });
    }

    @Test
    void surplusStreamsAreRefusedAndTheConnectionGoesOn() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.answeringAfter(latch, OK);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            for (int stream = 1; stream < 2 * 138; stream += 2) {
                client.request(stream, "GET", "/", "localhost", "x-" + stream, "y");
            }
            for (int stream = 2 * 128 + 1; stream < 2 * 138; stream += 2) {
                assertThat(client.resetOf(stream)).isEqualTo(Http2Channel.ERROR_REFUSED_STREAM);
            }
            await().until(() -> upstream.connections() == 128);
            latch.countDown();
            for (int i = 0; i < 128; i++) {
                proxy.record();
            }
            client.request(301, "GET", "/", "localhost");
            assertThat(client.answer(301)).isEqualTo("200");
            assertThat(proxy.ended()).isLessThanOrEqualTo(129);
            assertThat(upstream.connections()).isLessThanOrEqualTo(129);
        }
    }

    @Test
    void advertisedLimitIsTheConfiguredOne() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp2(Http2Limits.defaults().withStreams(7))));
                Http2Client client = Http2Client.open(proxy)) {
            Http2Client.Frame settings = client.read(0);
            assertThat(settings.type()).isEqualTo(SETTINGS);
            assertThat(settings.payload()).containsSequence(0, 3, 0, 0, 0, 7);
        }
    }

    @Test
    void uploadsThatAreGivenUpCostNoWindow() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    // it takes nothing of the body
                    latch.await(30, TimeUnit.SECONDS);
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            long window = 65_535;
            byte[] body = new byte[16_000];
            for (int stream = 1; stream < 100; stream += 2) {
                client.open(stream, "POST", "/", "localhost");
                for (int i = 0; i < 8; i++) {
                    while (window < body.length) {
                        Http2Client.Frame frame = client.read();
                        window += frame.type() == WINDOW_UPDATE && frame.stream() == 0
                                ? ByteBuffer.wrap(frame.payload()).getInt()
                                : 0;
                    }
                    client.send(DATA, 0, stream, body);
                    window -= body.length;
                }
                client.send(RST_STREAM, 0, stream, new byte[] {0, 0, 0, 8});
            }
            latch.countDown();
            proxy.awaitIdle();
        }
    }

    static Stream<Arguments> floods() {
        return Stream.of(
                arguments("PING", frame(PING, 0, 0, new byte[8])),
                arguments("SETTINGS", frame(SETTINGS, 0, 0)),
                arguments("empty DATA", frame(DATA, 0, 1)),
                arguments("PRIORITY", frame(2, 0, 1, new byte[5])),
                arguments("WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 0, new byte[] {0, 0, 0, 1})),
                arguments("CONTINUATION", frame(CONTINUATION, 0, 3)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("floods")
    void floodEndsTheConnectionAndNoOther(String what, byte[] frame) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(RawConnection::readAll);
                RawUpstream fast = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.route(r -> r.path("/slow").forward(upstream.uri()))
                                .forward(fast.uri()));
                Http2Client good = Http2Client.open(proxy);
                Http2Client bad = Http2Client.open(proxy)) {
            bad.open(1, "POST", "/slow", "localhost");
            if (what.equals("CONTINUATION")) {
                bad.send(HEADERS, 0, 3, block("GET", "/slow", "localhost"));
            }
            ByteArrayOutputStream many = new ByteArrayOutputStream();
            for (int i = 0; i < 20_000; i++) {
                many.writeBytes(frame);
            }
            try {
                bad.sendRaw(many.toByteArray());
            } catch (IOException e) {
                // it may be closed already
            }
            assertThat(bad.end()).isIn(Http2Channel.ERROR_ENHANCE_YOUR_CALM, -1);
            good.request(1, "GET", "/", "localhost");
            assertThat(good.answer(1)).isEqualTo("200");
            proxy.record();
        }
    }

    @Test
    void rapidResetEndsTheConnection() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.answeringAfter(latch, OK);
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp2(Http2Limits.defaults().withResets(5))));
                Http2Client client = Http2Client.open(proxy)) {
            ByteArrayOutputStream many = new ByteArrayOutputStream();
            for (int stream = 1; stream < 1000; stream += 2) {
                many.writeBytes(frame(HEADERS, 5, stream, block("GET", "/", "localhost")));
                many.writeBytes(frame(RST_STREAM, 0, stream, new byte[] {0, 0, 0, 8}));
            }
            client.sendRaw(many.toByteArray());
            assertThat(client.end()).isIn(Http2Channel.ERROR_ENHANCE_YOUR_CALM, -1);
            latch.countDown();
            proxy.awaitIdle();
            assertThat(proxy.ended()).isLessThan(500);
        }
    }

    @Test
    void browserThatLeavesAPageFullOfStreamsIsNotTakenForAFlood() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    if (!head.startsWith("GET /last")) {
                        latch.await(30, TimeUnit.SECONDS);
                    }
                    c.send(OK);
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            for (int stream = 1; stream < 2 * 128; stream += 2) {
                client.request(stream, "GET", "/", "localhost");
            }
            for (int stream = 1; stream < 2 * 128; stream += 2) {
                client.send(RST_STREAM, 0, stream, new byte[] {0, 0, 0, 8});
            }
            client.request(301, "GET", "/last", "localhost");
            assertThat(client.answer(301)).isEqualTo("200");
            latch.countDown();
            proxy.awaitIdle();
        }
    }

    @ParameterizedTest
    @CsvSource({"content-length: 5, 3", "content-length: 2, 3", "content-length: 0, 3"})
    void bodyUnlikeItsLengthPoisonsNothing(String length, int sent) throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(requests);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/warm", "localhost");
            assertThat(client.answer(1)).isEqualTo("200");
            String[] field = length.split(": ");
            client.open(3, "POST", "/bad", "localhost", field[0], field[1]);
            client.send(DATA, END_STREAM, 3, new byte[sent]);
            assertThat(client.answer(3)).isEqualTo("400");
            assertThat(client.resetOf(3)).isEqualTo(Http2Channel.ERROR_PROTOCOL_ERROR);
            for (int stream = 5; stream < 25; stream += 2) {
                client.request(stream, "GET", "/clean", "localhost");
                assertThat(client.answer(stream)).isEqualTo("200");
            }
            assertThat(requests)
                    .filteredOn(head -> head.startsWith("GET /clean "))
                    .hasSize(10);
            assertThat(requests)
                    .allSatisfy(head -> assertThat(head).matches("(?s)(GET /(warm|clean)|POST /bad) HTTP/1.1\r\n.*"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'x a', /, localhost",
        "'X-A', /, localhost",
        "'a:b', /, localhost",
        "'connection', /, localhost",
        "'upgrade', /, localhost",
        "'te', /, localhost",
        "':foo', /, localhost",
        "'x', 'https://localhost/', localhost",
        "'x', 'nothing', localhost",
        "'x', '/a b', localhost",
        "'x', '/a#b', localhost",
        "'x', '', localhost",
        "'x', '/', 'user@localhost'",
        "'x', '/', 'local host'",
        "'x', '/', 'localhost:99999'",
        "'host', '/', 'localhost'"
    })
    void malformedRequestReachesNoUpstreamAndTheConnectionGoesOn(String name, String path, String authority)
            throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", path, authority, name, "other");
            assertThat(client.answer(1)).isEqualTo("400");
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(400);
            assertThat(record.error()).contains(ForwardError.REQUEST_REJECTED);
            assertThat(record.requestId()).isNotEmpty();
            assertThat(upstream.connections()).isZero();
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
        }
    }

    /** To the upstream it would be a complete request at once, and executed before the lie is seen. */
    @ParameterizedTest
    @ValueSource(strings = {"", "x", "xy: z"})
    void requestThatSaysToHaveNoBodyReachesNoUpstreamBeforeItsEnd(String what) throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    for (String head = c.readHead(); !head.isEmpty(); head = c.readHead()) {
                        requests.add(head);
                        c.send(OK);
                    }
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/waits", "localhost", "content-length", "0");
            client.request(3, "GET", "/other", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
            assertThat(requests).singleElement().asString().startsWith("GET /other ");
            client.send(WINDOW_UPDATE, 0, 1, new byte[] {0, 0, 0, 1});
            client.send(DATA, 0, 1, new byte[0]);
            if (what.contains(":")) {
                client.send(HEADERS, END_HEADERS | END_STREAM, 1, fields("xy", "z"));
            } else {
                client.send(DATA, END_STREAM, 1, what.getBytes(StandardCharsets.US_ASCII));
            }
            assertThat(client.answer(1)).isEqualTo(what.equals("x") ? "400" : "200");
            proxy.record();
            assertThat(proxy.record().error())
                    .isEqualTo(Optional.ofNullable(what.equals("x") ? ForwardError.REQUEST_REJECTED : null));
            client.request(5, "GET", "/last", "localhost");
            assertThat(client.answer(5)).isEqualTo("200");
            assertThat(requests)
                    .filteredOn(head -> head.startsWith("POST /waits "))
                    .hasSize(what.equals("x") ? 0 : 1);
        }
    }

    @Test
    void requestWithoutABodyWhoseEndDoesNotComeIsGivenUp() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.forward(upstream.uri())
                                .timeouts(TimeoutPolicy.defaults().with(TimeoutClass.DEFAULT, Duration.ofSeconds(1))));
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/", "localhost", "content-length", "0");
            assertThat(client.answer(1)).isEqualTo("408");
            assertThat(proxy.record().error()).contains(ForwardError.REQUEST_REJECTED);
            client.open(3, "POST", "/", "localhost", "content-length", "0");
            client.send(RST_STREAM, 0, 3, new byte[] {0, 0, 0, 8});
            assertThat(proxy.record().status()).isEqualTo(499);
            assertThat(upstream.connections()).isZero();
        }
    }

    /** RFC 9113 section 8.1.1: the status may come before the reset, which is what ends the stream. */
    @ParameterizedTest
    @CsvSource({"H2_TLS, -1", "H2_TLS_JDK, -1", "H2_TLS, 0", "H2_TLS, 100", "H2_TLS, 65536"})
    void malformedRequestIsAnsweredAndReset(Front front, int table) throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(requests);
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            if (table >= 0) {
                client.send(
                        SETTINGS,
                        0,
                        0,
                        ByteBuffer.allocate(6).putShort((short) 1).putInt(table).array());
            }
            int stream = 1;
            for (byte[] head : List.of(
                    block("GET", "/p?q=1", "localhost", "x", "a "),
                    block("GET", "/p?q=1", "localhost", "x", " a"),
                    block("GET", "/p?q=1", "localhost", "X", "a"),
                    block("GET", "/p?q=1", "localhost", "x", "a\nb"),
                    block("GET", "/p?q=1", "localhost", ":path", "/late"),
                    block("GET", "/p?q=1", "localhost", "connection", "close"),
                    block("GET", "/p?q=1", "localhost", "content-length", "5"))) {
                client.send(HEADERS, END_HEADERS | END_STREAM, stream, head);
                Http2Client.Frame answer = client.read(stream);
                assertThat(answer.type()).isEqualTo(HEADERS);
                assertThat(answer.flags()).as("not ended").isEqualTo(END_HEADERS);
                assertThat(client.status(answer)).isEqualTo("400");
                Http2Client.Frame reset = client.read(stream);
                assertThat(reset.type()).isEqualTo(RST_STREAM);
                assertThat(reset.code()).isEqualTo(Http2Channel.ERROR_PROTOCOL_ERROR);
                ExchangeRecord record = proxy.record();
                assertThat(record.toString())
                        .contains("GET https://localhost/", " HTTP/2.0 400 REQUEST_REJECTED ")
                        .doesNotContain("late\n");
                client.request(stream + 2, "GET", "/", "localhost");
                assertThat(client.answer(stream + 2)).isEqualTo("200");
                assertThat(proxy.record().error()).isEmpty();
                stream += 4;
            }
            assertThat(requests).allSatisfy(head -> assertThat(head).startsWith("GET / HTTP/1.1"));
        }
    }

    @Test
    void bodyUnlikeItsLengthIsAnsweredAndItsUpstreamRequestAborted() throws Exception {
        CountDownLatch gone = new CountDownLatch(3);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.end();
                    gone.countDown();
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            for (int stream : new int[] {1, 3, 5}) {
                client.open(stream, "POST", "/", "localhost", "content-length", "5");
                int begun = stream / 2 + 1;
                await().until(() -> upstream.connections() == begun);
                switch (stream) {
                    case 1 -> client.send(DATA, 0, stream, new byte[6]);
                    case 3 -> client.send(DATA, END_STREAM, stream, new byte[4]);
                    default -> client.send(HEADERS, END_HEADERS | END_STREAM, stream, fields("X", "y"));
                }
                assertThat(client.answer(stream)).isEqualTo("400");
                assertThat(client.resetOf(stream)).isEqualTo(Http2Channel.ERROR_PROTOCOL_ERROR);
                ExchangeRecord record = proxy.record();
                assertThat(record.status()).isEqualTo(400);
                assertThat(record.error()).contains(ForwardError.REQUEST_REJECTED);
            }
            assertThat(gone.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void bodyUnlikeItsLengthBehindTheAnswersHeadIsResetAlone() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 5¶¶a");
                    c.end();
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/", "localhost", "content-length", "5");
            assertThat(client.answer(1)).isEqualTo("200");
            client.send(DATA, 0, 1, new byte[6]);
            Http2Client.Frame frame = client.read(1);
            while (frame.type() == DATA) {
                frame = client.read(1);
            }
            assertThat(frame.type()).isEqualTo(RST_STREAM);
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(200);
            assertThat(record.error()).contains(ForwardError.REQUEST_REJECTED);
        }
    }

    /** RFC 9113 section 6.8: a client that goes wants the answers to what it has asked for. */
    @ParameterizedTest
    @EnumSource(names = {"H2_TLS", "H2_TLS_JDK"})
    void streamsOfAClientThatSaysGoodbyeComeToTheirEnd(Front front) throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    String head = c.readHead();
                    if (head.startsWith("POST ")) {
                        c.read(4);
                    }
                    latch.await(30, TimeUnit.SECONDS);
                    c.send("HTTP/1.1 200 OK¶Content-Length: 200000¶¶").send("x".repeat(200_000));
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", "/", "localhost");
            client.open(3, "POST", "/", "localhost", "content-length", "4");
            client.send(DATA, 0, 3, new byte[2]);
            await().until(() -> upstream.connections() == 2);
            client.send(GOAWAY, 0, 0, new byte[8]);
            client.send(DATA, END_STREAM, 3, new byte[2]);
            client.send(WINDOW_UPDATE, 0, 0, new byte[] {0, 16, 0, 0});
            client.send(WINDOW_UPDATE, 0, 1, new byte[] {0, 16, 0, 0});
            client.send(WINDOW_UPDATE, 0, 3, new byte[] {0, 16, 0, 0});
            latch.countDown();
            int bytes = 0;
            int ended = 0;
            Http2Client.Frame frame = client.read();
            while (frame.type() != GOAWAY) {
                if (frame.type() == DATA) {
                    bytes += frame.payload().length;
                    ended += frame.flags() & END_STREAM;
                }
                assertThat(frame.type()).isNotEqualTo(RST_STREAM);
                frame = client.read();
            }
            assertThat(bytes).isEqualTo(400_000);
            assertThat(ended).isEqualTo(2);
            assertThat(frame.code()).isEqualTo(Http2Channel.ERROR_NO_ERROR);
            assertThat(proxy.record().error()).isEmpty();
            assertThat(proxy.record().error()).isEmpty();
        }
    }

    /** RFC 9113 section 5.4.2: none answers another, and one is enough. */
    @ParameterizedTest
    @ValueSource(strings = {"upstream cut", "client reset", "body unlike its length", "idle", "early answer"})
    void streamIsResetOnceAtMost(String what) throws Exception {
        String answer = what.equals("early answer")
                ? "HTTP/1.1 413 No¶Content-Length: 2¶Connection: close¶¶no"
                : "HTTP/1.1 200 OK¶Content-Length: 100¶¶some";
        CountDownLatch over = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send(answer);
                    over.await(30, TimeUnit.SECONDS);
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        b -> b.forward(upstream.uri())
                                .timeouts(TimeoutPolicy.defaults()
                                        .with(
                                                TimeoutClass.DEFAULT,
                                                Duration.ofMillis(what.equals("idle") ? 800 : 20_000))));
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/", "localhost", "content-length", "5");
            assertThat(client.answer(1)).isIn("200", "413");
            switch (what) {
                case "client reset" -> client.send(RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
                case "body unlike its length" -> client.send(DATA, 0, 1, new byte[6]);
                case "upstream cut" -> over.countDown();
                default -> {
                    // the proxy does it
                }
            }
            proxy.record();
            int resets = 0;
            if (!what.equals("client reset")) {
                Http2Client.Frame frame = client.read(1);
                while (frame.type() != RST_STREAM) {
                    frame = client.read(1);
                }
                resets++;
            }
            proxy.awaitIdle();
            over.countDown();
            client.send(PING, 0, 0, new byte[8]);
            Http2Client.Frame frame = client.read();
            while (frame.type() != PING) {
                resets += frame.type() == RST_STREAM ? 1 : 0;
                frame = client.read();
            }
            assertThat(resets).isEqualTo(what.equals("client reset") ? 0 : 1);
        }
    }

    /** A client that is far away sends no more within a round trip than its window. */
    @Test
    void windowGrowsWithAnUploadThatIsReadAsFastAsItComes() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    byte[] block = new byte[1 << 16];
                    while (c.read(block, block.length) >= 0) {
                        // reads on
                    }
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/", "localhost");
            long stream = 1 << 20;
            long connection = 65_535;
            byte[] ping = {};
            int updates = 0;
            while (stream < 3 << 20) {
                Http2Client.Frame frame;
                if (Math.min(stream, connection) >= 16_000 && stream > 1 << 19) {
                    client.send(DATA, 0, 1, new byte[16_000]);
                    stream -= 16_000;
                    connection -= 16_000;
                    continue;
                } else {
                    frame = client.read();
                }
                if (frame.type() == WINDOW_UPDATE) {
                    int opened = ByteBuffer.wrap(frame.payload()).getInt();
                    stream += frame.stream() == 1 ? opened : 0;
                    connection += frame.stream() == 0 ? opened : 0;
                    updates += frame.stream() == 1 ? 1 : 0;
                } else if (frame.type() == PING) {
                    ping = frame.payload();
                    updates = 0;
                }
                if (ping.length > 0 && updates == 2) {
                    // a round trip in which half a window was read, at least
                    client.send(PING, ACK, 0, ping);
                    ping = new byte[0];
                }
            }
            assertThat(connection).isGreaterThan(65_535);
        }
    }

    /** Clients such as Go's refuse by themselves what is above it. */
    @Test
    void sizeOfFieldsThatIsAnnouncedIsThatOfTheLimits() throws Exception {
        for (int bytes : new int[] {8192, 32 * 1024}) {
            try (RawUpstream upstream = RawUpstream.answering(OK);
                    TestProxy proxy = TestProxy.start(
                            Front.H2_TLS,
                            b -> b.forward(upstream.uri())
                                    .tuning(t ->
                                            t.withHttp(HttpLimits.defaults().withRequestHeadBytes(bytes))));
                    Http2Client client = Http2Client.open(proxy)) {
                client.request(1, "GET", "/", "localhost");
                int announced = -1;
                Http2Client.Frame frame = client.read();
                while (frame.type() != HEADERS) {
                    ByteBuffer settings = ByteBuffer.wrap(frame.payload());
                    while (frame.type() == SETTINGS && settings.hasRemaining()) {
                        int id = settings.getShort();
                        int value = settings.getInt();
                        announced = id == 6 ? value : announced;
                    }
                    frame = client.read();
                }
                assertThat(announced).isEqualTo(bytes + HttpLimits.defaults().fields() * 28);
            }
        }
    }

    /** What browsers send raw, and what is no URI but harmless. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/q?ids=1|2|3",
                "/q?{a}^b\\c`d[]\"<>'",
                "/q?q=100%&x=%u4e2d",
                "/q?q=\u00e4\u00b8\u00ad",
                "/a|b/^/{c}/`"
            })
    void targetIsForwardedByteForByte(String target) throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(requests);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.request(1, "GET", target, "localhost");
            assertThat(client.answer(1)).isEqualTo("200");
            assertThat(requests.poll(30, TimeUnit.SECONDS)).startsWith("GET " + target + " HTTP/1.1\r\n");
        }
    }

    @Test
    void connectIsRefusedAndTheConnectionGoesOn() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.send(HEADERS, END_HEADERS, 1, fields(":method", "CONNECT", ":authority", "example.com:443"));
            assertThat(client.answer(1)).isEqualTo("400");
            assertThat(upstream.connections()).isZero();
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
        }
    }

    @Test
    void hostWithoutAuthorityIsForwarded() throws Exception {
        BlockingQueue<String> requests = new LinkedBlockingQueue<>();
        try (RawUpstream upstream = recording(requests);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.send(
                    HEADERS,
                    END_HEADERS | END_STREAM,
                    1,
                    fields(":method", "GET", ":scheme", "http", ":path", "/a", "host", "localhost"));
            assertThat(client.answer(1)).isEqualTo("200");
            assertThat(requests.poll(30, TimeUnit.SECONDS))
                    .startsWith("GET /a HTTP/1.1")
                    .containsIgnoringCase("x-forwarded-host: localhost\r\n")
                    .as("clientCannotForgeTheScheme")
                    .containsIgnoringCase("x-forwarded-proto: https\r\n");
            client.send(
                    HEADERS, END_HEADERS | END_STREAM, 3, fields(":method", "GET", ":scheme", "https", ":path", "/"));
            assertThat(client.answer(3)).isEqualTo("400");
        }
    }

    @ParameterizedTest
    @CsvSource({"20000, 200", "31000, 200", "33000, 431", "60000, 431"})
    void headUpToTheLimitIsForwarded(int bytes, String answer) throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            byte[] head = block("GET", "/", "localhost", "x-a", "y".repeat(bytes / 2), "x-b", "y".repeat(bytes / 2));
            client.sendBlock(END_STREAM, 1, head, 16_000);
            assertThat(client.answer(1)).isEqualTo(answer);
            assertThat(upstream.connections()).isEqualTo(answer.equals("200") ? 1 : 0);
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
        }
    }

    @Test
    void targetAboveTheLimitIs414() throws Exception {
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.sendBlock(END_STREAM, 1, block("GET", "/" + "x".repeat(25_000), "localhost"), 16_000);
            assertThat(client.answer(1)).isEqualTo("414");
        }
    }

    @Test
    void hugeTrailersEndTheirStreamBeforeTheyAreRead() throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.end();
                    gone.countDown();
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            client.open(1, "POST", "/", "localhost");
            await().until(() -> upstream.connections() == 1);
            client.sendBlock(END_STREAM, 1, fields("x-a", "y".repeat(20_000)), 16_000);
            assertThat(client.answer(1)).isEqualTo("400");
            assertThat(client.resetOf(1)).isEqualTo(Http2Channel.ERROR_PROTOCOL_ERROR);
            assertThat(gone.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void headThatDoesNotCompleteEndsTheConnection() throws Exception {
        Duration limit = Duration.ofMillis(1500);
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.answering(OK);
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        clock,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp(HttpLimits.defaults().withHeadTime(limit))));
                Http2Client client = Http2Client.open(proxy);
                Http2Client cut = Http2Client.open(proxy);
                Http2Client silent = Http2Client.silent(proxy)) {
            client.request(1, "GET", "/", "localhost");
            assertThat(client.answer(1)).isEqualTo("200");
            client.send(HEADERS, END_STREAM, 3, block("GET", "/", "localhost"));
            cut.sendRaw(new byte[] {0, 1, 0, 1, 5, 0, 0, 0, 1, 0});
            await().until(() -> proxy.server().status().connections() == 3);
            // what was sent is read before the second
            clock.awaitSweeps(2);
            clock.pass(limit);
            assertThat(client.end()).isEqualTo(Http2Channel.ERROR_NO_ERROR);
            assertThat(cut.end()).isEqualTo(Http2Channel.ERROR_NO_ERROR);
            assertThat(silent.end()).isIn(Http2Channel.ERROR_NO_ERROR, -1);
            clock.runUntil(() -> proxy.server().status().connections() == 0);
        }
    }

    @Test
    void connectionWithoutStreamsEndsAfterItsTime() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        Duration limit = Duration.ofSeconds(1);
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.answeringAfter(latch, OK);
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        clock,
                        b -> b.forward(upstream.uri())
                                .tuning(t -> t.withHttp(HttpLimits.defaults().withKeepAliveTime(limit))));
                Http2Client idle = Http2Client.open(proxy);
                Http2Client busy = Http2Client.open(proxy)) {
            busy.request(1, "GET", "/", "localhost");
            await().until(() -> upstream.connections() == 1);
            clock.pass(limit);
            assertThat(idle.end()).isEqualTo(Http2Channel.ERROR_NO_ERROR);
            clock.runUntil(() -> proxy.server().status().connections() == 1);
            latch.countDown();
            assertThat(busy.answer(1)).as("an open stream is no idleness").isEqualTo("200");
            proxy.record();
            clock.pass(limit);
            assertThat(busy.end()).isEqualTo(Http2Channel.ERROR_NO_ERROR);
        }
    }

    @Test
    void responseThatTheClientGivesNoWindowEndsByItsClass() throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        TestClock clock = new TestClock();
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 200 OK¶Content-Length: 10000000¶¶").send("x".repeat(100_000));
                    c.end();
                    gone.countDown();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H2_TLS,
                        clock,
                        b -> b.forward(upstream.uri())
                                .timeouts(TimeoutPolicy.defaults()
                                        .with(TimeoutClass.DEFAULT, Duration.ofMillis(500))
                                        .with(TimeoutClass.DOWNLOAD, Duration.ofMillis(500))));
                Http2Client client = Http2Client.open(proxy)) {
            client.send(SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 0});
            client.request(1, "GET", "/", "localhost");
            assertThat(client.answer(1)).isEqualTo("200");
            // again, should the buffers not have been full
            await().pollInterval(Duration.ofMillis(100)).until(() -> {
                clock.skip(Duration.ofMillis(500));
                return proxy.ended() == 1;
            });
            assertThat(client.resetOf(1)).isEqualTo(Http2Channel.ERROR_INTERNAL_ERROR);
            assertThat(gone.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
