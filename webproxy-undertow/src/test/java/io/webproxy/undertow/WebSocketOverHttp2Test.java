package io.webproxy.undertow;

import static io.webproxy.testing.Http2Client.DATA;
import static io.webproxy.testing.Http2Client.END_HEADERS;
import static io.webproxy.testing.Http2Client.END_STREAM;
import static io.webproxy.testing.Http2Client.HEADERS;
import static io.webproxy.testing.Http2Client.RST_STREAM;
import static io.webproxy.testing.Http2Client.WINDOW_UPDATE;
import static io.webproxy.testing.Http2Client.fields;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.testing.Front;
import io.webproxy.testing.Http2Client;
import io.webproxy.testing.Http2Client.Frame;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.testing.TestProxy;
import io.webproxy.timeout.TimeoutClass;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** WebSockets on streams of HTTP/2 (RFC 8441): over TLS, and in cleartext by prior knowledge. */
@ExtendWith(LeakCheck.class)
class WebSocketOverHttp2Test {
    private static final Pattern KEY = Pattern.compile("\r\nSec-WebSocket-Key: (\\S+)\r\n");
    private static final int CANCEL = 8;

    private static void accept(RawConnection connection) throws IOException {
        String head = connection.readHead();
        Matcher key = KEY.matcher(head);
        assertThat(head).startsWith("GET /ws HTTP/1.1\r\n").contains("\r\nUpgrade: websocket\r\n");
        assertThat(key.find()).isTrue();
        connection.send("HTTP/1.1 101 Switching Protocols¶Upgrade: websocket¶Connection: Upgrade¶Sec-WebSocket-Accept: "
                + answerTo(key.group(1)) + "¶¶");
    }

    private static String answerTo(String key) throws IOException {
        try {
            byte[] text = (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(StandardCharsets.US_ASCII);
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("SHA-1").digest(text));
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    private static void connect(Http2Client client, int stream) throws IOException {
        byte[] block = fields(
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
        client.send(HEADERS, END_HEADERS, stream, block);
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
            assertThat(record.error()).isNull();
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
            assertThat(proxy.record().error()).isNull();
            assertThat(upstream.failures()).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS"})
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

    @ParameterizedTest
    @EnumSource(names = {"H1", "H2_TLS"})
    void answerToAnotherKeyIsInvalid(Front front) throws Exception {
        try (RawUpstream upstream = RawUpstream.start(c -> {
                    c.readHead();
                    c.send("HTTP/1.1 101 x¶Upgrade: websocket¶Connection: Upgrade¶Sec-WebSocket-Accept: "
                            + answerTo("AAAAAAAAAAAAAAAAAAAAAA==") + "¶¶");
                });
                TestProxy proxy = TestProxy.start(front, upstream.uri());
                Http2Client client = Http2Client.open(proxy)) {
            connect(client, 1);
            assertThat(client.answer(1)).isEqualTo("502");
            assertThat(proxy.record().error()).isEqualTo(ForwardError.INVALID_RESPONSE);
        }
    }
}
