package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestBodySinkTest {
    private static String trailer(String name, String value) {
        return new String(RequestBodySink.trailer(name, value), StandardCharsets.ISO_8859_1);
    }

    @Test
    void trailerIsOneLine() {
        assertThat(trailer("X-A", "b\t\u00e4 c")).isEqualTo("X-A: b\t\u00e4 c\r\n");
        assertThat(trailer("X-A", "")).isEqualTo("X-A: \r\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nX-Evil: b", "a\rb", "a\nb", "a\0b", "\r", "\n", "a\u007f", "a\u010ab", "\u560d"})
    void trailerValueThatWouldSplitTheRequestIsLeftOut(String value) {
        assertThat(trailer("X-A", value)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "X A", "X:A", "X\r\nEvil", "X\nA", "X\0A", " X", "X ", "X\u00e4", "X\u010a"})
    void trailerNameThatIsNoTokenIsLeftOut(String name) {
        assertThat(trailer(name, "b")).isEmpty();
    }
}
