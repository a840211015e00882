package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HeadScannerTest {
    private static final String HEAD = "GET /a?b HTTP/1.1\r\nHost: a\r\nX: y \r\n\r\n";

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static HeadScanner scanned(String text) {
        HeadScanner scanner = new HeadScanner();
        scanner.scan(bytes(text), 0, text.length());
        return scanner;
    }

    @Test
    void wholeHeadIsComplete() {
        HeadScanner scanner = scanned(HEAD + "body or the next head");
        assertThat(scanner.isComplete()).isTrue();
        assertThat(scanner.bytes()).isEqualTo(HEAD.length());
        assertThat(scanner.fields()).isEqualTo(2);
        assertThat(scanner.problem()).isNull();
    }

    @Test
    void headIsSplitAnywhere() {
        String text = "\r\n" + HEAD.replace("1.1", "2.0").replace("X: y", "X: y\r\n\tz");
        for (int split = 0; split <= text.length(); split++) {
            HeadScanner scanner = new HeadScanner();
            ByteBuffer in = bytes(text);
            int leading = scanner.scan(in, 0, split);
            assertThat(scanner.isComplete()).isEqualTo(split == text.length());
            leading += scanner.scan(in, split, text.length());
            assertThat(leading).isEqualTo(2);
            assertThat(scanner.isComplete()).isTrue();
            assertThat(scanner.fields()).isEqualTo(3);
            assertThat(scanner.problem()).isEqualTo(HeadProblem.NEW_VERSION);
            assertThat(new String(in.array(), StandardCharsets.ISO_8859_1)).contains(" HTTP/1.1\r\n");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'GET / HTTP/1.1|Host: a|', true",
        "'GET / HTTP/1.1|X: host: b|hOST:  a:80 |Hosts: c|', true",
        "'GET http://a:80/x HTTP/1.1|Host: A:80|', true",
        "'OPTIONS * HTTP/1.1|Host: [::1]|', true",
        "'GET / HTTP/1.0|', true",
        "'GET / HTTP/1.1|', false",
        "'GET / HTTP/1.1|Hos: a|', false",
        "'GET / HTTP/1.1|Host: a|Host: a|', false",
        "'GET / HTTP/1.0|Host: a|Host: a|', false",
        "'GET / HTTP/1.1|Host: a b|', false",
        "'GET / HTTP/1.1|Host: a:99999|', false",
        "'GET / HTTP/1.1|Host:|', false",
        "'GET http://b/x HTTP/1.1|Host: a|', false",
    })
    void hostIsJudgedWhereverTheHeadIsSplit(String lines, boolean valid) {
        String text = lines.replace("|", "\r\n") + "\r\n";
        for (int split = 0; split <= text.length(); split++) {
            HeadScanner scanner = new HeadScanner();
            ByteBuffer in = bytes(text + "body");
            scanner.scan(in, 0, split);
            scanner.scan(in, split, in.limit());
            assertThat(scanner.isComplete()).isTrue();
            assertThat(scanner.hasSurplus()).isTrue();
            assertThat(scanner.hasHost()).as("split at %d", split).isEqualTo(valid);
        }
        assertThat(scanned(text).hasSurplus()).isFalse();
    }

    @Test
    void everyMutationGetsAnAnswer() {
        for (int at = 0; at < HEAD.length(); at++) {
            for (int value = 0; value < 256; value++) {
                byte[] mutated = HEAD.getBytes(StandardCharsets.ISO_8859_1);
                mutated[at] = (byte) value;
                HeadScanner scanner = new HeadScanner();
                int leading = scanner.scan(ByteBuffer.wrap(mutated), 0, mutated.length);
                assertThat(leading).isBetween(0, 2);
                assertThat(scanner.bytes()).isBetween(1, mutated.length);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1.0,", "1.1,", "1.2,", "1.9,", "2.0,505", "3.1,505", "9.9,505", "0.9,400"})
    void majorVersionDecides(String version, @Nullable Integer status) {
        HeadProblem problem =
                scanned("GET / HTTP/" + version + "\r\nHost: a\r\n\r\n").problem();
        assertThat(problem == null ? null : problem.status()).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(strings = {" z", "\tz", " ", "\t\t"})
    void foldedLineIsNoted(String folded) {
        assertThat(scanned("GET / HTTP/1.1\r\nHost: a\r\n" + folded + "\r\n\r\n")
                        .problem())
                .isEqualTo(HeadProblem.FOLDED);
    }

    @Test
    void spaceWithinALineIsNoFold() {
        assertThat(scanned("GET / HTTP/1.1\r\nA: b c\r\nB:\td\r\n\r\n").problem())
                .isNull();
    }

    @Test
    void oneEmptyLineInFrontIsLeftOut() {
        HeadScanner scanner = new HeadScanner();
        assertThat(scanner.scan(bytes("\r\n" + HEAD), 0, HEAD.length() + 2)).isEqualTo(2);
        assertThat(scanner.isComplete()).isTrue();
        assertThat(scanner.bytes()).isEqualTo(HEAD.length());
        // a second one is left to the parser, which refuses it
        scanner.reset();
        assertThat(scanner.scan(bytes("\r\n\r\n" + HEAD), 0, 4)).isEqualTo(2);
    }

    @Test
    void lettersThatTheParserDoesNotTakeAreLeftOut() {
        for (int length : new int[] {31, 32, 33, 64, 65}) {
            String method = "M".repeat(length);
            String text = method + " / HTTP/1.1\r\n\r\n";
            for (int split = 0; split < text.length(); split++) {
                HeadScanner scanner = new HeadScanner();
                int leading = scanner.scan(bytes(text), 0, split);
                assertThat(leading).isLessThanOrEqualTo(split);
                leading += scanner.scan(bytes(text), split, text.length());
                assertThat(scanner.longMethod()).isEqualTo(length > 32 ? method : null);
                assertThat(length - leading).isEqualTo(Math.min(length, 32));
                assertThat(scanner.problem()).isEqualTo(length > 64 ? HeadProblem.MALFORMED : null);
            }
        }
    }

    @Test
    void bareCarriageReturnInFrontIsNoEmptyLine() {
        assertThat(scanned("\r" + HEAD).problem()).isEqualTo(HeadProblem.MALFORMED);
    }

    @Test
    void nextHeadStartsAnew() {
        HeadScanner scanner = scanned("GET / HTTP/2.0\r\n x\r\n\r\n");
        assertThat(scanner.problem()).isNotNull();
        scanner.reset();
        assertThat(scanner.hasBegun()).isFalse();
        assertThat(scanner.problem()).isNull();
        scanner.scan(bytes(HEAD), 0, HEAD.length());
        assertThat(scanner.problem()).isNull();
        assertThat(scanner.isComplete()).isTrue();
    }

    @Test
    void requestLineIsToldFromFields() {
        assertThat(scanned("GET /abc").isInRequestLine()).isTrue();
        assertThat(scanned("GET /abc HTTP/1.1\r").isInRequestLine()).isTrue();
        assertThat(scanned("GET /abc HTTP/1.1\r\n").isInRequestLine()).isFalse();
    }
}
