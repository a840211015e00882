package io.webproxy.blackbox.streaming;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static io.webproxy.undertow.testing.Http2Client.SETTINGS;
import static io.webproxy.undertow.testing.Http2Client.WINDOW_UPDATE;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.WebSocketHandshake;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import io.webproxy.undertow.testing.OverBothVersions;
import io.webproxy.undertow.testing.TestProxy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** WebSockets on streams of HTTP/2 (RFC 8441): over TLS, and in cleartext by prior knowledge. */
@ExtendWith(LeakCheck.class)
class WebSocketOverHttp2Test {
    private static final int CANCEL = 8;

    private static void accept(RawConnection connection) throws IOException {
        accept(connection, connection.readHead());
    }

    private static void accept(RawConnection connection, String head) throws IOException {
        assertThat(head).startsWith("GET /ws HTTP/1.1\r\n").contains("\r\nUpgrade: websocket\r\n");
        connection.send(WebSocketHandshake.answerTo(head));
    }

    private static void connect(Http2Client client, int stream, String... more) throws IOException {
        connectAs(client, stream, "websocket", "13", more);
    }

    private static void connectAs(Http2Client client, int stream, String protocol, String version, String... more)
            throws IOException {
        List<String> all = new ArrayList<>(List.of(":method", "CONNECT", ":protocol", protocol, ":scheme", "https"));
        all.addAll(List.of(":path", "/ws", ":authority", "localhost", "sec-websocket-version", version));
        all.addAll(List.of(more));
        client.send(HEADERS, END_HEADERS, stream, fields(all.toArray(new String[0])));
    }

    private static Frame next(Http2Client client, int stream) throws IOException {
        Frame frame = client.read(stream);
        while (frame.type() == WINDOW_UPDATE) {
            frame = client.read(stream);
        }
        return frame;
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS", "H2_TLS_JDK"})
    void endOfEachSideIsPassedOnAndNeitherIsAReset(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    accept(c);
                    c.send("hello");
                    assertThat(c.read(4)).isEqualTo("abcd");
                    assertThat(c.readByte()).isEqualTo(-1);
                    c.send("bye");
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            connect(client, 1);
            assertThat(client.answer(1)).isEqualTo("200");
            assertThat(next(client, 1).payload()).asString().isEqualTo("hello");
            client.send(DATA, END_STREAM, 1, "abcd".getBytes(StandardCharsets.US_ASCII));
            Frame last = next(client, 1);
            assertThat(last.payload()).asString().isEqualTo("bye");
            if ((last.flags() & END_STREAM) == 0) {
                last = next(client, 1);
                assertThat(last.payload()).isEmpty();
            }
            assertThat(last.type()).isEqualTo(DATA);
            assertThat(last.flags() & END_STREAM).isEqualTo(END_STREAM);
            ExchangeRecord record = proxy.record();
            assertThat(record.method()).isEqualTo("GET");
            assertThat(record.protocol()).isEqualTo("HTTP/2.0");
            assertThat(record.status()).isEqualTo(101);
            assertThat(record.endClass()).isEqualTo(TimeoutClass.WEBSOCKET);
            assertThat(record.error()).isEmpty();
            assertThat(record.bytesIn()).isEqualTo(4);
            assertThat(record.bytesOut()).isEqualTo(8);
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS", "H2_TLS_JDK"})
    void clientMaySendOnAfterTheEndOfTheOtherSide(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    accept(c);
                    c.shutdownOutput();
                    assertThat(c.read(4)).isEqualTo("abcd");
                    assertThat(c.readByte()).isEqualTo(-1);
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            connect(client, 1);
            assertThat(client.answer(1)).isEqualTo("200");
            Frame end = next(client, 1);
            assertThat(end.type()).isEqualTo(DATA);
            assertThat(end.flags() & END_STREAM).isEqualTo(END_STREAM);
            client.send(DATA, END_STREAM, 1, "abcd".getBytes(StandardCharsets.US_ASCII));
            assertThat(proxy.record().error()).isEmpty();
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @OverBothVersions
    void resetOfTheUpstreamResetsTheStream(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    accept(c);
                    c.read(1);
                    c.reset();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            connect(client, 1);
            assertThat(client.answer(1)).isEqualTo("200");
            client.send(DATA, 0, 1, new byte[1]);
            Frame end = next(client, 1);
            assertThat(end.type()).isEqualTo(RST_STREAM);
            assertThat(end.code()).isEqualTo(CANCEL);
        }
    }

    @OverBothVersions
    void answerToAnotherKeyIsInvalid(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 101 x¶Upgrade: websocket¶Connection: Upgrade¶Sec-WebSocket-Accept: "
                            + WebSocketHandshake.accept("AAAAAAAAAAAAAAAAAAAAAA==") + "¶¶");
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            connect(client, 1);
            assertThat(client.answer(1)).isEqualTo("502");
            assertThat(proxy.record().error()).contains(ForwardError.INVALID_RESPONSE);
        }
    }

