package io.webproxy.undertow.http2;

import static io.webproxy.undertow.http2.Outbound.post;
import static io.webproxy.undertow.testing.Http2Client.CONTINUATION;
import static io.webproxy.undertow.testing.Http2Client.DATA;
import static io.webproxy.undertow.testing.Http2Client.END_HEADERS;
import static io.webproxy.undertow.testing.Http2Client.END_STREAM;
import static io.webproxy.undertow.testing.Http2Client.GOAWAY;
import static io.webproxy.undertow.testing.Http2Client.HEADERS;
import static io.webproxy.undertow.testing.Http2Client.PADDED;
import static io.webproxy.undertow.testing.Http2Client.PING;
import static io.webproxy.undertow.testing.Http2Client.PRIORITY;
import static io.webproxy.undertow.testing.Http2Client.RST_STREAM;
import static io.webproxy.undertow.testing.Http2Client.SETTINGS;
import static io.webproxy.undertow.testing.Http2Client.WINDOW_UPDATE;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static io.webproxy.undertow.testing.Http2Client.frame;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Http2Client;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * An upstream that breaks the rules ends its stream, or its connection if that can't be relied on any more; nobody
 * waits for it.
 */
@ExtendWith(LeakCheck.class)
class HostileUpstreamTest {
    private static final byte[] OK = fields(":status", "200");
    private static final int WHOLE = END_HEADERS | END_STREAM;
    private static final int PUSH_PROMISE = 5;

    private @Nullable RawUpstream upstream;
    private @Nullable Outbound outbound;

    @AfterEach
    void close() throws Exception {
        if (outbound != null) {
            outbound.close();
        }
        if (upstream != null) {
            upstream.close();
            assertThat(upstream.failures()).isEmpty();
        }
    }

    /** What an upstream does when it has had the requests of streams 1 and 3. */
    interface Attack {
        void on(Http2Client peer) throws Exception;
    }

    private static Arguments attack(String what, String heard, Attack attack) {
        return arguments(what, heard, attack);
    }

    private static Arguments frames(String what, String heard, byte[]... frames) {
        return attack(what, heard, peer -> {
            for (byte[] each : frames) {
                peer.sendRaw(each);
            }
        });
    }

    private static Arguments head(String what, String heard, String... fields) {
        return frames(what, heard, frame(HEADERS, WHOLE, 1, fields(fields)));
    }

    private static byte[] begun(String... fields) {
        return frame(HEADERS, END_HEADERS, 1, fields(fields));
    }

    private static byte[] number(int number) {
        return ByteBuffer.allocate(4).putInt(number).array();
    }

    private static byte[] goAway(int last, int code) {
        return frame(
                GOAWAY, 0, 0, ByteBuffer.allocate(8).putInt(last).putInt(code).array());
    }

    private static String[] many(int count, String value) {
        String[] fields = new String[2 + 2 * count];
        fields[0] = ":status";
        fields[1] = "200";
        for (int i = 0; i < count; i++) {
            fields[2 + 2 * i] = "x-" + i;
            fields[3 + 2 * i] = value;
        }
        return fields;
    }

