package io.webproxy.undertow.upstream;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.ByteInputs.everySplit;
import static io.webproxy.testing.ByteInputs.everyTruncation;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.webproxy.undertow.message.Deviation;
import io.webproxy.undertow.message.FieldParser;
import io.webproxy.undertow.message.Leniency;
import io.webproxy.undertow.upstream.ResponseParser.Result;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ResponseParserTest {
    private static final int MAX_BYTES = 64 * 1024;
    private static final String VALID =
            "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nconnection: Keep-Alive\r\nX-Empty:\r\nRaw: \u00e4\t\"\r\n\r\n";

    private final ResponseParser parser =
            new ResponseParser(FieldParser.ofResponseHeads(), MAX_BYTES, 200, Leniency.NONE);

    /** What became of an input; the head's parts when there is one. */
    private record Outcome(Result result, String head, int left) {}

    private static Outcome outcome(List<byte[]> pieces) {
        return outcome(pieces, Leniency.NONE);
    }

    private static Outcome outcome(List<byte[]> pieces, Leniency leniency) {
        ResponseParser parser = new ResponseParser(FieldParser.ofResponseHeads(), MAX_BYTES, 200, leniency);
        Result result = Result.MORE;
        int left = 0;
        for (byte[] piece : pieces) {
            ByteBuffer buffer = ByteBuffer.wrap(piece);
            if (result == Result.MORE) {
                result = parser.feed(buffer, false);
            }
            left += buffer.remaining();
        }
        return new Outcome(result, result == Result.HEAD ? text(parser.take()) : parser.problem(), left);
    }

    private static String text(ParsedHead head) {
        return head.status() + " " + head.reason() + " " + head.framing() + " " + head.contentLength() + " "
                + head.isPersistent() + " " + head.fields();
    }

    private Result feed(String input) {
        return parser.feed(ByteBuffer.wrap(bytes(input)), false);
    }

    private ParsedHead head(String input) {
        assertThat(feed(input)).as(parser.problem()).isEqualTo(Result.HEAD);
        return parser.take();
    }

    @Test
    void everySplitOfAValidHeadGivesTheSame() {
        Outcome whole = outcome(List.of(bytes(VALID)));
        assertThat(whole.result()).isEqualTo(Result.HEAD);
        assertThat(whole.head()).startsWith("200 Fine LENGTH 5 true ");

        everySplit(bytes(VALID), pieces -> assertThat(outcome(pieces)).isEqualTo(whole));
    }

    @Test
    void everyTruncationNeedsMore() {
        everyTruncation(
                bytes(VALID), cut -> assertThat(outcome(List.of(cut)).result()).isEqualTo(Result.MORE));
    }

    @Test
    void everyMutationIsAnsweredWithoutAnException() {
        everyMutation(bytes(VALID), input -> {
            Outcome outcome = outcome(List.of(input));
            if (outcome.result() != Result.HEAD && outcome.result() != Result.MORE) {
                assertThat(outcome.head()).isNotEmpty();
            }
        });
    }

    @Test
    void splitNeverChangesTheAnswerToAMutation() {
        everyMutation(bytes("HTTP/1.1 200\r\nTE: a\r\n\r\n"), input -> {
            List<byte[]> single = IntStream.range(0, input.length)
                    .mapToObj(i -> new byte[] {input[i]})
                    .toList();
            assertThat(outcome(single)).isEqualTo(outcome(List.of(input)));
        });
    }

    @Test
    void everySplitMutationAndTruncationOfALenientHeadIsAnsweredAlike() {
        byte[] head = bytes("HTTP/1.0 700\nX: a\r\n b\nContent-Length: 5, 5\nTransfer-Encoding: chunked\n\n");
        Outcome whole = outcome(List.of(head), new Leniency(deviations -> {}));
        assertThat(whole.result()).isEqualTo(Result.HEAD);
        assertThat(whole.head()).startsWith("700  CHUNKED -1 ").contains("a b");

        everySplit(
                head,
                pieces -> assertThat(outcome(pieces, new Leniency(deviations -> {})))
                        .isEqualTo(whole));
        everyTruncation(
                head,
                cut -> assertThat(outcome(List.of(cut), new Leniency(deviations -> {}))
                                .result())
                        .isEqualTo(Result.MORE));
        everyMutation(head, input -> {
            Leniency leniency = new Leniency(deviations -> {});
            Outcome mutated = outcome(List.of(input), leniency);
            assertThat(mutated.result() == Result.HEAD && !leniency.isUsed()).isFalse();
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\nA: b\n\n",
                "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
                "HTTP/1.1 600 X\r\n\r\n",
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
            })
    void whatALeniencyWouldAdmitNamesIt(String input) {
        assertThat(feed(input)).isEqualTo(Result.INVALID);
        assertThat(parser.problem()).endsWith(ResponseParser.REMEDY);
    }

    @Test
    void leniencyTellsOnceWhatWasForwarded() {
        List<Set<Deviation>> told = new ArrayList<>();
        Leniency leniency = new Leniency(told::add);
        ResponseParser lenient = new ResponseParser(FieldParser.ofResponseHeads(), MAX_BYTES, 200, leniency);
        assertThat(lenient.feed(ByteBuffer.wrap(bytes(VALID)), false)).isEqualTo(Result.HEAD);
        leniency.forwarded();
        assertThat(leniency.isUsed()).isFalse();
        String input = "HTTP/1.1 200\nA: b\n c\n\n";
        assertThat(lenient.feed(ByteBuffer.wrap(bytes(input)), false)).isEqualTo(Result.HEAD);
        leniency.forwarded();
        leniency.forwarded();
        assertThat(told).containsExactly(Set.of(Deviation.BARE_LF, Deviation.FOLDED_FIELD));
    }

    @Test
    void bytesBehindTheHeadStayInTheBuffer() {
        ByteBuffer buffer = ByteBuffer.wrap(bytes("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + VALID + "hello"));

        assertThat(parser.feed(buffer, false)).isEqualTo(Result.HEAD);
        assertThat(parser.hasBegun()).isFalse();
        assertThat(parser.take().status()).isEqualTo(103);
        assertThat(parser.feed(buffer, false)).isEqualTo(Result.HEAD);
        assertThat(parser.take().fields().getFirst("Link")).isNull();
        assertThat(buffer.remaining()).isEqualTo(5);
    }

    @Test
    void headIsTakenOnce() {
        head(VALID);
        assertThatIllegalStateException().isThrownBy(parser::take);
    }

    @Test
    void hasBegunWithTheFirstByte() {
        assertThat(parser.hasBegun()).isFalse();
        assertThat(feed("")).isEqualTo(Result.MORE);
        assertThat(parser.hasBegun()).isFalse();
        assertThat(feed("H")).isEqualTo(Result.MORE);
        assertThat(parser.hasBegun()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n\r\n",
                "\r\nHTTP/1.1 200 OK\r\n\r\n",
                "HTTP/2 200\r\n\r\n",
                "HTTP/2.0 200 OK\r\n\r\n",
                "HTTP/0.9 200 OK\r\n\r\n",
                "HTTP/1.10 200 OK\r\n\r\n",
                "HTTP/1. 200 OK\r\n\r\n",
                "http/1.1 200 OK\r\n\r\n",
                "HTTP/1.1  200 OK\r\n\r\n",
                "HTTP/1.1\t200 OK\r\n\r\n",
                "HTTP/1.1 20 OK\r\n\r\n",
                "HTTP/1.1 2000 OK\r\n\r\n",
                "HTTP/1.1 200OK\r\n\r\n",
                "HTTP/1.1 200\tOK\r\n\r\n",
                "HTTP/1.1 +20 OK\r\n\r\n",
                "HTTP/1.1 -20 OK\r\n\r\n",
                "HTTP/1.1 0x1 OK\r\n\r\n",
                "HTTP/1.1 099 OK\r\n\r\n",
                "HTTP/1.1 000 OK\r\n\r\n",
                "HTTP/1.1 600 OK\r\n\r\n",
                "HTTP/1.1 999 OK\r\n\r\n",
                "HTTP/1.1 200 O\u0007K\r\n\r\n",
                "HTTP/1.1 200 O\u007fK\r\n\r\n",
                "HTTP/1.1 \r\n\r\n",
                "HTTP/1.1\r\n\r\n",
                "ICY 200 OK\r\n\r\n",
                "<html></html>\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\n"
            })
    void statusLineThatIsNoneIsInvalid(String input) {
        assertThat(feed(input)).isEqualTo(Result.INVALID);
        assertThat(parser.problem()).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\n\n",
                "HTTP/1.1 200 OK\nA: b\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b\n\r\n",
                "HTTP/1.1 200 OK\r\n\n",
                "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
                "HTTP/1.1 200 O\rK\r\n\r\n",
                "HTTP/1.1 200 OK\r\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\r\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
                "HTTP/1.1 200 \0\r\n\r\n",
                "\0"
            })
    void bareCrOrLfOrNulIsInvalid(String input) {
        assertThat(feed(input)).isEqualTo(Result.INVALID);
    }

    @Test
    void settingsOfHttp2AreNamed() {
        assertThat(feed("\0\0\6\4\0\0\0\0\0\0\3\0\0\0d")).isEqualTo(Result.INVALID);
        assertThat(parser.problem()).contains("expected: h2c://");
    }

    /** Of data, of an acknowledgement, of another stream, too short. */
    @ParameterizedTest
    @ValueSource(strings = {"\0\0\6\0\0\0\0\0\0", "\0\0\0\4\1\0\0\0\0", "\0\0\6\4\0\0\0\0\1", "\0\0\6\4\0\0\0\0"})
    void otherFramesAreNot(String input) {
        assertThat(feed(input)).isEqualTo(Result.INVALID);
        assertThat(parser.problem()).isEqualTo("a control character in the response head");
    }

    @ParameterizedTest
    @ValueSource(strings = {" : b", " A: b", "A: b\r\n folded", "no colon", ": b", "A b: c", "A: b\u0001", "\u00c4: b"})
    void malformedFieldIsInvalid(String field) {
        assertThat(feed("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n")).isEqualTo(Result.INVALID);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: ",
                "Content-Length: -1",
                "Content-Length: +1",
                "Content-Length: 0x1",
                "Content-Length: 1 1",
                "Content-Length: 1,1",
                "Content-Length: 1.0",
                "Content-Length: 9223372036854775808",
                "Content-Length: 99999999999999999999",
                "Content-Length: 1\r\nContent-Length: 2",
                "Content-Length: 1\r\ncontent-length: ",
                "Content-Length: 1\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nContent-Length: 1",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                "Transfer-Encoding: chunked, chunked",
                "Transfer-Encoding: ,chunked",
                "Transfer-Encoding: gzip, chunked",
                "Transfer-Encoding: gzip",
                "Transfer-Encoding: identity",
                "Transfer-Encoding: xchunked",
                "Transfer-Encoding: chunked;x=y",
                "Transfer-Encoding: \u000bchunked",
                "Transfer-Encoding: "
            })
    void framingThatTwoServersCouldReadInTwoWaysIsInvalid(String fields) {
        assertThat(feed("HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n")).isEqualTo(Result.INVALID);
        assertThat(parser.problem()).isNotEmpty();
    }

    @Test
    void chunkedFromHttp10IsInvalid() {
        assertThat(feed("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
                .isEqualTo(Result.INVALID);
    }

    @Test
    void sameContentLengthTwiceBecomesOne() {
        ParsedHead head = head("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 07\r\n\r\n");

        assertThat(head.contentLength()).isEqualTo(7);
        assertThat(head.headers("content-length")).containsExactly("7");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "200 | Content-Length: 5 | LENGTH",
                "200 | Content-Length: 0 | LENGTH",
                "200 | Transfer-Encoding: Chunked | CHUNKED",
                "200 | A: b | CLOSE",
                "404 | Content-Length: 5 | LENGTH",
                "100 | A: b | NONE",
                "103 | Link: x | NONE",
                "101 | Upgrade: websocket | NONE",
                "204 | Content-Length: 5 | NONE",
                "204 | Transfer-Encoding: chunked | NONE",
                "304 | Content-Length: 5 | NONE",
                "304 | A: b | NONE"
            })
    void framingIsThatOfRfc9112(int status, String field, ParsedHead.Framing framing) {
        assertThat(head("HTTP/1.1 " + status + " X\r\n" + field + "\r\n\r\n").framing())
                .isEqualTo(framing);
    }

    @Test
    void answerToHeadHasNoBodyWhateverItsFieldsSay() {
        for (String field : List.of("Content-Length: 5", "Transfer-Encoding: chunked", "A: b")) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n"));
            assertThat(parser.feed(buffer, true)).isEqualTo(Result.HEAD);
            ParsedHead head = parser.take();
            assertThat(head.framing()).isEqualTo(ParsedHead.Framing.NONE);
            assertThat(head.isLengthKnown()).isTrue();
            assertThat(head.isPersistent()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1.1 | X: y | true",
                "1.1 | Connection: close | false",
                "1.1 | Connection: Keep-Alive, Close | false",
                "1.1 | Connection: x-close | true",
                "1.0 | X: y | false",
                "1.0 | Connection: Keep-Alive | true",
                "1.9 | X: y | true"
            })
    void connectionIsUsedAgainOnlyIfBothSidesKnowIt(String version, String field, boolean persistent) {
        ParsedHead head = head("HTTP/" + version + " 200 OK\r\nContent-Length: 0\r\n" + field + "\r\n\r\n");

        assertThat(head.isPersistent()).isEqualTo(persistent);
    }

    @Test
    void bodyThatEndsWithTheConnectionIsNeverPersistent() {
        ParsedHead head = head("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");

        assertThat(head.framing()).isEqualTo(ParsedHead.Framing.CLOSE);
        assertThat(head.isPersistent()).isFalse();
        assertThat(head.isLengthKnown()).isFalse();
    }

    @Test
    void statusLineWithoutReasonIsFine() {
        assertThat(head("HTTP/1.1 200\r\n\r\n").reason()).isEmpty();
        assertThat(head("HTTP/1.1 200 \r\n\r\n").reason()).isEmpty();
        assertThat(head("HTTP/1.1 200 a b\r\n\r\n").reason()).isEqualTo("a b");
        assertThat(head("HTTP/1.1 599 \u00e4\r\n\r\n").reason()).isEqualTo("\u00e4");
    }

    @Test
    void headIsTakenUpToItsLimitAndNoFurther() {
        String start = "HTTP/1.1 200 OK\r\nA: ";
        int room = MAX_BYTES - start.length() - 4;

        assertThat(feed(start + "x".repeat(room) + "\r\n\r\n")).isEqualTo(Result.HEAD);
        assertThat(feed(start + "x".repeat(room + 1) + "\r\n\r\n")).isEqualTo(Result.TOO_LARGE);
        assertThat(parser.problem()).contains("65536");
    }

    @Test
    void smallLimitBelowTheFirstBufferHolds() {
        ResponseParser small = new ResponseParser(FieldParser.ofResponseHeads(), 20, 200, Leniency.NONE);

        assertThat(small.feed(ByteBuffer.wrap(bytes("HTTP/1.1 200 abc\r\n\r\n")), false))
                .isEqualTo(Result.HEAD);
        assertThat(small.feed(ByteBuffer.wrap(bytes("HTTP/1.1 200 abcd\r\n\r\n")), false))
                .isEqualTo(Result.TOO_LARGE);
    }

    @Test
    void fieldsAreTakenUpToTheirNumberAndNoFurther() {
        StringBuilder fields = new StringBuilder("HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 200; i++) {
            fields.append("A").append(i).append(": b\r\n");
        }

        assertThat(feed(fields + "\r\n")).isEqualTo(Result.HEAD);
        assertThat(feed(fields + "B: c\r\n\r\n")).isEqualTo(Result.TOO_LARGE);
    }

    @Test
    void fieldsAreReadWithoutCase() {
        ParsedHead head = head("HTTP/1.1 101 X\r\nCONNECTION: a, Upgrade\r\nx-a: 1\r\nX-A: 2\r\n\r\n");

        assertThat(head.isUpgrade()).isTrue();
        assertThat(head.header("X-a")).contains("1");
        assertThat(head.headers("x-A")).containsExactly("1", "2");
        assertThat(head.header("none")).isEmpty();
        assertThat(head.headers("none")).isEmpty();
    }
}
