package io.webproxy.port;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SniTest {
    private static final List<String> WEB = List.of("h2", "http/1.1");

    @ParameterizedTest
    @CsvSource({
        "db.example.com, db.example.com, true",
        "db.example.com, DB.Example.COM, true",
        "db.example.com, db.example.com., true",
        "DB.Example.com., db.example.com, true",
        "' db.example.com ', db.example.com, true",
        "bücher.example, xn--bcher-kva.example, true",
        "my_service, my_service, true",
        "db.example.com, example.com, false",
        "db.example.com, a.db.example.com, false",
        "db.example.com, db.example.com.., false",
        "db.example.com, db.example.com:443, false",
        "db.example.com, db.example.com.evil.test, false",
        "db.example.com, '', false",
        "db.example.com, ., false",
        "db.example.com, , false",
        "*.example.com, a.example.com, true",
        "*.example.com, A.EXAMPLE.com., true",
        "*.example.com, example.com, false",
        "*.example.com, .example.com, false",
        "*.example.com, a.b.example.com, false",
        "*.example.com, a.example.com.evil.test, false",
        "*.example.com, evilexample.com, false",
        "*.example.com, , false"
    })
    void nameIsComparedWithoutCaseAndTrailingDot(String pattern, String name, boolean match) {
        assertThat(Sni.of(pattern).matches(name, WEB)).isEqualTo(match);
        assertThat(Sni.of(pattern).matches(name, List.of())).isEqualTo(match);
    }

    @Test
    void anyAndNone() {
        assertThat(Sni.any().matches("a", WEB)).isTrue();
        assertThat(Sni.any().matches(null, List.of())).isTrue();
        assertThat(Sni.none().matches("a", WEB)).isFalse();
        assertThat(Sni.none().matches("", WEB)).isFalse();
        assertThat(Sni.none().matches(null, WEB)).isTrue();
    }

    @Test
    void oneOfTheProtocolsIsEnoughAndTheNameStillCounts() {
        Sni sni = Sni.of("a.example").alpn("x", "h2");
        assertThat(sni.matches("a.example", WEB)).isTrue();
        assertThat(sni.matches("b.example", WEB)).isFalse();
        assertThat(sni.matches("a.example", List.of("H2", "http/1.1"))).isFalse();
        assertThat(sni.matches("a.example", List.of())).isFalse();
        assertThat(sni.alpn("y").matches("a.example", WEB))
                .as("in place of those before")
                .isFalse();
        assertThat(Sni.none().alpn("h2").matches(null, WEB)).isTrue();
        assertThat(Sni.none().alpn("h2").matches(null, List.of())).isFalse();
        assertThat(Sni.any().matches("a.example", List.of()))
                .as("the constant is unchanged")
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "*",
                "*.",
                "**.example.com",
                "a.*.example.com",
                "*a.example.com",
                "a b",
                "a..b",
                ".a",
                "-a",
                "a:443",
                "a/b",
                "https://a",
                "127.0.0.1",
                "::1",
                "[::1]",
                "straße.example"
            })
    void whatIsNoServerNameIsRefused(String pattern) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Sni.of(pattern))
                .withMessage(
                        "sni: '" + pattern + "' (expected: a server name such as db.example.com, or *.example.com)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "h2\n", "h\u00e9", "\0"})
    void whatIsNoProtocolIsRefused(String protocol) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Sni.any().alpn("h2", protocol))
                .withMessage(
                        "alpn: '" + protocol + "' (expected: 1-255 visible ASCII characters, such as h2 or http/1.1)");
    }

    @Test
    void longProtocolsNoProtocolsAndNullsAreRefused() {
        assertThat(Sni.any().alpn("a".repeat(255))).isNotNull();
        assertThatIllegalArgumentException().isThrownBy(() -> Sni.any().alpn("a".repeat(256)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Sni.any().alpn())
                .withMessage("alpn: none (expected: at least one protocol, such as h2)");
        assertThatNullPointerException().isThrownBy(() -> Sni.of(null)).withMessage("sni");
        assertThatNullPointerException()
                .isThrownBy(() -> Sni.any().alpn((String[]) null))
                .withMessage("alpn");
        assertThatNullPointerException()
                .isThrownBy(() -> Sni.any().alpn("a", null))
                .withMessage("alpn");
    }

    @Test
    void equalByMeaning() {
        assertThat(Sni.of("A.example.")).isEqualTo(Sni.of("a.example")).hasSameHashCodeAs(Sni.of("a.example"));
        assertThat(Sni.any().alpn("a", "b"))
                .isEqualTo(Sni.any().alpn("b", "a", "b"))
                .hasSameHashCodeAs(Sni.any().alpn("b", "a"));
        assertThat(Sni.any())
                .isNotEqualTo(Sni.none())
                .isNotEqualTo(Sni.any().alpn("a"))
                .isNotEqualTo("any");
        assertThat(Sni.of("a.example")).isNotEqualTo(Sni.of("*.a.example")).isNotEqualTo(Sni.of("b.example"));
    }

    @Test
    void textNamesItInRules() {
        assertThat(Sni.any()).hasToString("any");
        assertThat(Sni.none()).hasToString("no-sni");
        assertThat(Sni.of("*.A.example")).hasToString("*.a.example");
        assertThat(Sni.of("a.example").alpn("h2", "acme-tls/1")).hasToString("a.example/acme-tls/1,h2");
    }

    @ParameterizedTest
    @CsvSource({
        "any, any, true",
        "any, none, true",
        "any, a.example, true",
        "any, any/h2, true",
        "none, any, false",
        "none, none, true",
        "none, a.example, false",
        "a.example, a.example, true",
        "a.example, any, false",
        "a.example, none, false",
        "a.example, *.example, false",
        "*.example, a.example, true",
        "*.example, *.example, true",
        "*.example, *.a.example, false",
        "*.example, b.a.example, false",
        "any/h2, any, false",
        "any/h2, any/h2, true",
        "any/h2, a.example/h2, true",
        "any/h2, any/x, false",
        "any/h2+x, any/x, true",
        "any/x, any/h2+x, false"
    })
    void coversWhatBelongsToItInAnyCase(String one, String other, boolean covers) {
        assertThat(sni(one).covers(sni(other))).isEqualTo(covers);
    }

    private static Sni sni(String text) {
        String[] parts = text.split("/");
        Sni sni = parts[0].equals("any") ? Sni.any() : parts[0].equals("none") ? Sni.none() : Sni.of(parts[0]);
        return parts.length == 1 ? sni : sni.alpn(parts[1].split("\\+"));
    }
}
