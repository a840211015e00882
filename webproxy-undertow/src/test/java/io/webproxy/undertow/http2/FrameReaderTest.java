package io.webproxy.undertow.http2;

import static io.webproxy.undertow.testing.Http2Client.ACK;
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
import static io.webproxy.undertow.testing.Http2Client.block;
import static io.webproxy.undertow.testing.Http2Client.fields;
import static io.webproxy.undertow.testing.Http2Client.frame;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.undertow.util.HeaderMap;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.http2.FrameReader.Phase;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameReaderTest {
    private static final int WINDOW = 100_000;
    private static final byte[] START =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] GET = block("GET", "/", "a");

    /** What passed the gate and what it asked for, a line each. */
    private final List<String> log = new ArrayList<>();

    private Http2Limits limits = Http2Limits.defaults();
    private @Nullable RequestReader reader;

    private RequestReader reader() {
        if (reader == null) {
            reader = fresh();
            take(START);
            log.clear();
        }
        return reader;
    }

    private RequestReader fresh() {
        return new RequestReader(new Log(), limits, HttpLimits.defaults(), new FloodMeter(limits, () -> 0), WINDOW);
    }

    private final class Log implements RequestReader.Handler {
        @Override
        public void settings(PeerSettings changed) {
            log.add("settings " + changed.leastTable() + " " + changed.table());
        }

        @Override
        public void settingsAcknowledged() {
            log.add("settings acknowledged");
        }

        @Override
        public void request(int stream, RequestFields head, HeaderMap fields, boolean end) {
            log.add("request " + stream + " " + head.method() + " " + head.path() + " " + fields + (end ? " end" : ""));
        }

        @Override
        public void data(int stream, ByteBuffer bytes, boolean end) {
            log.add("data " + stream + " " + bytes.remaining() + (end ? " end" : ""));
        }

        @Override
        public void trailers(int stream, HeaderMap trailers) {
            log.add("trailers " + stream + " " + trailers);
        }

        @Override
        public void resetByPeer(int stream, int code) {
            log.add("client resets " + stream + " " + code);
        }

        @Override
        public void reset(int stream, int code) {
            log.add("reset " + stream + " " + code);
        }

        @Override
        public void malformed(int stream, @Nullable RequestFields head) {
            log.add("malformed " + stream + (head == null ? "" : " head"));
        }

        @Override
        public void windowUpdate(int stream, int bytes) {
            log.add("client opens " + stream + " " + bytes);
        }

        @Override
        public void openWindow(int stream, int bytes) {
            log.add("window " + stream + " " + bytes);
        }

        @Override
        public void leaving(int last, int code) {
            log.add("leaving");
        }

        @Override
        public void ping(long payload) {
            log.add("ping " + payload);
        }

        @Override
        public void pong(long payload) {
            log.add("pong " + payload);
        }
    }

    /** Gives bytes to the reader. */
    private FrameReaderTest take(byte[] bytes) {
        RequestReader reader = reader();
        ByteBuffer data = ByteBuffer.wrap(bytes);
        int error = reader.take(data);
        if (error >= 0) {
            log.add("goaway " + error);
        }
        assertThat(data.hasRemaining()).isFalse();
        return this;
    }

    private FrameReaderTest take(int type, int flags, int stream, byte... payload) {
        return take(frame(type, flags, stream, payload));
    }

    private FrameReaderTest open(int stream, String... more) {
        return take(HEADERS, END_HEADERS, stream, block("POST", "/", "a", more));
    }

    private FrameReaderTest get(int stream) {
        return take(HEADERS, END_HEADERS | END_STREAM, stream, GET);
    }

    private String last() {
        return log.isEmpty() ? "" : log.get(log.size() - 1);
    }

    static Stream<Arguments> malformedHeads() {
        return Stream.of(
                head("colon in a name", "a:b", "x"),
                head("upper case in a name", "X-a", "x"),
                head("space in a name", "x a", "x"),
                head("empty name", "", "x"),
                head("empty name and value", "", ""),
                head("CR in a name", "x\ra", "x"),
                head("LF in a name", "x\n", "x"),
                head("several of them", "x", "y", "", "1", "\r\n", "2", "\n", "3", "z", "y", "", "4"),
                fieldBlock(
                        "name in Huffman's code",
                        concat(GET, new byte[] {0x00, (byte) 0x84, -1, -1, -1, (byte) 0xf3, 1, 'y'})),
                head("late pseudo-header", "x", "y", ":path", "/other"),
                fieldBlock(
                        "pseudo-header that is late, and the only one",
                        fields(":method", "GET", ":scheme", "https", "x", "y", ":path", "/", ":authority", "a")),
                head("pseudo-header twice", ":path", "/other"),
                head("authority twice", ":authority", "a"),
                head("unknown pseudo-header", ":foo", "x"),
                head("pseudo-header of a response", ":status", "200"),
                head("connection", "connection", "close"),
                head("keep-alive", "keep-alive", "x"),
                head("proxy-connection", "proxy-connection", "x"),
                head("transfer-encoding", "transfer-encoding", "chunked"),
                head("upgrade", "upgrade", "websocket"),
                head("te", "te", "gzip"),
                head("another host", "host", "b"),
                head("two hosts", "host", "a", "host", "a"),
                head("two lengths", "content-length", "1", "content-length", "2"),
                head("length that is none", "content-length", "+1"),
                head("huge length", "content-length", "99999999999999999999"),
                head("CR", "x", "a\rb"),
                head("LF", "x", "a\nb"),
                head("CRLF", "x", "a\r\nx-evil: b"),
                head("NUL", "x", "a\0b"),
                fieldBlock("no path", fields(":method", "GET", ":scheme", "https", ":authority", "a")),
                fieldBlock("no method", fields(":path", "/", ":scheme", "https", ":authority", "a")),
                fieldBlock("no scheme", fields(":method", "GET", ":path", "/", ":authority", "a")),
                target("empty path", ""),
                target("absolute path", "https://a/"),
                target("path without a slash", "x"),
                target("asterisk of another method than OPTIONS", "*"),
                target("space in the path", "/a b"),
                target("fragment", "/a#b"),
                target("raw byte", "/\u00e4"),
                fieldBlock("method", block("GE T", "/", "a")),
                fieldBlock("space in the authority", block("GET", "/", "a b")),
                fieldBlock("CONNECT with a path", block("CONNECT", "/", "a:1")),
                fieldBlock(
                        "CONNECT, of which Undertow would end the connection",
                        fields(":method", "CONNECT", ":authority", "a:1")),
                fieldBlock("CONNECT without authority", fields(":method", "CONNECT")));
    }

    private static Arguments head(String what, String... more) {
        return fieldBlock(what, block("GET", "/", "a", more));
    }

    private static Arguments target(String what, String path) {
        return fieldBlock(what, block("GET", path, "a"));
    }

    private static Arguments fieldBlock(String what, byte[] block) {
        return arguments(what, block);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformedHeads")
    void malformedHeadIsAnErrorOfItsStreamOnly(String what, byte[] head) {
        take(HEADERS, END_HEADERS | END_STREAM, 1, head).get(3);

        assertThat(log.get(0)).isEqualTo("malformed 1 head");
        assertThat(log.get(1)).startsWith("request 3 GET /");
        assertThat(log).hasSize(2);
    }

    @Test
    void fieldsPassWithTheHeadAndTheSchemeIsThatOfTheConnection() {
        take(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                fields(
                        ":method",
                        "GET",
                        ":scheme",
                        "http",
                        ":path",
                        "/x?y",
                        "host",
                        "b:1",
                        "te",
                        "trailers",
                        "a",
                        "1"));

        assertThat(last())
                .startsWith("request 1 GET /x?y {")
                .contains("host=[b:1]", "a=[1]")
                .endsWith(" end");
    }

    private FrameReaderTest getIndexed(int stream, int... bytes) {
        byte[] more = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            more[i] = (byte) bytes[i];
        }
        return take(HEADERS, END_HEADERS | END_STREAM, stream, concat(GET, more));
    }

    /** The entries of the client's table keep their places and the room that they take. */
    @ParameterizedTest
    @ValueSource(strings = {"\n", "a\rb", "", "\r\n\r\n"})
    void nameThatNoFieldCanHaveLeavesTheTableAsItIs(String name) {
        byte[] bad =
                concat(new byte[] {0x40, (byte) name.length()}, name.getBytes(StandardCharsets.US_ASCII), new byte[] {
                    2, 'v', 'w'
                });
        for (int surplus = 0; surplus < 2; surplus++) {
            reader = null;
            take(HEADERS, END_HEADERS | END_STREAM, 1, concat(GET, bad, new byte[] {0x40, 1, 'x', 1, 'y'}));
            assertThat(last()).isEqualTo("malformed 1 head");
            assertThat(getIndexed(3, 0x80 | 62).last()).contains("x=[y]");
            assertThat(getIndexed(5, 0x80 | 63).last()).as("the bad one").isEqualTo("malformed 5 head");
            // fills the table, so that the bad one goes or stays
            int length = 4096 - (name.length() + 2 + 32) - (1 + 1 + 32) - (1 + 32) + surplus;
            byte[] head = {0x40, 1, 'z', 127, (byte) ((length - 127) & 127 | 128), (byte) ((length - 127) >> 7)};
            byte[] value = "m".repeat(length).getBytes(StandardCharsets.US_ASCII);
            take(HEADERS, END_HEADERS | END_STREAM, 7, concat(GET, head, value));
            assertThat(last()).contains("z=[mmm");
            assertThat(getIndexed(9, 0x80 | 63).last()).contains("x=[y]");
            assertThat(getIndexed(11, 0x80 | 64).last())
                    .isEqualTo(surplus == 0 ? "malformed 11 head" : "goaway " + ErrorCode.COMPRESSION_ERROR);
        }
    }

    @Test
    void emptyNameAndValueInTheTableAreAnErrorOfTheirStreamOnly() {
        assertThat(getIndexed(1, 0x40, 0, 0).last()).isEqualTo("malformed 1 head");
        assertThat(getIndexed(3, 0x80 | 62).last()).isEqualTo("malformed 3 head");
        assertThat(get(5).last()).startsWith("request 5");
    }

    @Test
    void anyNumberOfNamesThatNoFieldCanHaveIsAnErrorOfTheStreamOnly() {
        take(HEADERS, END_HEADERS | END_STREAM, 1, concat(GET, new byte[3 * 1000]));
        assertThat(last()).isEqualTo("malformed 1 head");
        assertThat(get(3).last()).startsWith("request 3");
    }

    @Test
    void leaveOfTheClientIsNotTheEndOfItsStreams() {
        open(1).take(GOAWAY, 0, 0, new byte[8])
                .take(DATA, END_STREAM, 1, new byte[3])
                .get(3);
        assertThat(log).contains("leaving", "data 1 3 end");
        assertThat(last()).startsWith("request");
    }

    @Test
    void priorityOfAStreamThatIsResetResetsNothingAgain() {
        byte[] onItself = {0, 0, 0, 1, 0};
        open(1).take(PRIORITY, 0, 1, onItself).take(PRIORITY, 0, 1, onItself).take(PRIORITY, 0, 1);
        assertThat(log).filteredOn(line -> line.startsWith("reset 1")).hasSize(1);
    }

    @Test
    void surplusStreamIsRefusedWithoutLosingTheStateOfHpack() {
        limits = limits.withStreams(2);
        byte[] indexed = concat(GET, new byte[] {0x40, 1, 'x', 1, 'y'});
        get(1).open(3).take(HEADERS, END_HEADERS | END_STREAM, 5, indexed);
        assertThat(last()).isEqualTo("reset 5 " + ErrorCode.REFUSED_STREAM);

        reader().completed(1);
        take(HEADERS, END_HEADERS | END_STREAM, 7, concat(GET, new byte[] {(byte) (0x80 | 62)}));
        assertThat(last()).contains("x=[y]");
        get(9);
        assertThat(last()).isEqualTo("reset 9 " + ErrorCode.REFUSED_STREAM);
        take(RST_STREAM, 0, 7, new byte[4]).get(11);
        assertThat(last()).startsWith("request");
    }

    @Test
    void whatWasUnderWayForARefusedStreamIsThrownAway() {
        limits = limits.withStreams(1);
        get(1).open(3).take(DATA, 0, 3, new byte[10]).take(DATA, END_STREAM, 3, new byte[10]);
        assertThat(last()).isEqualTo("reset 3 7");

        take(DATA, 0, 3, new byte[1]);
        assertThat(last()).isEqualTo("goaway " + ErrorCode.STREAM_CLOSED);
    }

    @Test
    void floodOfMalformedRequestsIsNoFloodOfAnswers() {
        limits = limits.withResets(20);
        for (int stream = 1; stream < 100; stream += 2) {
            take(HEADERS, END_HEADERS | END_STREAM, stream, block("GET", "/", "a", "X", "y"));
        }
        assertThat(log).hasSize(21).endsWith("goaway " + ErrorCode.ENHANCE_YOUR_CALM);
    }

    @Test
    void tableOfTheClientIsTheLastAndTheLeastOfOneFrame() {
        for (int[] each : new int[][] {{100, 200, 100, 200}, {8192, 8192, 4096, 4096}, {50, 10, 10, 10}}) {
            byte[] payload = ByteBuffer.allocate(12)
                    .putShort((short) 1)
                    .putInt(each[0])
                    .putShort((short) 1)
                    .putInt(each[1])
                    .array();
            take(SETTINGS, 0, 0, payload);
            assertThat(last()).isEqualTo("settings " + each[2] + " " + each[3]);
        }
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    @Test
    void bodyThatIsLongerThanItsLengthNeverPasses() {
        open(1, "content-length", "5").take(DATA, 0, 1, new byte[3]);
        assertThat(last()).isEqualTo("data 1 3");
        take(DATA, 0, 1, new byte[3]);
        assertThat(last()).isEqualTo("malformed 1");
        take(DATA, END_STREAM, 1, new byte[3]);
        assertThat(last()).isEqualTo("malformed 1");
    }

    @Test
    void bodyThatIsShorterThanItsLengthIsReset() {
        open(1, "content-length", "5").take(DATA, END_STREAM, 1, new byte[3]);
        assertThat(last()).isEqualTo("malformed 1");
        take(HEADERS, END_HEADERS | END_STREAM, 3, block("POST", "/", "a", "content-length", "5"));
        assertThat(last()).isEqualTo("malformed 3 head");
        open(5, "content-length", "5").take(HEADERS, END_HEADERS | END_STREAM, 5, fields("x", "y"));
        assertThat(last()).isEqualTo("malformed 5");
    }

    @Test
    void trailersPassAsTheEndOfTheBody() {
        open(1).take(DATA, 0, 1, new byte[3]).take(HEADERS, END_HEADERS | END_STREAM, 1, fields("x", "y"));

        assertThat(last()).isEqualTo("trailers 1 {x=[y]}");
    }

    @Test
    void tunnelHasNoTrailers() {
        take(
                HEADERS,
                END_HEADERS,
                1,
                fields(
                        ":method",
                        "CONNECT",
                        ":protocol",
                        "websocket",
                        ":scheme",
                        "https",
                        ":path",
                        "/",
                        ":authority",
                        "a"));
        take(HEADERS, END_HEADERS | END_STREAM, 1, fields("x", "y"));

        assertThat(last()).isEqualTo("malformed 1");
    }

    @Test
    void lastStreamStaysOnceItIsNamed() {
        get(1);
        assertThat(reader().refuse()).isEqualTo(1);
        get(3);
        assertThat(last()).isEqualTo("reset 3 7");
        assertThat(reader().lastStream()).isEqualTo(1);
        assertThat(reader().refuse()).isEqualTo(1);
    }

    @Test
    void malformedTrailersAreAnErrorOfTheStream() {
        int stream = 1;
        for (byte[] trailers : List.of(
                fields(":path", "/"),
                fields("x", "a\r\nb"),
                fields("X", "y"),
                fields("a:b", "y"),
                fields("connection", "y"),
                fields("x", "y".repeat(17_000 - 700), "z", "y".repeat(700)))) {
            open(stream);
            ByteBuffer block = ByteBuffer.wrap(trailers);
            byte[] first = new byte[Math.min(16_000, trailers.length)];
            byte[] rest = new byte[trailers.length - first.length];
            block.get(first).get(rest);
            take(HEADERS, END_STREAM, stream, first).take(CONTINUATION, END_HEADERS, stream, rest);
            assertThat(last()).isEqualTo("malformed " + stream);
            stream += 2;
        }
        open(stream).take(HEADERS, END_HEADERS, stream, fields("x", "y"));
        assertThat(last()).as("without the end").isEqualTo("malformed " + stream);
    }

    @Test
    void paddingIsTakenOutAndItsWindowGivenBack() {
        byte[] padded = new byte[201];
        padded[0] = (byte) 150;
        open(1);
        for (int i = 0; i < 300; i++) {
            take(DATA, PADDED, 1, padded);
        }
        assertThat(log).contains("data 1 50", "window 0 32918", "window 1 32918");
    }

    @Test
    void clientThatSendsMoreThanItMayIsToldSo() {
        open(1);
        reader().windowOpened(0, 1 << 20);
        for (int i = 0; i < 7; i++) {
            take(DATA, 0, 1, new byte[16_000]);
        }
        assertThat(last()).isEqualTo("reset 1 " + ErrorCode.FLOW_CONTROL_ERROR);
    }

    @Test
    void clientThatSendsMoreThanTheConnectionTakesIsToldSo() {
        open(1);
        for (int i = 0; i < 5; i++) {
            take(DATA, 0, 1, new byte[16_000]);
        }
        assertThat(last()).isEqualTo("goaway " + ErrorCode.FLOW_CONTROL_ERROR);
    }

    @Test
    void headAboveItsLimitIsHandedOnShortened() {
        byte[] block = block("GET", "/", "a", "x", "y".repeat(20_000), "z", "y".repeat(20_000), "last", "1");
        take(HEADERS, END_STREAM, 1, Arrays.copyOf(block, 16_000));
        for (int at = 16_000; at < block.length; at += 16_000) {
            int end = Math.min(block.length, at + 16_000);
            take(CONTINUATION, end == block.length ? END_HEADERS : 0, 1, Arrays.copyOfRange(block, at, end));
        }
        assertThat(log).hasSize(1);
        assertThat(last()).contains("z=[y").doesNotContain("last");
    }

    @Test
    void blockFarAboveTheLimitOrOfTooManyPiecesEndsTheConnection() {
        take(HEADERS, END_STREAM, 1, GET);
        for (int i = 0; i < 5; i++) {
            take(CONTINUATION, 0, 1, new byte[16_000]);
        }
        assertThat(log).containsExactly("goaway " + ErrorCode.ENHANCE_YOUR_CALM);

        reader = null;
        log.clear();
        take(HEADERS, END_STREAM, 1, GET);
        for (int i = 0; i < 100; i++) {
            take(CONTINUATION, 0, 1);
        }
        assertThat(log).containsExactly("goaway " + ErrorCode.ENHANCE_YOUR_CALM);
    }

    /** A head with an entry of 4,000 bytes, and references to it. */
    private FrameReaderTest bomb(int stream, int references) {
        byte[] bomb = new byte[references];
        Arrays.fill(bomb, (byte) (0x80 | 62));
        byte[] entry = fields("x", "y".repeat(4000));
        entry[0] = 0x40;
        return take(HEADERS, END_STREAM, stream, concat(GET, entry)).take(CONTINUATION, END_HEADERS, stream, bomb);
    }

    @Test
    void bombOfHpackIsKeptSmallAndEndsTheConnection() {
        bomb(1, 20);
        assertThat(log).hasSize(1);
        assertThat(last().length()).isBetween(30_000, 40_000);
        bomb(3, 15_000);
        assertThat(last()).isEqualTo("goaway " + ErrorCode.ENHANCE_YOUR_CALM);
    }

    static Stream<Arguments> errorsOfTheConnection() {
        return Stream.of(
                error("DATA of stream 0", 1, frame(DATA, 0, 0, new byte[1])),
                error("DATA of an idle stream", 1, frame(DATA, 0, 1, new byte[1])),
                error("HEADERS of stream 0", 1, frame(HEADERS, 5, 0, GET)),
                error("HEADERS of an even stream", 1, frame(HEADERS, 5, 2, GET)),
                error("HPACK without the table", 9, frame(HEADERS, 5, 1, (byte) 0xff, (byte) 0xff, (byte) 0x7f)),
                error("HPACK index of nothing", 9, frame(HEADERS, 5, 1, (byte) (0x80 | 70))),
                error("HPACK cut short", 9, frame(HEADERS, 5, 1, (byte) 0, (byte) 5, (byte) 'a')),
                error("PRIORITY of stream 0", 1, frame(PRIORITY, 0, 0, new byte[5])),
                error("RST_STREAM of an idle stream", 1, frame(RST_STREAM, 0, 1, new byte[4])),
                error("RST_STREAM of a wrong size", 6, concat(frame(HEADERS, 5, 1, GET), frame(RST_STREAM, 0, 1))),
                error("SETTINGS of a stream", 1, frame(SETTINGS, 0, 1)),
                error("SETTINGS of a wrong size", 6, frame(SETTINGS, 0, 0, new byte[5])),
                error("acknowledged SETTINGS with a payload", 6, frame(SETTINGS, ACK, 0, new byte[6])),
                error("ENABLE_PUSH", 1, frame(SETTINGS, 0, 0, (byte) 0, (byte) 2, (byte) 0, (byte) 0, (byte) 0, (byte)
                        2)),
                error(
                        "window above 2^31-1",
                        3,
                        frame(SETTINGS, 0, 0, (byte) 0, (byte) 4, (byte) -1, (byte) 0, (byte) 0, (byte) 0)),
                error(
                        "frame size too small",
                        1,
                        frame(SETTINGS, 0, 0, (byte) 0, (byte) 5, (byte) 0, (byte) 0, (byte) 0, (byte) 2)),
                error("PUSH_PROMISE", 1, frame(5, 4, 1, new byte[4])),
                error("PING of a stream", 1, frame(PING, 0, 1, new byte[8])),
                error("PING of a wrong size", 6, frame(PING, 0, 0, new byte[7])),
                error("GOAWAY of a stream", 1, frame(GOAWAY, 0, 1, new byte[8])),
                error("WINDOW_UPDATE of nothing", 1, frame(WINDOW_UPDATE, 0, 0, new byte[4])),
                error("WINDOW_UPDATE of a wrong size", 6, frame(WINDOW_UPDATE, 0, 0, new byte[3])),
                error("WINDOW_UPDATE of an idle stream", 1, frame(WINDOW_UPDATE, 0, 9, new byte[] {0, 0, 0, 1})),
                error("CONTINUATION of nothing", 1, frame(CONTINUATION, 4, 1, GET)),
                error("another frame in a block", 1, concat(frame(HEADERS, 0, 1, GET), frame(PING, 0, 0, new byte[8]))),
                error(
                        "CONTINUATION of another stream",
                        1,
                        concat(frame(HEADERS, 0, 1, GET), frame(CONTINUATION, 4, 3))),
                error("frame that is too long", 6, frame(99, 0, 0, new byte[16_385])),
                error("smaller stream", 1, concat(frame(HEADERS, 5, 5, GET), frame(HEADERS, 5, 3, GET))),
                error("padding that is too long", 1, concat(frame(HEADERS, 4, 1, GET), frame(DATA, 8, 1, (byte) 1))));
    }

    private static Arguments error(String what, int code, byte[] bytes) {
        return arguments(what, code, bytes);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("errorsOfTheConnection")
    void breachOfTheProtocolEndsTheConnection(String what, int code, byte[] bytes) {
        take(bytes).get(11);

        assertThat(last()).isEqualTo("goaway " + code);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\1\0\0\0\0",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\u0008\6\0\0\0\0\0"
            })
    void anythingButThePrefaceAndSettingsEndsTheConnection(String start) {
        reader();
        FrameReader fresh = fresh();
        assertThat(fresh.take(ByteBuffer.wrap(start.getBytes(StandardCharsets.US_ASCII))))
                .isEqualTo(ErrorCode.PROTOCOL_ERROR);
    }

    @Test
    void frameAfterTheEndOfItsStreamIsAnError() {
        get(1).take(DATA, 0, 1, new byte[1]);
        assertThat(last()).isEqualTo("reset 1 " + ErrorCode.STREAM_CLOSED);
        get(3).get(3);
        assertThat(last()).isEqualTo("reset 3 " + ErrorCode.STREAM_CLOSED);
        open(5).take(RST_STREAM, 0, 5, new byte[4]).take(DATA, 0, 5, new byte[1]);
        assertThat(last()).isEqualTo("goaway " + ErrorCode.STREAM_CLOSED);
    }

    @Test
    void lateFramesOfAStreamThatWeHaveResetAreIgnored() {
        open(1);
        reader().wasReset(1);
        log.clear();
        take(DATA, 0, 1, new byte[100]).take(HEADERS, END_HEADERS | END_STREAM, 1, fields("x", "y"));
        take(RST_STREAM, 0, 1, new byte[4]).take(WINDOW_UPDATE, 0, 1, new byte[] {0, 0, 0, 1});
        assertThat(log).isEmpty();
    }

    static Stream<Arguments> floods() {
        Http2Limits limits = Http2Limits.defaults();
        return Stream.of(
                arguments("PING", limits.pings(), frame(PING, 0, 0, new byte[8])),
                arguments("PING ACK", limits.pings(), frame(PING, ACK, 0, new byte[8])),
                arguments("SETTINGS", limits.settings() - 1, frame(SETTINGS, 0, 0)),
                arguments("SETTINGS ACK", limits.settings() - 1, frame(SETTINGS, ACK, 0)),
                arguments("empty DATA", limits.emptyData(), frame(DATA, 0, 1)),
                arguments("padded DATA", limits.emptyData(), frame(DATA, 8, 1, (byte) 0)),
                arguments("PRIORITY", limits.priorities(), frame(PRIORITY, 0, 1, new byte[5])),
                arguments("unknown", limits.priorities(), frame(99, 0, 1)),
                arguments("WINDOW_UPDATE", limits.windowUpdates(), frame(WINDOW_UPDATE, 0, 0, new byte[] {0, 0, 0, 1})),
                arguments(
                        "PRIORITY on itself", limits.priorities(), frame(PRIORITY, 0, 1, new byte[] {0, 0, 0, 1, 1})));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("floods")
    void floodEndsTheConnection(String what, int most, byte[] frame) {
        open(1);
        for (int i = 0; i < most; i++) {
            take(frame);
        }
        assertThat(log).noneMatch(line -> line.startsWith("goaway"));
        take(frame);
        assertThat(last()).isEqualTo("goaway " + ErrorCode.ENHANCE_YOUR_CALM);
    }

    @Test
    void rapidResetEndsTheConnection() {
        int stream = 1;
        for (; stream < 2 * limits.resets(); stream += 2) {
            get(stream).take(RST_STREAM, 0, stream, new byte[4]);
        }
        assertThat(log).noneMatch(line -> line.startsWith("goaway"));
        get(stream).take(RST_STREAM, 0, stream, new byte[4]);
        assertThat(last()).isEqualTo("goaway " + ErrorCode.ENHANCE_YOUR_CALM);
    }

    @Test
    void resetsThatTheClientMakesUsSendCountAsItsOwn() {
        for (int stream = 1; stream <= 2 * limits.resets(); stream += 2) {
            get(stream).take(WINDOW_UPDATE, 0, stream, new byte[4]);
        }
        assertThat(last()).isEqualTo("reset 399 1");
        get(401).take(WINDOW_UPDATE, 0, 401, new byte[4]);
        assertThat(last()).isEqualTo("goaway " + ErrorCode.ENHANCE_YOUR_CALM);
    }

    @Test
    void phaseTellsWhatTheClientIsAt() {
        FrameReader fresh = fresh();
        assertThat(fresh.phase()).isEqualTo(Phase.START);
        assertThat(reader().phase()).isEqualTo(Phase.IDLE);
        take(new byte[] {0, 0, 9, 1, 5, 0, 0, 0, 1});
        assertThat(reader().phase()).isEqualTo(Phase.HEAD);
        reader = null;
        take(HEADERS, END_STREAM, 1, GET);
        assertThat(reader().phase()).isEqualTo(Phase.HEAD);
        take(CONTINUATION, END_HEADERS, 1);
        assertThat(reader().phase()).isEqualTo(Phase.BUSY);
        reader().completed(1);
        assertThat(reader().phase()).isEqualTo(Phase.IDLE);
    }

    private static byte[] conversation() {
        return concat(
                frame(SETTINGS, 0, 0, (byte) 0, (byte) 1, (byte) 0, (byte) 0, (byte) 0, (byte) 0),
                frame(HEADERS, PADDED, 1, concat(new byte[] {2}, block("POST", "/", "a"), new byte[2])),
                frame(CONTINUATION, END_HEADERS, 1, fields("x", "y")),
                frame(DATA, PADDED, 1, (byte) 2, (byte) 'a', (byte) 0, (byte) 0),
                frame(PING, 0, 0, new byte[8]),
                frame(HEADERS, END_HEADERS | END_STREAM, 1, fields("t", "z")));
    }

    @Test
    void bytesMayComeInAnyPieces() {
        byte[] bytes = conversation();
        take(bytes);
        List<String> whole = List.copyOf(log);
        assertThat(whole)
                .contains("settings 0 0", "data 1 1", "ping 0", "trailers 1 {t=[z]}")
                .anyMatch(line -> line.startsWith("request 1 POST / "));

        reader = null;
        log.clear();
        for (byte one : bytes) {
            take(new byte[] {one});
        }
        assertThat(log).isEqualTo(whole);
    }

    @Test
    void anyByteMayBeAnything() {
        byte[] bytes = conversation();
        for (int i = 0; i < bytes.length; i++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] mutation = bytes.clone();
                mutation[i] ^= (byte) (1 << bit);
                reader = null;
                log.clear();
                take(mutation);
            }
        }
        assertThat(log).isNotEmpty();
    }

    @Test
    void answeredPingsAndLateStreamsOfAConnectionThatEnds() {
        take(frame(PING, ACK, 0, new byte[] {0, 0, 0, 0, 0, 0, 0, 7}));
        take(frame(HEADERS, END_HEADERS | END_STREAM, 1, GET));
        assertThat(reader().refuse()).isEqualTo(1);
        log.clear();
        take(frame(HEADERS, END_HEADERS | END_STREAM, 3, GET));
        assertThat(log).containsExactly("reset 3 " + ErrorCode.REFUSED_STREAM);
        assertThat(reader().isOpen(1)).isTrue();
    }
}
