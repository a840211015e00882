package io.webproxy.undertow.http1;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
import io.webproxy.http.HttpLimits;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestParserTest {
    private static final String HEAD = "GET /a?b=c HTTP/1.1¶Host: a¶x-Y: z  z ¶¶";

    static Stream<String> heads() {
        return Stream.of(
                HEAD,
                "¶" + HEAD,
                "POST / HTTP/1.1¶Host: a¶Content-Length: 17¶Connection: x, Close¶¶",
                "POST http://a:80/x? HTTP/1.1¶HOST:a:80¶transfer-encoding:\t CHUNKED \t¶¶",
                "OPTIONS * HTTP/1.0¶Connection: keep-alive¶Empty:¶¶",
                "M-SEARCH /{}|^`%?%é\\\"<> HTTP/1.9¶Host: [::1]¶" + "X: y¶".repeat(120) + "¶",
                "GET /x HTTP/2.0¶Host: a¶¶",
                "GET /x HTTP/1.1¶Host: a¶ folded¶¶",
                "GET / HTTP/1.1¶Host: a¶Content-Length: 1¶Transfer-Encoding: chunked¶¶",
                "GET / HTTP/1.1¶Host: a¶Content-Length: 1¶Content-Length: 1¶¶",
                "GET /" + "a".repeat(3000) + " HTTP/1.1¶Host: a¶X: " + "b".repeat(9000) + "¶Y: c¶¶",
                "GET /" + "a".repeat(17_000) + " HTTP/1.1¶Host: a¶¶",
                "GET / HTTP/1.1¶" + "Z".repeat(40_000));
    }

    @Test
    void wholeHeadIsRead() {
        ParsedHead head = ParsedHead.of(HEAD + "body or the next head");
        RequestParser parser = head.parser();
        assertThat(head.isComplete()).isTrue();
        assertThat(head.taken()).isEqualTo(ParsedHead.bytes(HEAD).limit());
        assertThat(parser.problem()).isNull();
        assertThat(parser.method()).isSameAs(Methods.GET);
        assertThat(parser.path()).isEqualTo("/a");
        assertThat(parser.query()).isEqualTo("b=c");
        assertThat(parser.protocol()).isSameAs(Protocols.HTTP_1_1);
        assertThat(head.value("Host")).isEqualTo("a");
        assertThat(head.value("X-y")).isEqualTo("z  z");
        assertThat(parser.headers().getHeaderNames()).anyMatch(name -> name == Headers.HOST);
        assertThat(parser.headers().getHeaderNames())
                .anyMatch(name -> name.toString().equals("x-Y"));
    }

    @ParameterizedTest
    @MethodSource("heads")
    void splitAnywhereItIsTheSame(String text) {
        ByteBuffer all = ParsedHead.bytes(text + "rest");
        HttpLimits limits = HttpLimits.defaults();
        String whole = ParsedHead.of(all, all.limit(), limits).toString();
        int shortest = all.limit() > 2000 ? 40 : 1;
        for (int piece = 1; piece < all.limit(); piece += shortest) {
            ParsedHead pieces = ParsedHead.of(all, piece, limits);
            if (pieces.status() < 414) {
                assertThat(pieces).as("pieces of %d bytes", piece).hasToString(whole);
            } else {
                // how much has come by the time a limit is passed depends on the pieces
                assertThat(whole).contains("status=" + pieces.status());
            }
        }
    }

    @Test
    void everyTruncationWantsMore() {
        ByteBuffer all = ParsedHead.bytes(HEAD);
        for (int length = 0; length < all.limit(); length++) {
            ParsedHead head = ParsedHead.of(all.duplicate().limit(length), length + 1, HttpLimits.defaults());
            assertThat(head.isComplete()).as("%d bytes", length).isFalse();
            assertThat(head.parser().hasBegun()).isEqualTo(length > 0);
        }
    }

    @Test
    void everyMutationGetsTheSameAnswerInOnePieceAndInMany() {
        byte[] original = ParsedHead.bytes("POST /a?b HTTP/1.1¶Host: a¶Content-Length: 3¶¶")
                .array();
        HttpLimits limits = HttpLimits.defaults();
        for (int at = 0; at < original.length; at++) {
            for (int value = 0; value < 256; value++) {
                byte[] mutated = original.clone();
                mutated[at] = (byte) value;
                ByteBuffer all = ByteBuffer.wrap(mutated);
                String whole = ParsedHead.of(all, mutated.length, limits).toString();
                assertThat(ParsedHead.of(all, 1, limits)).hasToString(whole);
            }
        }
    }

    @Test
    void longHeadThatComesByteByByteIsLookedAtOnce() {
        // a second look at what has come would take minutes
        String line = "a".repeat(1_000_000);
        HttpLimits limits = HttpLimits.defaults().withRequestHeadBytes(1 << 20);
        ByteBuffer all = ParsedHead.bytes("GET / HTTP/1.1¶Host: a¶X: " + line + "¶¶");
        ParsedHead head = ParsedHead.of(all, 1, limits);
        assertThat(head.isComplete()).isTrue();
        assertThat(head.value("X")).hasSize(line.length());
    }

    @ParameterizedTest
    @CsvSource({"1.0,0", "1.1,0", "1.2,0", "1.9,0", "2.0,505", "3.1,505", "9.9,505", "0.9,400", "1.10,400", "x.1,400"})
    void majorVersionDecides(String version, int status) {
        ParsedHead head = ParsedHead.of("GET /t?q HTTP/" + version + "¶Host: a¶¶");
        assertThat(head.status()).isEqualTo(status);
        assertThat(head.parser().path()).isEqualTo("/t");
        assertThat(head.parser().query()).isEqualTo("q");
    }

    @Test
    void requestWithoutVersionIsRefusedAtItsLine() {
        ParsedHead head = ParsedHead.of("GET /t\r");
        assertThat(head.parser().problem()).isEqualTo(Problems.OLD_VERSION);
    }

    @ParameterizedTest
    @ValueSource(strings = {" z", "\tz", " ", "\t\t"})
    void foldedLineIsRefused(String folded) {
        assertThat(ParsedHead.of("GET / HTTP/1.1¶Host: a¶" + folded + "¶¶")
                        .parser()
                        .problem())
                .isEqualTo(Problems.FOLDED);
    }

    @Test
    void oneEmptyLineInFrontIsLeftOut() {
        ParsedHead head = ParsedHead.of("¶" + HEAD);
        assertThat(head.status()).isZero();
        assertThat(head.parser().method()).isEqualTo(Methods.GET);
        assertThat(ParsedHead.of("¶¶" + HEAD).status()).isEqualTo(400);
        assertThat(ParsedHead.of("\r" + HEAD).status()).isEqualTo(400);
        assertThat(ParsedHead.of("\n" + HEAD).status()).isEqualTo(400);
        assertThat(ParsedHead.of("¶").parser().hasBegun()).isFalse();
    }

    @Test
    void targetIsJudgedByteByByte() {
        for (int b = 0; b < 256; b++) {
            String c = Character.toString(b);
            if (c.equals("¶")) {
                continue;
            }
            boolean visible = b > ' ' && b != 0x7f && b != '#';
            boolean path = visible && b != '"' && b != '<' && b != '>';
            assertThat(ParsedHead.of("GET /" + c + "x HTTP/1.1¶Host: a¶¶").status())
                    .as("path with %x", b)
                    .isEqualTo(path ? 0 : 400);
            ParsedHead query = ParsedHead.of("GET /?" + c + "x HTTP/1.1¶Host: a¶¶");
            assertThat(query.status()).as("query with %x", b).isEqualTo(visible ? 0 : 400);
            if (visible) {
                assertThat(query.parser().query()).isEqualTo(c + "x");
            }
        }
    }

    @Test
    void emptyQueryIsNotNone() {
        assertThat(ParsedHead.of("GET /x? HTTP/1.1¶Host: a¶¶").parser().query()).isEmpty();
        assertThat(ParsedHead.of("GET /x HTTP/1.1¶Host: a¶¶").parser().query()).isNull();
        assertThat(ParsedHead.of("OPTIONS *? HTTP/1.1¶Host: a¶¶").status()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource({
        "http://a/x, true",
        "HTTPS://a, true",
        "/http://a/, false",
        "://a/, false",
        "a/http://b/, false",
        "a:80, false",
        "*, false"
    })
    void absoluteFormHasAScheme(String target, boolean absolute) {
        assertThat(ParsedHead.of("GET " + target + " HTTP/1.1¶Host: a¶¶")
                        .parser()
                        .isAbsolute())
                .isEqualTo(absolute);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | -1",
                "Content-Length: 0 | 0",
                "content-length: 17 | 17",
                "Content-Length: 999999999999999999 | 999999999999999999",
                "Transfer-Encoding: Chunked | chunked",
                "Content-Length: 9223372036854775808 | 400",
                "Content-Length: +1 | 400",
                "Content-Length: 0x1 | 400",
                "Content-Length: 1,1 | 400",
                "Content-Length: | 400",
                "Content-Length: 5¶Content-Length: 5 | 400",
                "Transfer-Encoding: chunked¶Content-Length: 5 | 400",
                "Content-Length: 5¶Transfer-Encoding: chunked | 400",
                "Transfer-Encoding: chunked¶Transfer-Encoding: chunked | 400",
                "Transfer-Encoding: xchunked | 400",
                "Transfer-Encoding: gzip, chunked | 400",
                "Transfer-Encoding: identity | 400",
                "Transfer-Encoding: | 400"
            })
    void bodyIsFramedInOneWay(String lines, String framing) {
        ParsedHead head = ParsedHead.of("POST / HTTP/1.1¶Host: a¶" + (lines.isEmpty() ? "" : lines + "¶") + "¶");
        RequestFields fields = head.parser().fields();
        String found = head.status() != 0 ? head.status() + "" : fields.isChunked() ? "chunked" : fields.length() + "";
        assertThat(found).isEqualTo(framing);
    }

    @Test
    void http10HasNoChunks() {
        assertThat(ParsedHead.of("POST / HTTP/1.0¶Transfer-Encoding: chunked¶¶").status())
                .isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource({
        "1.1,, true",
        "1.1, close, false",
        "1.1, 'x, CLOSE', false",
        "1.1, keep-alive, true",
        "1.1, closed, true",
        "1.0,, false",
        "1.0, Keep-Alive, true",
        "1.0, 'keep-alive, close', false"
    })
    void connectionMayStay(String version, @Nullable String connection, boolean stays) {
        String line = connection == null ? "" : "Connection: " + connection + "¶";
        RequestParser parser =
                ParsedHead.of("GET / HTTP/" + version + "¶" + line + "¶").parser();
        assertThat(parser.fields().isPersistent(parser.isHttp11())).isEqualTo(stays);
    }

    @Test
    void manyFieldsOfOneNameAreJoined() {
        ParsedHead head = ParsedHead.of(
                "GET / HTTP/1.1¶" + "A: b¶".repeat(100) + "A: c¶a: d¶" + "Cookie: e¶".repeat(90) + "A: f¶¶");
        List<String> values = head.parser().headers().get("A");
        assertThat(values).hasSize(100);
        assertThat(values.get(99)).isEqualTo("b, c, d, f");
        assertThat(head.parser().headers().get("Cookie")).hasSize(90);
    }

    @Test
    void limitsAreExact() {
        HttpLimits limits =
                HttpLimits.defaults().withFields(10).withRequestHeadBytes(1024).withRequestTargetBytes(64);
        assertThat(status("GET /" + "x".repeat(63) + " HTTP/1.1¶¶", limits)).isZero();
        assertThat(status("GET /" + "x".repeat(64) + " HTTP/1.1¶¶", limits)).isEqualTo(414);
        assertThat(status("GET /?" + "x".repeat(62) + " HTTP/1.1¶¶", limits)).isZero();
        assertThat(status("GET /?" + "x".repeat(63) + " HTTP/1.1¶¶", limits)).isEqualTo(414);
        assertThat(status("GET /?" + "x".repeat(63), limits)).isEqualTo(414);
        assertThat(status("GET / HTTP/1.1¶" + "A: b¶".repeat(10) + "¶", limits)).isZero();
        assertThat(status("GET / HTTP/1.1¶" + "A: b¶".repeat(11) + "¶", limits)).isEqualTo(431);
        int rest = 1024 - ParsedHead.bytes("GET / HTTP/1.1¶A: ¶¶").limit();
        assertThat(status("GET / HTTP/1.1¶A: " + "b".repeat(rest) + "¶¶", limits))
                .isZero();
        assertThat(status("GET / HTTP/1.1¶A: " + "b".repeat(rest + 1) + "¶¶", limits))
                .isEqualTo(431);
        assertThat(status("M".repeat(65), limits)).isEqualTo(400);
        assertThat(status("M".repeat(64) + " / HTTP/1.1¶¶", limits)).isZero();
    }

    private static int status(String text, HttpLimits limits) {
        ByteBuffer all = ParsedHead.bytes(text);
        int whole = ParsedHead.of(all, all.limit(), limits).status();
        assertThat(ParsedHead.of(all, 1, limits).status()).isEqualTo(whole);
        return whole;
    }

    @Test
    void nextHeadStartsAnew() {
        RequestParser parser =
                ParsedHead.of("POST /x?y HTTP/1.0¶Content-Length: 3¶ x").parser();
        assertThat(parser.problem()).isNotNull();
        parser.reset();
        assertThat(parser.hasBegun()).isFalse();
        assertThat(parser.problem()).isNull();
        assertThat(parser.parse(ParsedHead.bytes("GET / HTTP/1.1¶¶"), HttpLimits.defaults()))
                .isTrue();
        assertThat(parser.problem()).isNull();
        assertThat(parser.query()).isNull();
        assertThat(parser.fields().length()).isEqualTo(RequestFields.NO_LENGTH);
    }

    @Test
    void namesThatCollideAreKeptApart() {
        NameCache names = NameCache.ofFields();
        for (int round = 0; round < 3; round++) {
            for (String name : List.of("Host", "host", "X-One", "X-Two", "X-Three", "y".repeat(100))) {
                byte[] bytes = ParsedHead.bytes(name).array();
                assertThat(names.get(bytes, 0, bytes.length, 7)).hasToString(name);
            }
        }
    }
}