    /** Sends back what it gets, to the end. */
    private static RawUpstream echo() throws IOException {
        return RawUpstream.start(connection -> {
            accept(connection);
            byte[] some = new byte[16 * 1024];
            for (int count = connection.read(some, some.length);
                    count >= 0;
                    count = connection.read(some, some.length)) {
                connection.send(Arrays.copyOf(some, count));
            }
        });
    }

    private static void open(Http2Client client, int stream) throws IOException {
        connect(client, stream);
        Frame head = client.next(HEADERS);
        while (head.stream() != stream) {
            // of one that was reset
            head = client.next(HEADERS);
        }
        assertThat(client.status(head)).isEqualTo("200");
        assertThat(head.flags() & END_STREAM).isZero();
    }

    private static int initialWindow(Frame settings) {
        ByteBuffer pairs = ByteBuffer.wrap(settings.payload());
        while (pairs.hasRemaining()) {
            int id = pairs.getShort();
            int value = pairs.getInt();
            if (id == 4) {
                return value;
            }
        }
        return 65_535;
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS", "H2_TLS_JDK"})
    void bytesPassBothWaysUntilBothSidesEnd(Front front) throws Exception {
        try (RawUpstream upstream = echo();
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            // the upstream hasn't agreed yet
            connect(client, 1);
            client.send(DATA, 0, 1, new byte[] {1, 2, 3});
            assertThat(client.answer(1)).isEqualTo("200");
            assertThat(client.next(DATA).payload()).containsExactly(1, 2, 3);
            await().until(() -> proxy.server().status().tunnels() == 1);
            client.send(DATA, END_STREAM, 1, new byte[] {4});
            Frame frame = client.read(1);
            ByteArrayOutputStream rest = new ByteArrayOutputStream();
            while (true) {
                assertThat(frame.type()).as("the end, and no reset").isIn(DATA, WINDOW_UPDATE);
                if (frame.type() == DATA) {
                    rest.writeBytes(frame.payload());
                    if ((frame.flags() & END_STREAM) != 0) {
                        break;
                    }
                }
                frame = client.read(1);
            }
            assertThat(rest.toByteArray()).containsExactly(4);
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(101);
            assertThat(record.method()).isEqualTo("GET");
            assertThat(record.protocol()).isEqualTo("HTTP/2.0");
            assertThat(record.endClass()).isEqualTo(TimeoutClass.WEBSOCKET);
            assertThat(record.bytesIn()).isEqualTo(4);
            assertThat(record.bytesOut()).isEqualTo(4);
            assertThat(record.error()).isEmpty();
            await().until(() -> proxy.server().status().tunnels() == 0);
            open(client, 3);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS", "H2_TLS_JDK"})
    void largeMessagesPassAsTheWindowsLetThem(Front front) throws Exception {
        byte[] message = new byte[4 << 20];
        new Random(5).nextBytes(message);
        try (RawUpstream upstream = echo();
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            connect(client, 1);
            long connection = 65_535;
            long stream = 65_535;
            int sent = 0;
            ByteArrayOutputStream back = new ByteArrayOutputStream();
            while (back.size() < message.length) {
                int next = (int) Math.min(Math.min(16_000, message.length - sent), Math.min(connection, stream));
                if (next > 0 && sent - back.size() < 60_000) {
                    client.send(DATA, 0, 1, Arrays.copyOfRange(message, sent, sent + next));
                    sent += next;
                    connection -= next;
                    stream -= next;
                    continue;
                }
                Frame frame = client.read();
                assertThat(frame.type()).isNotEqualTo(RST_STREAM);
                if (frame.type() == DATA) {
                    back.writeBytes(frame.payload());
                    client.send(WINDOW_UPDATE, 0, 0, number(frame.payload().length));
                    client.send(WINDOW_UPDATE, 0, 1, number(frame.payload().length));
                } else if (frame.type() == WINDOW_UPDATE) {
                    int more = ByteBuffer.wrap(frame.payload()).getInt();
                    connection += frame.stream() == 0 ? more : 0;
                    stream += frame.stream() == 1 ? more : 0;
                } else if (frame.type() == SETTINGS && frame.payload().length > 0) {
                    stream += initialWindow(frame) - 65_535;
                }
            }
            assertThat(back.toByteArray()).isEqualTo(message);
        }
    }

    @OverBothVersions
    void serverThatDrainsSaysSoByACloseFrame(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(connection -> {
                    accept(connection);
                    connection.readAll();
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            open(client, 1);
            var drained = proxy.server().drain(Duration.ofSeconds(20)).toCompletableFuture();
            assertThat(client.next(DATA).payload()).startsWith((byte) 0x88, (byte) 2, (byte) 3, (byte) 0xe9);
            client.send(DATA, END_STREAM, 1, new byte[] {(byte) 0x88, (byte) 0x82, 0, 0, 0, 0, 3, (byte) 0xe9});
            drained.get(30, TimeUnit.SECONDS);
            assertThat(proxy.server().status().tunnels()).isZero();
        }
    }

    @OverBothVersions
    void clientThatLeavesInAnyPhaseLeavesNothing(Front front) throws Exception {
        CountDownLatch asked = new CountDownLatch(2);
        CountDownLatch latch = new CountDownLatch(1);
        try (RawUpstream upstream = RawUpstream.start(connection -> {
                    String head = connection.readHead();
                    if (head.contains("phase: waiting")) {
                        asked.countDown();
                        connection.readAll();
                        return;
                    }
                    accept(connection, head);
                    byte[] some = new byte[16 * 1024];
                    while (head.contains("phase: bulk")) {
                        connection.send(some);
                    }
                    latch.await(30, TimeUnit.SECONDS);
                });
                TestProxy proxy =
                        TestProxy.start(front, b -> b.forward(upstream.uri()).tuning(t -> t.withIoThreads(1)))) {
            for (boolean cut : new boolean[] {false, true}) {
                Http2Client client = Http2Client.open(proxy);
                String[] phases = {"waiting", "silent", "bulk"};
                for (int i = 0; i < phases.length; i++) {
                    int stream = 1 + 2 * i;
                    connect(client, stream, "phase", phases[i]);
                    client.send(DATA, 0, stream, new byte[100]);
                }
                int read = 0;
                while (read < 65_535) {
                    Frame frame = client.read();
                    read += frame.type() == DATA ? frame.payload().length : 0;
                }
                await().until(() -> proxy.server().status().tunnels() == 2);
                long expected = cut ? 0 : 1;
                await().until(() -> asked.getCount() == expected);
                if (cut) {
                    client.reset();
                } else {
                    for (int i = 0; i < phases.length; i++) {
                        client.send(RST_STREAM, 0, 1 + 2 * i, number(8));
                    }
                }
                for (int i = 0; i < phases.length; i++) {
                    ExchangeRecord record = proxy.record();
                    assertThat(record.status()).isIn(101, 499);
                    if (record.status() == 499) {
                        assertThat(record.error()).contains(ForwardError.CLIENT_ABORTED);
                    }
                }
                await().until(() -> proxy.server().status().tunnels() == 0);
                proxy.awaitIdle();
                if (!cut) {
                    open(client, 101);
                    client.reset();
                    proxy.record();
                }
            }
            latch.countDown();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "websocket, 13, 'HTTP/1.1 403 Forbidden¶Content-Length: 3¶¶no!', 403",
        "websocket, 13, 'HTTP/1.1 200 OK¶Content-Length: 3¶¶yes', 501",
        "websocket, 13, 'HTTP/1.1 204 No Content¶¶', 501",
        "websocket, 13, 'HTTP/1.1 101 x¶Upgrade: websocket¶Connection: Upgrade¶Sec-WebSocket-Accept:"
                + " AAAAAAAAAAAAAAAAAAAAAAAAAAA=¶¶', 502",
        "websocket, 13, 'HTTP/1.1 101 x¶Upgrade: other¶Connection: Upgrade¶¶', 502",
        "websocket, 8, '', 426",
        "connect-udp, 13, '', 501",
    })
    void refusalLeavesTheConnection(String protocol, String version, String answer, String status) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(connection -> {
                    String head = connection.readHead();
                    connection.send(head.startsWith("GET /ws") ? answer : "HTTP/1.1 200 OK¶Content-Length: 0¶¶");
                });
                TestProxy proxy = TestProxy.start(Front.H2_TLS, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            connectAs(client, 1, protocol, version);
            client.send(DATA, 0, 1, new byte[10]);
            assertThat(client.answer(1)).isEqualTo(status);
            client.send(DATA, END_STREAM, 1, new byte[10]);
            client.request(3, "GET", "/", "localhost");
            assertThat(client.answer(3)).isEqualTo("200");
            ExchangeRecord record = proxy.record();
            assertThat(record.status()).isEqualTo(Integer.parseInt(status));
            if (answer.contains(" 200 ")) {
                // the body was dropped
                assertThat(record.bytesOut()).isZero();
            }
        }
    }
}
