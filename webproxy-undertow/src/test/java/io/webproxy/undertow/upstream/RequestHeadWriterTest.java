package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestHeadWriterTest {
    private static final HttpString NAME = new HttpString("X-A");

    private final RequestHeadWriter writer = new RequestHeadWriter();

    private RequestHeadWriter start(String method, String target) {
        writer.start(method, "http", "a", target);
        return writer;
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.ISO_8859_1.decode(bytes).toString();
    }

    @Test
    void headIsWrittenAsHttp11() {
        HeaderMap fields = new HeaderMap();
        fields.add(NAME, "1").add(NAME, "\u00e4\t2");
        start("GET", "/a%20b?c=d");
        writer.fields(fields.get(NAME));
        writer.field(new HttpString("X-Empty"), "");

        assertThat(text(writer.end()))
                .isEqualTo("GET /a%20b?c=d HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: \u00e4\t2\r\n" + "X-Empty: \r\n\r\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a\r\nX-Evil: b",
                "a\rb",
                "a\nb",
                "a\0b",
                "\r",
                "\n",
                "\0",
                "a\u0001",
                "a\u000b",
                "a\u001b",
                "a\u007f",
                "a\u010d\u010ab",
                "a\u560d\u560ab",
                "\u0161",
                "\ud83d\ude00"
            })
    void valueThatWouldSplitTheRequestIsRefused(String value) {
        assertThatExceptionOfType(UnwritableException.class)
                .isThrownBy(() -> start("GET", "/").field(NAME, value))
                .withMessage("a field value has a control character");
    }

    @Test
    void everyCharacterOfAValueIsWrittenAsItIsOrRefused() {
        for (char c = 0; c < 0x200; c++) {
            String value = "a" + c + "b";
            boolean legal = c == '\t' || (c >= ' ' && c <= 0xff && c != 0x7f);
            start("GET", "/");
            if (legal) {
                writer.field(NAME, value);
                assertThat(text(writer.end())).isEqualTo("GET / HTTP/1.1\r\nHost: a\r\nX-A: " + value + "\r\n\r\n");
            } else {
                assertThatExceptionOfType(UnwritableException.class)
                        .as("%d", (int) c)
                        .isThrownBy(() -> writer.field(NAME, value));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyCharacterOfATargetIsPrintableAsciiOrRefusedAndAQueryMayHaveBytesAboveIt(boolean query) {
        for (char c = 0; c < 0x200; c++) {
            String target = (query ? "/?a" : "/a") + c;
            if ((c > ' ' && c < 0x7f && c != '#') || (query && c > 0x7f && c <= 0xff)) {
                start("GET", target);
                assertThat(text(writer.end())).isEqualTo("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
            } else {
                assertThatExceptionOfType(UnwritableException.class)
                        .as("%d", (int) c)
                        .isThrownBy(() -> start("GET", target));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/ HTTP/1.1\r\nX-Evil: b\r\n\r\nGET /s", "/a b", "/a\tb", "/\r", "/\n", "/\0", "/\u010a"})
    void targetThatWouldSplitTheRequestIsRefused(String target) {
        assertThatExceptionOfType(UnwritableException.class).isThrownBy(() -> start("GET", target));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "GET ", "G T", "GET\r\n", "GET\n", "G\0", "GET/", "G:T", "\u00e4", "G\u0161T"})
    void methodThatIsNoTokenIsRefused(String method) {
        assertThatExceptionOfType(UnwritableException.class).isThrownBy(() -> start(method, "/"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"X A", "X:", "X\0", " X", "X ", "\u00e4", "X(", ""})
    void nameThatIsNoTokenIsRefused(String name) {
        HttpString bad = new HttpString(name.getBytes(StandardCharsets.ISO_8859_1));

        assertThatExceptionOfType(UnwritableException.class)
                .isThrownBy(() -> start("GET", "/").field(bad, "x"));
    }

    @Test
    void nothingOfARefusedHeadIsLeftInTheNext() {
        start("POST", "/secret");
        writer.field(NAME, "token");
        assertThatExceptionOfType(UnwritableException.class).isThrownBy(() -> writer.field(NAME, "half\0"));

        assertThat(text(start("GET", "/").end())).isEqualTo("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    @Test
    void headIsItsOwnCopy() {
        ByteBuffer first = start("GET", "/first").end();
        start("PUT", "/other").end();

        assertThat(text(first)).isEqualTo("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    @Test
    void headLargerThanTheFirstBufferIsWrittenWhole() {
        String target = "/" + "t".repeat(5_000);
        start("GET", target);
        for (int i = 0; i < 100; i++) {
            writer.field(NAME, "v".repeat(i * 10));
        }
        String head = text(writer.end());

        assertThat(head).startsWith("GET " + target + " HTTP/1.1\r\n").endsWith("X-A: " + "v".repeat(990) + "\r\n\r\n");
        assertThat(head.lines().count()).isEqualTo(103);
    }
}
