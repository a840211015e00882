package io.webproxy.undertow.message;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.ByteInputs.everySplit;
import static io.webproxy.testing.ByteInputs.everyTruncation;
import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkedDecoderTest {
    private static final String BODY = "5\r\nhello\r\n1;a=b\r\n,\r\n00A \t;x=\"y\"\r\n world\0\r\n!\r\n";
    private static final String VALID = BODY + "0\r\nETag: \"x\"\r\nX-Sum:7\t\r\n\r\n";
    private static final String DATA = "hello, world\0\r\n!";

    private final ChunkedDecoder decoder = new ChunkedDecoder();
    private final StringBuilder data = new StringBuilder();

    /** What became of an input. */
    private record Outcome(String data, String problem, boolean end, boolean tooLarge, String trailers, int left) {}

    /** Feeds one piece through a target of {@code room} bytes, as often as it takes. */
    private int feed(byte[] piece, int room) {
        ByteBuffer source = ByteBuffer.wrap(piece);
        int before;
        do {
            before = source.remaining();
            ByteBuffer target = ByteBuffer.allocate(room);
            int moved = decoder.decode(source, target);
            assertThat(moved).isEqualTo(target.position());
            data.append(new String(target.array(), 0, moved, StandardCharsets.ISO_8859_1));
        } while (source.remaining() < before);
        return source.remaining();
    }

    private static Outcome outcome(List<byte[]> pieces, int room) {
        ChunkedDecoderTest run = new ChunkedDecoderTest();
        int left = 0;
        for (byte[] piece : pieces) {
            left = run.feed(piece, room);
        }
        ChunkedDecoder decoder = run.decoder;
        assertThat(decoder.isEnd() && decoder.problem() != null).isFalse();
        HeaderMap trailers = decoder.trailers();
        return new Outcome(
                run.data.toString(),
                decoder.problem(),
                decoder.isEnd(),
                decoder.isTooLarge(),
                trailers == null ? "" : trailers.toString(),
                left);
    }

    private static Outcome outcome(String input) {
        return outcome(List.of(bytes(input)), 64);
    }

    @Test
    void everySplitOfAValidBodyGivesTheSame() {
        Outcome whole = outcome(VALID);
        assertThat(whole.data()).isEqualTo(DATA);
        assertThat(whole.end()).isTrue();
        assertThat(whole.trailers()).contains("\"x\"", "7");

        everySplit(bytes(VALID), pieces -> assertThat(outcome(pieces, 64)).isEqualTo(whole));
    }

    @Test
    void everySizeOfTheTargetGivesTheSame() {
        Outcome whole = outcome(VALID);
        for (int room = 1; room <= 17; room++) {
            assertThat(outcome(List.of(bytes(VALID)), room)).isEqualTo(whole);
        }
    }

    @Test
    void everyTruncationNeedsMore() {
        everyTruncation(bytes(VALID), cut -> {
            Outcome outcome = outcome(List.of(cut), 64);
            assertThat(outcome.problem()).isNull();
            assertThat(outcome.end()).isFalse();
            assertThat(DATA).startsWith(outcome.data());
        });
    }

    @Test
    void everyMutationIsAnsweredWithoutAnException() {
        everyMutation(bytes(VALID), input -> outcome(List.of(input), 7));
    }

    @Test
    void splitNeverChangesTheAnswerToAMutation() {
        everyMutation(bytes("3;a\r\nabc\r\n0\r\nA: b\r\n\r\n"), input -> {
            Outcome whole = outcome(List.of(input), 64);
            Outcome single = outcome(
                    IntStream.range(0, input.length)
                            .mapToObj(i -> new byte[] {input[i]})
                            .toList(),
                    64);
            assertThat(single.data()).isEqualTo(whole.data());
            assertThat(single.problem()).isEqualTo(whole.problem());
            assertThat(single.end()).isEqualTo(whole.end());
        });
    }

    @Test
    void bytesBehindTheEndStayInTheSource() {
        Outcome outcome = outcome("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n");

        assertThat(outcome.end()).isTrue();
        assertThat(outcome.left()).isEqualTo("GET / HTTP/1.1\r\n".length());
        assertThat(outcome.trailers()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n",
                "1zzz\r\na",
                "0x1\r\na",
                " 1\r\na",
                "-1\r\na",
                "+1\r\na",
                "0_2e\r\na",
                "1 1\r\na",
                "1 \r\na",
                "1\t\r\na",
                "1,1\r\na",
                ";\r\na",
                "\0",
                "1\0\r\na",
                "１\r\na",
                "g\r\n",
                "1000000000000000\r\n",
                "ffffffffffffffff\r\n",
                "10000000000000001\r\n",
                "00000000000000001\r\na"
            })
    void chunkSizeThatIsNoPlainHexadecimalNumberCannotSmuggleABody(String input) {
        Outcome outcome = outcome(List.of(input.getBytes(StandardCharsets.UTF_8)), 64);

        assertThat(outcome.problem()).isNotNull();
        assertThat(outcome.data()).isEmpty();
        assertThat(outcome.end()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1\na\r\n0\r\n\r\n",
                "1\ra\r\n0\r\n\r\n",
                "1\r\ra\r\n0\r\n\r\n",
                "1;x\na\r\n0\r\n\r\n",
                "1;x\r\ra\r\n0\r\n\r\n",
                "1\r\na\n0\r\n\r\n",
                "1\r\na\r0\r\n\r\n",
                "1\r\na\r\n0\n\r\n",
                "1\r\na\r\n0\r\n\n",
                "1\r\na\r\n0\r\nA: b\n\r\n",
                "1\r\na\r\n0\r\nA: b\rC: d\r\n\r\n",
                "1\r\na\r\n0\r\nA: b\r\n\n",
                "1\r\na\r\n0\r\n\r\r\n\r\n"
            })
    void bareCrOrLfAnywhereInTheFramingIsRefused(String input) {
        assertThat(outcome(input).problem()).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"1\r\nab\r\n0\r\n\r\n", "1\r\na0\r\n\r\n", "1\r\na \r\n0\r\n\r\n", "1\r\na\r\n\r\n0\r\n\r\n"})
    void surplusBehindChunkDataIsRefused(String input) {
        Outcome outcome = outcome(input);

        assertThat(outcome.problem()).isNotNull();
        assertThat(outcome.data()).isEqualTo("a");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0\r\nA : b\r\n\r\n",
                "0\r\n: b\r\n\r\n",
                "0\r\nno colon\r\n\r\n",
                "0\r\nA: b\r\n folded\r\n\r\n",
                "0\r\n A: b\r\n\r\n",
                "0\r\nA: b\0\r\n\r\n",
                "0\r\nA(b): c\r\n\r\n"
            })
    void malformedTrailerIsRefused(String input) {
        Outcome outcome = outcome(input);

        assertThat(outcome.problem()).isNotNull();
        assertThat(outcome.trailers()).isEmpty();
    }

    @Test
    void extensionsAreTakenUpTo16KiBAndNoFurther() {
        Outcome most = outcome("1;" + "x".repeat(16 * 1024 - 1) + "\r\na\r\n0\r\n\r\n");
        Outcome tooMany = outcome("1;" + "x".repeat(16 * 1024 + 1) + "\r\na\r\n0\r\n\r\n");

        assertThat(most.end()).isTrue();
        assertThat(tooMany.tooLarge()).isTrue();
        assertThat(tooMany.problem()).contains("16384");
        assertThat(tooMany.data()).isEmpty();
    }

    @Test
    void manySmallExtensionsCannotGetAroundTheLimit() {
        Outcome outcome = outcome(("1;" + "x".repeat(1024) + "\r\na\r\n").repeat(20) + "0\r\n\r\n");

        assertThat(outcome.tooLarge()).isTrue();
        assertThat(outcome.end()).isFalse();
    }

    @Test
    void endlessWhiteSpaceBehindASizeIsRefused() {
        assertThat(outcome("1" + " ".repeat(17 * 1024)).problem()).isNotNull();
    }

    /** A reader that only looks at whole lines would wait for the rest of one that may never come. */
    @ParameterizedTest
    @ValueSource(strings = {"\n", "\rX", "\r\r", "X-A: b\n", "X-A: b\rX", "X-A: b\r\r", "X-A: b\r\n\rX"})
    void bareCrOrLfInTrailersIsRefusedAtOnce(String input) {
        assertThat(outcome("1\r\na\r\n0\r\n" + input).problem()).isEqualTo("a trailer line that doesn't end with CRLF");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1 \r\na\r\n0\r\n\r\n", "1\r\na\r\n0\t\r\n\r\n", "1                \r\na\r\n0\r\n\r\n"})
    void paddedSizeIsForALeniencyOnlyWhichRemembersIt(String input) {
        assertThat(outcome(input).problem()).isNotNull();
        Leniency leniency = new Leniency(deviations -> {});
        ChunkedDecoder lenient = new ChunkedDecoder(leniency);
        ByteBuffer target = ByteBuffer.allocate(2);
        lenient.decode(ByteBuffer.wrap(bytes(input)), target);

        assertThat(lenient.isEnd()).isTrue();
        assertThat(target.position()).isEqualTo(1);
        assertThat(leniency.isUsed()).isTrue();
    }

    @Test
    void leniencyStopsAt16BytesOfPaddingForEachSize() {
        Leniency leniency = new Leniency(deviations -> {});
        ChunkedDecoder lenient = new ChunkedDecoder(leniency);
        String most = "1" + " ".repeat(16) + "\r\na\r\n";
        lenient.decode(ByteBuffer.wrap(bytes(most.repeat(100))), ByteBuffer.allocate(101));
        assertThat(lenient.problem()).isNull();
        lenient.decode(ByteBuffer.wrap(bytes("1" + " ".repeat(17) + "\r\n")), ByteBuffer.allocate(1));
        assertThat(lenient.problem()).isNotNull();
    }

    @Test
    void trailersAreTakenUpTo16KiBAndNoFurther() {
        String head = "0\r\nA: ";
        int room = 16 * 1024 - "A: \r\n\r\n".length();
        Outcome most = outcome(head + "x".repeat(room) + "\r\n\r\n");
        Outcome tooMany = outcome(head + "x".repeat(room + 1) + "\r\n\r\n");

        assertThat(most.end()).isTrue();
        assertThat(tooMany.tooLarge()).isTrue();
        assertThat(tooMany.end()).isFalse();
    }

    @Test
    void trailersAreTakenUpTo100FieldsAndNoFurther() {
        assertThat(outcome("0\r\n" + "A: b\r\n".repeat(100) + "\r\n").end()).isTrue();
        assertThat(outcome("0\r\n" + "A: b\r\n".repeat(101) + "\r\n").problem()).isNotNull();
    }

    @Test
    void largestSizeStaysExact() {
        ByteBuffer source = ByteBuffer.wrap(bytes("FFFffffffffffff\r\n"));

        assertThat(decoder.decode(source, ByteBuffer.allocate(8))).isZero();
        assertThat(decoder.problem()).isNull();
        assertThat(decoder.dataRemaining()).isEqualTo(0xfffffffffffffffL);
    }

    @Test
    void nothingIsTakenBehindTheEndNorBehindAProblem() {
        feed(bytes("0\r\n\r\n"), 8);
        assertThat(feed(bytes("1\r\na\r\n"), 8)).isEqualTo(6);
        assertThat(decoder.isEnd()).isTrue();

        ChunkedDecoder failed = new ChunkedDecoder();
        ByteBuffer source = ByteBuffer.wrap(bytes("x1\r\na\r\n"));
        assertThat(failed.decode(source, ByteBuffer.allocate(8))).isZero();
        String problem = failed.problem();
        assertThat(failed.decode(source, ByteBuffer.allocate(8))).isZero();
        assertThat(failed.problem()).isEqualTo(problem).isNotNull();
        assertThat(source.position()).isEqualTo(1);
    }

    @Test
    void framingIsTakenOutOfABufferInPlace() {
        byte[] read = bytes(VALID + "GET /");
        ByteBuffer buffer = ByteBuffer.allocate(read.length + 9);
        buffer.put(bytes("kept")).put(read);
        ByteBuffer rest = decoder.decodeInPlace(buffer, 4);

        assertThat(new String(buffer.array(), 0, buffer.position(), StandardCharsets.ISO_8859_1))
                .isEqualTo("kept" + DATA);
        assertThat(StandardCharsets.ISO_8859_1.decode(rest).toString()).isEqualTo("GET /");
        assertThat(decoder.isEnd()).isTrue();
        assertThat(buffer.remaining()).isEqualTo(read.length + 5 - DATA.length());
    }
}
