package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathPrefixTest {
    @ParameterizedTest
    @CsvSource({
        "/api, /api, true",
        "/api, /api/, true",
        "/api, /api/x, true",
        "/api, /apix, false",
        "/api, /api.json, false",
        "/api, /api;x, false",
        "/api, /ap, false",
        "/api, /API, false",
        "/api, /x/api, false",
        "/api/, /api/, true",
        "/api/, /api/x, true",
        "/api/, /api, false",
        "/api/, /apix/, false",
        "/a/b, /a/b/c, true",
        "/a/b, /a/bc, false",
        "/, /, true",
        "/, /x, true",
        "/, *, false"
    })
    void prefixStripNeverMatchesHalfASegment(String prefix, String path, boolean match) {
        assertThat(PathPrefix.of(prefix).matches(path)).isEqualTo(match);
    }

    @ParameterizedTest
    @CsvSource({
        "/api, /api, /",
        "/api, /api/, /",
        "/api, /api/x, /x",
        "/api, /api//x, //x",
        "/api, /api/a%2Fb%zz, /a%2Fb%zz",
        "/api/, /api/, /",
        "/api/, /api/x/, /x/",
        "/api/, /api//x, //x",
        "/, /, /",
        "/, /x/y, /x/y"
    })
    void whatIsLeftStartsWithASlashAndIsByteForByte(String prefix, String path, String rest) {
        assertThat(PathPrefix.of(prefix).strip(path)).isEqualTo(rest);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "api", "*", "//", "/a//b", "/.", "/..", "/a/..", "/a/../b", "/./a", "/a/.", "/a?b", "/a#b", "/a b",
                "/a\\b", "/ä", "/a\r\nb", "/a\0", "/a\n", "/{id}", "/%41", "/%7e", "/%40a", "/a%2Bb", "/%3b", "/%5c",
                        "/%00", "/%2"
            })
    void whatIsNoLegalPathIsRefusedWithItsText(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PathPrefix.of(text))
                .withMessage("route.path: " + text + " (expected: a path that starts with /, percent-encoded,"
                        + " without //, . and .. segments)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/a", "/a/", "/...", "/.well-known/x", "/a..b", "/a%2Fb", "/~a/b;c=d,e@f:g!$&'()*+"})
    void legalPathIsKeptAsItIs(String text) {
        PathPrefix prefix = PathPrefix.of(text);

        assertThat(prefix).hasToString(text).isEqualTo(PathPrefix.of(text)).hasSameHashCodeAs(PathPrefix.of(text));
        assertThat(prefix.length()).isEqualTo(text.length());
        assertThat(prefix.matches(text)).isTrue();
    }

    @Test
    void caseOfPercentEncodingsSaysNothing() {
        assertThat(PathPrefix.of("/caf%c3%a9/%2f"))
                .hasToString("/caf%C3%A9/%2F")
                .isEqualTo(PathPrefix.of("/caf%C3%A9/%2F"));
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException().isThrownBy(() -> PathPrefix.of(null)).withMessage("path");
    }
}