    /** Only their stream has failed: another on the same connection is answered. */
    static Stream<Arguments> errorsOfAStream() {
        String invalid = "INVALID";
        return Stream.of(
                head("no status", invalid, "x", "y"),
                head("two statuses", invalid, ":status", "200", ":status", "200"),
                head("status of two digits", invalid, ":status", "20"),
                head("status that is none", invalid, ":status", "abc"),
                head("status with a sign", invalid, ":status", "+20"),
                head("status 099", invalid, ":status", "099"),
                head("status 600", invalid, ":status", "600"),
                head("status after a field", invalid, "x", "y", ":status", "200"),
                head("pseudo-header field of a request", invalid, ":status", "200", ":path", "/"),
                head("unknown pseudo-header field", invalid, ":status", "200", ":x", "/"),
                head("upper case", invalid, ":status", "200", "X-A", "y"),
                head("space in a name", invalid, ":status", "200", "x a", "y"),
                head("no name", invalid, ":status", "200", "", "y"),
                head("CR in a value", invalid, ":status", "200", "x", "a\rb"),
                head("LF in a value", invalid, ":status", "200", "x", "a\nb"),
                head("NUL in a value", invalid, ":status", "200", "x", "a\0b"),
                head("space around a value", invalid, ":status", "200", "x", " a"),
                head("connection", invalid, ":status", "200", "connection", "close"),
                head("transfer-encoding", invalid, ":status", "200", "transfer-encoding", "chunked"),
                head("upgrade", invalid, ":status", "200", "upgrade", "x"),
                head("keep-alive", invalid, ":status", "200", "keep-alive", "x"),
                head("length that is none", invalid, ":status", "200", "content-length", "+0"),
                head("lengths that differ", invalid, ":status", "200", "content-length", "0", "content-length", "1"),
                head("length and no body", invalid, ":status", "200", "content-length", "1"),
                head("101", invalid, ":status", "101"),
                head("interim response that ends the stream", invalid, ":status", "100"),
                frames("101 without an end", invalid, begun(":status", "101")),
                frames(
                        "shorter than its length",
                        "200 INVALID",
                        begun(":status", "200", "content-length", "3"),
                        frame(DATA, END_STREAM, 1, new byte[2])),
                frames(
                        "shorter than its length, with trailers",
                        "200 INVALID",
                        begun(":status", "200", "content-length", "3"),
                        frame(HEADERS, WHOLE, 1, fields("x", "y"))),
                frames(
                        "longer than its length",
                        "200 INVALID",
                        begun(":status", "200", "content-length", "3"),
                        frame(DATA, 0, 1, new byte[4])),
                frames("204 with a body", "204 INVALID", begun(":status", "204"), frame(DATA, 0, 1, new byte[1])),
                frames("304 with a body", "304 INVALID", begun(":status", "304"), frame(DATA, 0, 1, new byte[1])),
                frames("body without a head", invalid, frame(DATA, END_STREAM, 1, new byte[1])),
                frames("end without a head", invalid, frame(DATA, END_STREAM, 1)),
                frames(
                        "body after an interim head",
                        "103 INVALID",
                        begun(":status", "103"),
                        frame(DATA, 0, 1, new byte[1])),
                frames("trailers without an end", "200 INVALID", begun(":status", "200"), begun("x", "y")),
                frames("second head", "200 INVALID", begun(":status", "200"), frame(HEADERS, WHOLE, 1, OK)),
                frames(
                        "trailers with upper case",
                        "200 INVALID",
                        begun(":status", "200"),
                        frame(HEADERS, WHOLE, 1, fields("X", "y"))),
                frames(
                        "trailers above their limit",
                        "200 INVALID",
                        begun(":status", "200"),
                        frame(HEADERS, END_STREAM, 1, fields("x", "y".repeat(9_000))),
                        frame(CONTINUATION, END_HEADERS, 1, fields("x", "y".repeat(9_000)))),
                attack("33 interim heads", "100 ".repeat(32) + "INVALID", peer -> {
                    for (int i = 0; i < 33; i++) {
                        peer.respond(1, 0, "100");
                    }
                }),
                head("201 fields", "HEAD_TOO_LARGE", many(201, "y")),
                attack(
                        "head above its limit",
                        "HEAD_TOO_LARGE",
                        peer -> peer.sendBlock(END_STREAM, 1, fields(many(70, "y".repeat(1_000))), 16_000)),
                frames("window update of 0", invalid, frame(WINDOW_UPDATE, 0, 1, number(0))),
                frames("window above its most", invalid, frame(WINDOW_UPDATE, 0, 1, number(Integer.MAX_VALUE))),
                frames("refused", "REFUSED", frame(RST_STREAM, 0, 1, number(ErrorCode.REFUSED_STREAM))),
                frames(
                        "refused after a head",
                        "200 RESET",
                        begun(":status", "200"),
                        frame(RST_STREAM, 0, 1, number(ErrorCode.REFUSED_STREAM))),
                frames("reset", "RESET", frame(RST_STREAM, 0, 1, number(ErrorCode.INTERNAL_ERROR))),
                frames("reset without an error", "RESET", frame(RST_STREAM, 0, 1, number(ErrorCode.NO_ERROR))),
                frames(
                        "reset within a body",
                        "200 RESET",
                        begun(":status", "200", "content-length", "3"),
                        frame(RST_STREAM, 0, 1, number(ErrorCode.NO_ERROR))),
                attack("more than its window", "200 INVALID", peer -> {
                    peer.respond(1, 0, "200");
                    for (int i = 0; i < 5; i++) {
                        peer.send(DATA, 0, 1, new byte[16_384]);
                    }
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("errorsOfAStream")
    void errorOfAStreamHarmsNoOther(String what, String heard, Attack attack) throws Exception {
        attackedBy(attack);
        Outbound.Call victim = outbound.sendUnread(post());
        Outbound.Call other = outbound.get("/");
        assertThat(victim.await().replace(": ", " ")).startsWith(heard + " ");
        assertThat(other.await()).isEqualTo("200 end ended");
        assertThat(outbound.get("/").await()).isEqualTo("200 end ended");
        assertThat(outbound.room()).isEqualTo(Outbound.MOST_STREAMS);
    }

    private void attackedBy(Attack attack) throws Exception {
        upstream = RawUpstream.start(raw -> {
            Http2Client peer = Http2Client.serve(raw);
            peer.next(HEADERS);
            peer.next(HEADERS);
            attack.on(peer);
            peer.send(HEADERS, WHOLE, 3, OK);
            peer.next(HEADERS);
            peer.send(HEADERS, WHOLE, 5, OK);
            peer.end();
        });
        outbound = Outbound.to(upstream.port()).settle();
    }

    /** The connection ends, and all that is on it fails. */
    static Stream<Arguments> errorsOfTheConnection() {
        return Stream.of(
                connection(
                        "reserved bits of HPACK", ErrorCode.COMPRESSION_ERROR, frame(HEADERS, WHOLE, 1, (byte) 0xff)),
                connection(
                        "index that HPACK has not", ErrorCode.COMPRESSION_ERROR, frame(HEADERS, WHOLE, 1, (byte) 0xfe)),
                connection(
                        "table that HPACK may not have",
                        ErrorCode.COMPRESSION_ERROR,
                        frame(HEADERS, WHOLE, 1, (byte) 0x3f, (byte) 0xe2, (byte) 0x1f)),
                connection(
                        "bad HPACK of a stream that is closed",
                        ErrorCode.COMPRESSION_ERROR,
                        frame(RST_STREAM, 0, 1, number(8)),
                        frame(HEADERS, WHOLE, 1, (byte) 0xff)),
                connection("promise", ErrorCode.PROTOCOL_ERROR, frame(PUSH_PROMISE, END_HEADERS, 1, number(2))),
                connection(
                        "push allowed",
                        ErrorCode.PROTOCOL_ERROR,
                        frame(SETTINGS, 0, 0, (byte) 0, (byte) 2, (byte) 0, (byte) 0, (byte) 0, (byte) 1)),
                connection("head of an idle stream", ErrorCode.PROTOCOL_ERROR, frame(HEADERS, WHOLE, 5, OK)),
                connection("head of a stream of its own", ErrorCode.PROTOCOL_ERROR, frame(HEADERS, WHOLE, 2, OK)),
                connection("head of stream 0", ErrorCode.PROTOCOL_ERROR, frame(HEADERS, WHOLE, 0, OK)),
                connection("body of an idle stream", ErrorCode.PROTOCOL_ERROR, frame(DATA, 0, 5, new byte[1])),
                connection("body of stream 0", ErrorCode.PROTOCOL_ERROR, frame(DATA, 0, 0, new byte[1])),
                connection("reset of an idle stream", ErrorCode.PROTOCOL_ERROR, frame(RST_STREAM, 0, 5, number(8))),
                connection("window of an idle stream", ErrorCode.PROTOCOL_ERROR, frame(WINDOW_UPDATE, 0, 5, number(8))),
                connection("settings of a stream", ErrorCode.PROTOCOL_ERROR, frame(SETTINGS, 0, 1)),
                connection("settings of an odd length", ErrorCode.FRAME_SIZE_ERROR, frame(SETTINGS, 0, 0, new byte[5])),
                connection("frame above its limit", ErrorCode.FRAME_SIZE_ERROR, frame(DATA, 0, 1, new byte[16_385])),
                connection("ping of 7 bytes", ErrorCode.FRAME_SIZE_ERROR, frame(PING, 0, 0, new byte[7])),
                connection(
                        "padding above its frame",
                        ErrorCode.PROTOCOL_ERROR,
                        begun(":status", "200"),
                        frame(DATA, PADDED, 1, (byte) 9, (byte) 0)),
                connection(
                        "window of the connection of 0",
                        ErrorCode.PROTOCOL_ERROR,
                        frame(WINDOW_UPDATE, 0, 0, number(0))),
                connection(
                        "window of the connection above its most",
                        ErrorCode.FLOW_CONTROL_ERROR,
                        frame(WINDOW_UPDATE, 0, 0, number(Integer.MAX_VALUE))),
                connection(
                        "windows of streams above their most",
                        ErrorCode.FLOW_CONTROL_ERROR,
                        frame(WINDOW_UPDATE, 0, 1, number(1000)),
                        frame(SETTINGS, 0, 0, (byte) 0, (byte) 4, (byte) 0x7f, (byte) 0xff, (byte) 0xff, (byte) 0xff)),
                connection(
                        "frame within a field block",
                        ErrorCode.PROTOCOL_ERROR,
                        frame(HEADERS, 0, 1, OK),
                        frame(PING, 0, 0, new byte[8])),
                connection(
                        "continuation of nothing", ErrorCode.PROTOCOL_ERROR, frame(CONTINUATION, END_HEADERS, 1, OK)),
                connection(
                        "frames of a response that has ended",
                        ErrorCode.STREAM_CLOSED,
                        frame(HEADERS, WHOLE, 3, OK),
                        frame(DATA, 0, 3, new byte[1])),
                flood("pings", frame(PING, 0, 0, new byte[8]), 30_000),
                flood("settings", frame(SETTINGS, 0, 0), 2_000),
                flood("acknowledged settings", frame(SETTINGS, END_STREAM, 0), 2_000),
                flood("priorities", frame(PRIORITY, 0, 1, number(0)[0], (byte) 0, (byte) 0, (byte) 0, (byte) 0), 3_000),
                flood("unknown frames", frame(99, 0, 0), 3_000),
                flood("window updates", frame(WINDOW_UPDATE, 0, 0, number(1)), 30_000),
                flood("leaves", goAway(Integer.MAX_VALUE, 0), 3_000),
                attack("empty bodies", "ENHANCE_YOUR_CALM", peer -> {
                    peer.respond(1, 0, "200");
                    peer.sendRaw(repeated(frame(DATA, 0, 1), 30_000));
                }),
                attack(
                        "resets of a stream that is closed",
                        "ENHANCE_YOUR_CALM",
                        peer -> peer.sendRaw(repeated(frame(RST_STREAM, 0, 1, number(8)), 30_000))),
                attack("continuation without end", "ENHANCE_YOUR_CALM", peer -> {
                    peer.send(HEADERS, 0, 1, OK);
                    peer.sendRaw(repeated(frame(CONTINUATION, 0, 1, new byte[1]), 200));
                }),
                attack("head without end", "ENHANCE_YOUR_CALM", peer -> {
                    peer.send(HEADERS, 0, 1, OK);
                    peer.sendRaw(repeated(frame(CONTINUATION, 0, 1, fields("x", "y".repeat(16_000))), 20));
                }),
                attack("bomb of HPACK", "ENHANCE_YOUR_CALM", peer -> {
                    byte[] large = fields("x", "y".repeat(4_000));
                    large[0] = 0x40;
                    byte[] bomb = Arrays.copyOf(large, large.length + 8_000);
                    Arrays.fill(bomb, large.length, bomb.length, (byte) 0xbe);
                    peer.send(HEADERS, WHOLE, 1, bomb);
                }));
    }

    private static Arguments connection(String what, int code, byte[]... frames) {
        return frames(what, ErrorCode.name(code), frames);
    }

    private static Arguments flood(String what, byte[] frame, int count) {
        return attack(what, "ENHANCE_YOUR_CALM", peer -> peer.sendRaw(repeated(frame, count)));
    }

    private static byte[] repeated(byte[] bytes, int count) {
        ByteBuffer all = ByteBuffer.allocate(count * bytes.length);
        for (int i = 0; i < count; i++) {
            all.put(bytes);
        }
        return all.array();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("errorsOfTheConnection")
    void errorOfTheConnectionEndsItWithAllItsStreams(String what, String code, Attack attack) throws Exception {
        upstream = RawUpstream.start(raw -> {
            Http2Client peer = Http2Client.serve(raw);
            peer.next(HEADERS);
            peer.next(HEADERS);
            try {
                attack.on(peer);
            } catch (IOException e) {
                // it was ended before it was through
            }
            peer.end();
        });
        outbound = Outbound.to(upstream.port()).settle();
        Outbound.Call victim = outbound.send(post(), true);
        Outbound.Call other = outbound.get("/");
        String heard = "INVALID: the upstream broke the rules of HTTP/2: " + code;
        assertThat(victim.await()).matches(any -> any.contains(heard) || any.startsWith("RESET"));
        assertThat(other.await()).matches(any -> any.contains(heard) || any.equals("200 end ended"));
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
        assertThat(outbound.room()).isZero();
    }

    @Test
    void upstreamThatDoesNotSpeakHttp2EndsTheConnection() throws Exception {
        upstream = RawUpstream.start(raw -> {
            Http2Client.accept(raw).next(HEADERS);
            raw.send("HTTP/1.1 400 Bad Request¶¶");
            raw.readAll();
        });
        outbound = Outbound.to(upstream.port());
        assertThat(outbound.get("/").await()).startsWith("INVALID: the upstream broke the rules of HTTP/2: ");
        assertThat(outbound.event()).isEqualTo("leaving");
        assertThat(outbound.event()).isEqualTo("closed");
    }

    @Test
    void whateverWasBegunOfABlockIsWaitedForAsLongAsAHead() throws Exception {
        upstream = RawUpstream.start(raw -> {
            Http2Client peer = Http2Client.serve(raw);
            peer.next(HEADERS);
            peer.send(HEADERS, 0, 1, OK);
            peer.end();
        });
        outbound = Outbound.to(upstream.port()).settle();
        Outbound.Call call = outbound.get("/");
        await().until(() ->
                outbound.onThread(() -> outbound.connection().reader().phase() == FrameReader.Phase.HEAD));
        // from the next sweep on
        outbound.advance(Duration.ZERO);
        outbound.advance(Duration.ofSeconds(9));
        assertThat(call.isOver()).isFalse();
        outbound.advance(Duration.ofSeconds(2));
        assertThat(call.await()).startsWith("TOO_SLOW");
    }
}
