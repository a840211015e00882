package io.webproxy.blackbox.streaming;

import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.Http2Client;
import io.webproxy.undertow.testing.Http2Client.Frame;
import io.webproxy.undertow.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * WebSockets to upstreams that speak HTTP/2: by extended CONNECT (RFC 8441) where that is announced, else over
 * HTTP/1.1.
 */
@ExtendWith(LeakCheck.class)
class WebSocketToHttp2UpstreamTest {
    private static final int ENABLE_CONNECT_PROTOCOL = 8;
    private static final int CANCEL = 8;
    private static final String HANDSHAKE = "GET /ws HTTP/1.1¶Host: a¶Connection: Upgrade¶Upgrade: websocket¶"
            + "Sec-WebSocket-Version: 13¶Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==¶¶";

    private final BlockingQueue<Object> seen = new LinkedBlockingQueue<>();

    private Object seen() throws InterruptedException {
        return seen.poll(30, TimeUnit.SECONDS);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private RawUpstream granting() throws IOException {
        return RawUpstream.start(raw -> {
            Http2Client peer = Http2Client.serve(raw, ENABLE_CONNECT_PROTOCOL, 1);
            while (true) {
                Frame head = peer.next(HEADERS);
                seen.add(peer.fieldsOf(head));
                peer.respond(head.stream(), 0, "200", "sec-websocket-protocol", "chat");
                peer.send(DATA, 0, head.stream(), ascii("hello"));
                Frame next = peer.next(DATA);
                seen.add(new String(next.payload(), StandardCharsets.US_ASCII));
                while ((next.flags() & END_STREAM) == 0) {
                    next = peer.read(head.stream());
                    if (next.type() == RST_STREAM) {
                        seen.add("reset " + next.code());
                        break;
                    }
                }
                if (next.type() == DATA) {
                    peer.send(DATA, END_STREAM, head.stream(), ascii("bye"));
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(
            value = Front.class,
            names = {"H1", "H1_TLS"})
    void extendedConnectServesClientsOfHttp11(Front front) throws Exception {
        try (RawUpstream upstream = granting();
                TestProxy proxy = TestProxy.start(front, "h2c://" + upstream.address())) {
            for (int i = 0; i < 2; i++) {
                try (RawConnection client = proxy.raw()) {
                    client.send(HANDSHAKE);
                    assertThat(client.readHead())
                            .startsWith("HTTP/1.1 101 ")
                            // RFC 6455 section 1.3
                            .contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
                            .containsIgnoringCase("\r\nsec-websocket-protocol: chat\r\n");
                    assertThat(client.read(5)).isEqualTo("hello");
                    client.send("abcd");
                    assertThat(seen())
                            .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.list(String.class))
                            .startsWith(
                                    ":method: CONNECT",
                                    ":scheme: http",
                                    ":authority: a",
                                    ":path: /ws",
                                    ":protocol: websocket")
                            .contains("sec-websocket-version: 13")
                            .noneMatch(field -> field.startsWith("sec-websocket-key"))
                            .noneMatch(field -> field.startsWith("connection"));
                    assertThat(seen()).isEqualTo("abcd");
                    if (!front.isTls()) {
                        client.shutdownOutput();
                        assertThat(client.readAll()).isEqualTo("bye");
                    }
                }
                ExchangeRecord record = proxy.record();
                assertThat(record.status()).isEqualTo(101);
                assertThat(record.upstreamProtocol()).contains("HTTP/2.0");
                assertThat(record.bytesIn()).isEqualTo(4);
            }
        }
    }

    @Test
    void extendedConnectServesClientsOfHttp2() throws Exception {
        try (RawUpstream upstream = granting();
                TestProxy proxy = TestProxy.start(Front.H2_TLS, "h2c://" + upstream.address());
                Http2Client client = Http2Client.open(proxy)) {
            client.send(
                    HEADERS,
                    END_HEADERS,
                    1,
                    Http2Client.fields(
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
                            "13"));
            assertThat(client.answer(1)).isEqualTo("200");
            assertThat(client.next(DATA).payload()).asString().isEqualTo("hello");
            client.send(DATA, 0, 1, ascii("abcd"));
            seen();
            assertThat(seen()).isEqualTo("abcd");
            client.send(RST_STREAM, 0, 1, new byte[] {0, 0, 0, CANCEL});
            assertThat(seen()).isEqualTo("reset 8");
            assertThat(proxy.record().status()).isEqualTo(101);
        }
    }

    @Test
    void refusedConnectIsAnAnswerLikeAnyOther() throws Exception {
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    Http2Client peer = Http2Client.serve(raw, ENABLE_CONNECT_PROTOCOL, 1);
                    Frame head = peer.next(HEADERS);
                    peer.respond(head.stream(), 0, "403", "content-length", "2");
                    peer.send(DATA, END_STREAM, head.stream(), ascii("no"));
                    peer.end();
                });
                TestProxy proxy = TestProxy.start(Front.H1, "h2c://" + upstream.address());
                RawConnection client = proxy.raw()) {
            client.send(HANDSHAKE);
            assertThat(client.readHead()).startsWith("HTTP/1.1 403 ");
            assertThat(client.read(2)).isEqualTo("no");
        }
    }

    @Test
    void upstreamThatAnnouncesNoneGetsItOverHttp11AndRequestsOverHttp2() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        try (RawUpstream upstream = RawUpstream.start(raw -> {
                    if (connections.incrementAndGet() == 1) {
                        Http2Client peer = Http2Client.serve(raw);
                        while (true) {
                            peer.respond(peer.next(HEADERS).stream(), END_STREAM, "200");
                        }
                    }
                    assertThat(raw.readHead()).contains("\r\nSec-WebSocket-Key: ");
                    raw.send("HTTP/1.1 101 Switching Protocols¶Upgrade: websocket¶Connection: Upgrade¶"
                            + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=¶¶hello");
                    raw.end();
                });
                TestProxy proxy = TestProxy.start(
                        Front.H1, b -> b.tuning(t -> t.withIoThreads(1)).forward("h2c://" + upstream.address()))) {
            for (int i = 0; i < 2; i++) {
                try (RawConnection client = proxy.raw()) {
                    client.send(HANDSHAKE);
                    assertThat(client.readHead()).startsWith("HTTP/1.1 101 ");
                    assertThat(client.read(5)).isEqualTo("hello");
                }
                assertThat(proxy.record().upstreamProtocol()).contains("HTTP/1.1");
            }
            try (RawConnection client = proxy.raw()) {
                client.send("GET / HTTP/1.1¶Host: a¶¶");
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
            }
            assertThat(proxy.record().upstreamProtocol()).contains("HTTP/2.0");
            assertThat(connections).hasValue(3);
            assertThat(List.copyOf(upstream.failures())).isEmpty();
        }
    }
}
