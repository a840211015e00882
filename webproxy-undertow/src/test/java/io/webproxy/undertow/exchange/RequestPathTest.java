package io.webproxy.undertow.exchange;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.ByteInputs.everyMutation;
import static io.webproxy.testing.ByteInputs.everyTruncation;
import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestPathTest {
    private static String raw(String method, String uri, boolean withHost) {
        HttpServerExchange http = new HttpServerExchange(null);
        http.setRequestMethod(new HttpString(method));
        http.setRequestURI(uri, withHost);
        return RequestPath.raw(http);
    }

    @ParameterizedTest
    @CsvSource({
        "/, /",
        "/a/b, /a/b",
        "/a/b/, /a/b/",
        "/a.b/c..d, /a.b/c..d",
        "/a;x=y/b, /a;x=y/b",
        "/%41%2d%7E, /A-~",
        "/a%2Fb, /a%2Fb",
        "/a%20b, /a%20b",
        "/a%25b, /a%25b",
        "/%252e%252e/s, /%252e%252e/s",
        "/%c3%a4, /%C3%A4",
        "/%2f%3b, /%2F%3B",
        "/users/CORP%5Calice, /users/CORP%5Calice",
        "/%5c, /%5C",
        "/a%5c%5cb, /a%5C%5Cb",
        "'/{x}|^`[]', /%7Bx%7D%7C%5E%60%5B%5D",
        "/.well-known/x, /.well-known/x",
        "/..., /...",
        "/..a/b, /..a/b"
    })
    void legalPathKeepsItsMeaning(String raw, String normalized) {
        assertThat(RequestPath.normalized(raw)).isEqualTo(normalized);
    }

    @ParameterizedTest
    @CsvSource({
        "/pub/../s, /s",
        "/pub/%2e%2e/s, /s",
        "/pub/%2E./s, /s",
        "/pub/.%2e/s, /s",
        "/pub/./s, /pub/s",
        "/pub/%2e/s, /pub/s",
        "//s, /s",
        "///s, /s",
        "/pub//s, /pub/s",
        "/pub//../s, /s",
        "/pub/.., /",
        "/pub/../, /",
        "/pub/., /pub/",
        "/pub//, /pub/",
        "/a/b/../../s, /s",
        "/., /",
        "//, /",
        "/a/b/c/./../../g, /a/g",
        "/%73, /s"
    })
    void dotAndEmptySegmentsCannotHideTheRoute(String raw, String normalized) {
        assertThat(RequestPath.normalized(raw)).isEqualTo(normalized);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/..",
                "/../s",
                "/%2e%2e/s",
                "/pub/../../s",
                "/.//../s",
                "/a;x/..;/s",
                "/a/..;x=y/s",
                "/a/.;/s",
                "/a/%2e%2e;/s",
                "/a%5c..%5cs",
                "/a/..%5cs",
                "/..%5C",
                "/%5c..",
                "/%5c..%2fs",
                "/a;%5c../s",
                "/..;%5cs",
                "/.%5cs",
                "/%2e%2e%5cs",
                "/a\\b",
                "/a\"b",
                "/a<b",
                "/a>b",
                "/%00",
                "/a%00.html",
                "/\\",
                "/..\\s",
                "/%zz",
                "/%",
                "/%2",
                "/a%",
                "/%2g",
                "/% 2",
                "/%-1",
                "/%+1",
                "/\u0000",
                "/a\tb",
                "/a\r\nb",
                "/\u007f",
                "/\u0080",
                "/\u00e4",
                "/\u00ff",
                "/\u2025/s"
            })
    void pathThatUpstreamsCouldReadInTwoWaysIsRefused(String raw) {
        assertThat(RequestPath.normalized(raw)).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "/s;, /s",
        "/s;x=y, /s",
        "/s;x/y, /s/y",
        "/;x/s, /s",
        "/s%3bx, /s",
        "/s%3Bx, /s",
        "/%2fs, /s",
        "/s%2Fx, /s/x",
        "/a;b%2fs, /a/s",
        "/a%2fb;c, /a/b",
        "/s//../x, /s/x",
        "/pub//../s, /pub/s",
        "/%5cs, /s",
        "/s%5Cx, /s/x",
        "/a%5cb%2fc, /a/b/c",
        "/a%5cb;x%5cc, /a/b/c",
        "/a;b%5cs, /a/s",
        "/a%2f/../s, /a/s",
        "/%40s, /@s",
        "/a%2fb%3a%2b, /a/b:+",
        "'/%21%24%26%27%28%29%2a%2B%2c%3d', '/!$&''()*+,='"
    })
    void anotherReadingCannotHideTheRoute(String raw, String other) {
        String normalized = RequestPath.normalized(raw);
        assertThat(normalized).isNotNull();
        List<String> others = new ArrayList<>();
        assertThat(RequestPath.isReadAlike(raw, normalized, others::add)).isTrue();
        assertThat(others).contains(other);
        assertThat(RequestPath.isReadAlike(raw, normalized, path -> !path.equals(other)))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/a/b", "/pub/../s", "//s", "/%73", "/a%20b", "/a/./b/", "/.well-known/x"})
    void pathWithOneReadingIsNotLookedUpAgain(String raw) {
        String normalized = RequestPath.normalized(raw);
        assertThat(normalized).isNotNull();
        assertThat(RequestPath.isReadAlike(raw, normalized, path -> false)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/pub/..%3b/s", "/pub/%2e%2e%3Bx/s", "/pub/x%2f..;/s", "/pub/..;%2fs", "/pub/.;%2fs"})
    void dotsBehindParametersAndEncodedSlashesAreFound(String raw) {
        assertThat(RequestPath.normalized(raw)).isNull();
    }

    @Test
    void normalizingAgainChangesNothing() {
        for (String raw : List.of("/pub/../s/", "//a//b/./c/..", "/%41/%2f/%25", "/a;b/../c;d", "/", "/.")) {
            String once = RequestPath.normalized(raw);
            assertThat(once).isNotNull();
            assertThat(RequestPath.normalized(once)).isEqualTo(once);
        }
    }

    @Test
    void everyTruncationAndMutationIsNormalOrRefused() {
        byte[] input = bytes("/a;x/../%2e%2e/b/./%41%2F//c/..");
        everyTruncation(input, RequestPathTest::normalOrRefused);
        everyMutation(input, RequestPathTest::normalOrRefused);
    }

    private static void normalOrRefused(byte[] input) {
        if (input.length == 0 || input[0] != '/') {
            return; // only what starts with a slash is normalised
        }
        String normalized = RequestPath.normalized(new String(input, StandardCharsets.ISO_8859_1));
        if (normalized != null) {
            assertThat(normalized).startsWith("/").doesNotContain("//", "/../", "/./", "\\", "\0");
            assertThat(normalized)
                    .satisfiesAnyOf(
                            path -> assertThat(path).doesNotEndWith("/..").doesNotEndWith("/."));
            assertThat(RequestPath.normalized(normalized)).isEqualTo(normalized);
        }
    }

    @Test
    void longPathOfDotsIsNormalizedInLinearTime() {
        assertThat(RequestPath.normalized("/a/..".repeat(3_000) + "/s")).isEqualTo("/s");
        assertThat(RequestPath.normalized("/".repeat(16_000) + "s")).isEqualTo("/s");
        assertThat(RequestPath.normalized("/a" + "/..".repeat(5_000))).isNull();
    }

    @Test
    void rawPathIsTheOriginForm() {
        assertThat(raw("GET", "/a/../b%zz", false)).isEqualTo("/a/../b%zz");
        assertThat(raw("OPTIONS", "*", false)).isEqualTo("*");
        assertThat(RequestPath.normalized("*")).isEqualTo("/");
    }

    @Test
    void absoluteFormLosesSchemeAndAuthority() {
        assertThat(raw("GET", "http://host/a//b", true)).isEqualTo("/a//b");
        assertThat(raw("GET", "http://host:80/", true)).isEqualTo("/");
        assertThat(raw("GET", "http://host", true)).isEqualTo("/");
        assertThat(raw("GET", "http:", true)).isEqualTo("/");
    }

    @ParameterizedTest
    @CsvSource({"GET, *", "GET, a", "GET, host:80", "CONNECT, host:80", "OPTIONS, a", "GET, ''", "OPTIONS, **"})
    void targetWithoutALeadingSlashHasNoPath(String method, String uri) {
        assertThat(raw(method, uri, false)).isNull();
    }
}
