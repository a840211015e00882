package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostPatternTest {
    private static boolean matches(String pattern, String authority) {
        return HostPattern.of(pattern).matches(HostPattern.hostOf(authority));
    }

    @ParameterizedTest
    @CsvSource({
        "chat.example.com, chat.example.com, true",
        "chat.example.com, CHAT.Example.COM:8443, true",
        "Chat.Example.Com, chat.example.com., true",
        "chat.example.com., chat.example.com.:443, true",
        "chat.example.com, example.com, false",
        "chat.example.com, x.chat.example.com, false",
        "chat.example.com, chat.example.com.evil.test, false",
        "chat.example.com, chatxexample.com, false",
        "chat.example.com, '', false",
        "127.0.0.1, 127.0.0.1:80, true",
        "127.0.0.1, 127.0.0.10, false",
        "[::1], [::1]:8443, true",
        "[2001:DB8::1], [2001:db8::1], true",
        "2001:db8:0::1, [2001:DB8:0:0:0:0:0:1]:443, true",
        "[2001:db8::1], [2001:db8::2], false",
        "[2001:db8::1], 2001:db8::1, false",
        "[::ffff:192.0.2.1], [::FFFF:192.0.2.1], true",
        "[::1], [::12], false",
        "my_service, my_service:80, true",
        "bücher.example, xn--bcher-kva.example, true",
        "BÜCHER.example, XN--BCHER-KVA.EXAMPLE.:8443, true",
        "xn--bcher-kva.example, xn--bcher-kva.example, true",
        "例え。テスト, xn--r8jz45g.xn--zckzah, true",
        "bücher.example, bucher.example, false"
    })
    void exactHostIsComparedWithoutCasePortAndTrailingDot(String pattern, String authority, boolean match) {
        assertThat(matches(pattern, authority)).isEqualTo(match);
    }

    @ParameterizedTest
    @CsvSource({
        "a.example.com, true",
        "A.EXAMPLE.COM:443, true",
        "a-b.example.com., true",
        "example.com, false",
        ".example.com, false",
        "a.b.example.com, false",
        "aexample.com, false",
        "evil-example.com, false",
        "a.example.com.evil.test, false",
        "a.example.comx, false",
        "a.example.co, false",
        "*.example.com, true",
        "'', false"
    })
    void wildcardIsExactlyOneLevel(String authority, boolean match) {
        assertThat(matches("*.example.com", authority)).isEqualTo(match);
    }

    @Test
    void wildcardOfAnInternationalisedDomainMatchesItsALabel() {
        assertThat(matches("*.bücher.example", "a.xn--bcher-kva.example")).isTrue();
    }

    @Test
    void anyMatchesEverything() {
        assertThat(HostPattern.any().matches("")).isTrue();
        assertThat(HostPattern.any().matches("a.example.com")).isTrue();
        assertThat(HostPattern.any().isAny()).isTrue();
        assertThat(HostPattern.any().isWildcard()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                ".",
                "*",
                "*.",
                "**.example.com",
                "a.*.com",
                "*a.example.com",
                "*.*.example.com",
                "*.[::1]",
                ".example.com",
                "a..b",
                "-a.example.com",
                "a-.example.com",
                "a b",
                "a/b",
                "a@b",
                "http://example.com",
                "example.com:8080",
                "[::1",
                "[]",
                "[fe80::1%eth0]",
                "a\r\nb",
                "a\0b"
            })
    void whatIsNoHostIsRefusedWithItsText(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPattern.of(text))
                .withMessage("route.host: " + text
                        + " (expected: a host name such as chat.example.com, *.example.com, or an IP address)");
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        assertThatNullPointerException().isThrownBy(() -> HostPattern.of(null)).withMessage("host");
    }

    @ParameterizedTest
    @CsvSource({
        "'', ''",
        ":80, ''",
        "a, a",
        "A:1, a",
        "a., a",
        "., .",
        "[::1], [::1]",
        "[::1]:80, [::1]",
        "[0:0:0:0:0:0:0:1], [::1]",
        "[1::3:4:5:6:7:8], [1:0:3:4:5:6:7:8]",
        "[zz::1], [zz::1]",
        "[], []",
        "[::1, [::1",
        "a:b:c, a",
        "İ.example, i̇.example"
    })
    void hostOfIsTotal(String authority, String host) {
        assertThat(HostPattern.hostOf(authority)).isEqualTo(host);
    }

    @ParameterizedTest
    @ValueSource(strings = {"straße.example", "*.βόλος.example", "a\u200cb.example", "a\u200db.example"})
    void nameWithTwoEncodingsIsRefusedWithTheWayOut(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> HostPattern.of(text))
                .withMessage("route.host: " + text
                        + " (expected: the name's A-labels, xn--…, because there are two encodings of it)");
    }

    @Test
    void equalPatternsAreEqualInTheirNormalForm() {
        assertThat(HostPattern.of("Example.COM."))
                .isEqualTo(HostPattern.of("example.com"))
                .hasSameHashCodeAs(HostPattern.of("example.com"))
                .hasToString("example.com")
                .isNotEqualTo(HostPattern.of("*.example.com"));
        assertThat(HostPattern.of(" *.Example.com ")).hasToString("*.example.com");
    }
}
