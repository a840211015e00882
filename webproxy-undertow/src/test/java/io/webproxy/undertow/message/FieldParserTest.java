package io.webproxy.undertow.message;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.ByteInputs.everyTruncation;
import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FieldParserTest {
    private static final String VALID =
            "Host: a\r\nX-Empty:\r\nx-list: 1\r\nX-List:\t2 , 3 \t\r\nRaw: \u00e4\tb:c\r\n\r\n";

    private final FieldParser parser = new FieldParser();
    private final HeaderMap fields = new HeaderMap();

    private String parse(String text) {
        return parse(bytes(text), 100);
    }

    private String parse(byte[] input, int maxFields) {
        fields.clear();
        return parser.parse(input, 0, input.length, maxFields, fields);
    }

    @Test
    void namesAreWithoutCaseAndValuesWithoutWhiteSpaceAround() {
        assertThat(parse(VALID)).isNull();
        assertThat(fields.get("HOST")).containsExactly("a");
        assertThat(fields.get("x-empty")).containsExactly("");
        assertThat(fields.get("X-LIST")).containsExactly("1", "2 , 3");
        assertThat(fields.get("raw")).containsExactly("\u00e4\tb:c");
        assertThat(fields.size()).isEqualTo(4);
    }

    @Test
    void noFieldAtAllIsFine() {
        assertThat(parse("\r\n")).isNull();
        assertThat(fields.size()).isZero();
    }

    @Test
    void partOfAnArrayIsRead() {
        byte[] input = bytes("junk\rA: b\r\n\r\njunk");

        assertThat(parser.parse(input, 5, input.length - 4, 10, fields)).isNull();
        assertThat(fields.get("a")).containsExactly("b");
    }

    @Test
    void everyTruncationIsNoCompleteHead() {
        everyTruncation(bytes(VALID), cut -> assertThat(parse(cut, 100)).isNotNull());
    }

    @Test
    void everyMutationIsAnsweredWithoutAnException() {
        everyMutation(bytes(VALID), input -> parse(input, 100));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "A : b\r\n\r\n",
                "A\t: b\r\n\r\n",
                " A: b\r\n\r\n",
                "A: b\r\n c\r\n\r\n",
                "A: b\r\n\tc\r\n\r\n",
                "A\r\n\r\n",
                "A b: c\r\n\r\n",
                ": b\r\n\r\n",
                ":\r\n\r\n",
                "A(: b\r\n\r\n",
                "A\"b: c\r\n\r\n",
                "A@b: c\r\n\r\n",
                "A/b: c\r\n\r\n",
                "A\0: b\r\n\r\n",
                "\u00c4: b\r\n\r\n",
                "\u00ff: b\r\n\r\n",
                "A: b\0c\r\n\r\n",
                "A: b\u0001\r\n\r\n",
                "A: b\u000bc\r\n\r\n",
                "A: b\u007f\r\n\r\n",
                "A: \u001b[2J\r\n\r\n"
            })
    void fieldThatTwoServersCouldReadInTwoWaysIsRefused(String input) {
        assertThat(parse(input)).isNotNull();
        assertThat(fields.size()).isLessThanOrEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "A: b\n\n",
                "A: b\n\r\n",
                "A: b\r\n\n",
                "A: b\rX: y\r\n\r\n",
                "A: b\r\r\n\r\n",
                "A: b\r\n\r",
                "A: b\r\n",
                "",
                "\r",
                "\n"
            })
    void bareCrOrLfNeverEndsALine(String input) {
        assertThat(parse(input)).isNotNull();
    }

    @Test
    void bytesBehindTheEmptyLineAreRefused() {
        assertThat(parse("A: b\r\n\r\nB: c\r\n\r\n")).isEqualTo("bytes after the empty line");
        assertThat(fields.contains("B")).isFalse();
    }

    @Test
    void numberOfFieldsIsBounded() {
        assertThat(parse(bytes("A: b\r\n".repeat(3) + "\r\n"), 3)).isNull();
        assertThat(parse(bytes("A: b\r\n".repeat(4) + "\r\n"), 3)).isEqualTo("more than 3 fields");
        assertThat(fields.get("A")).hasSize(3);
    }

    @Test
    void namesThatShareAPlaceInTheCacheAreNeverMixedUp() {
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 2_000; i++) {
                assertThat(parse("N" + i + ": v" + i + "\r\n\r\n")).isNull();
                assertThat(fields.getFirst("n" + i)).isEqualTo("v" + i);
                assertThat(fields.size()).isEqualTo(1);
            }
        }
        // "Aa" and "BB" have one hash
        assertThat(parse("Aa: 1\r\nBB: 2\r\nAa: 3\r\naA: 4\r\n\r\n")).isNull();
        assertThat(fields.get("AA")).containsExactly("1", "3", "4");
        assertThat(fields.get("bb")).containsExactly("2");
    }

    @Test
    void tokensAreThoseOfRfc9110() {
        String token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for (int b = -128; b < 256; b++) {
            assertThat(FieldParser.isToken(b)).as("%d", b).isEqualTo(b > 0 && token.indexOf(b) >= 0);
        }
        assertThat(FieldParser.isToken(token)).isTrue();
        assertThat(FieldParser.isToken("")).isFalse();
        assertThat(FieldParser.isToken("a b")).isFalse();
        assertThat(FieldParser.isToken("a\u0161")).isFalse();
        assertThat(FieldParser.isToken("\ud83d\ude00")).isFalse();
    }

    @Test
    void valuesHaveNoControlCharacterButTheTab() {
        for (int c = 0; c < 256; c++) {
            boolean legal = c == '\t' || (c >= ' ' && c != 0x7f);
            assertThat(FieldParser.isValueByte((byte) c)).as("%d", c).isEqualTo(legal);
            assertThat(FieldParser.isValue("a" + (char) c)).as("%d", c).isEqualTo(legal);
        }
        assertThat(FieldParser.isValue("")).isTrue();
    }

    @Test
    void characterThatTurnsIntoALineBreakWhenItIsCutToAByteIsNoValue() {
        // U+010D and U+010A end in CR and LF, U+560D does too
        assertThat(FieldParser.isValue("a\u010d\u010ab")).isFalse();
        assertThat(FieldParser.isValue("a\u560d\u560ab")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "\n", "\r", "a\rb\r\n", "a\nb\r\n", "\r\r\n"})
    void lineThatDoesNotEndWithCrlfHasNoEnd(String text) {
        assertThat(FieldParser.lineEnd(bytes(text), 0, text.length())).isEqualTo(-1);
    }

    @Test
    void lineEndIsWhereTheCrlfStarts() {
        byte[] input = bytes("ab\r\n\r\n");

        assertThat(FieldParser.lineEnd(input, 0, 6)).isEqualTo(2);
        assertThat(FieldParser.lineEnd(input, 4, 6)).isEqualTo(4);
        assertThat(FieldParser.lineEnd(input, 0, 3)).isEqualTo(-1);
        assertThat(FieldParser.lineEnd(input, 6, 6)).isEqualTo(-1);
    }

    @Test
    void whiteSpaceBeforeAColonIsRemovedFromResponseHeadsOnly() {
        byte[] lines = bytes("X-A \t: b\r\n\r\n");
        HeaderMap fields = new HeaderMap();

        assertThat(new FieldParser().parse(lines, 0, lines.length, 10, fields)).isNotNull();
        assertThat(FieldParser.ofResponseHeads().parse(lines, 0, lines.length, 10, fields))
                .isNull();
        assertThat(fields.get("X-A")).containsExactly("b");
        assertThat(fields.getHeaderNames()).hasSize(1);
        byte[] nameless = bytes(" : b\r\n\r\n");
        assertThat(FieldParser.ofResponseHeads().parse(nameless, 0, nameless.length, 10, fields))
                .isNotNull();
    }
}
