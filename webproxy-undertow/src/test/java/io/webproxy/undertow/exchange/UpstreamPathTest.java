package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.route.Route;
import io.webproxy.spi.PathPrefix;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamPathTest {
    private static String changed(String prefix, String raw, Consumer<Route.Builder> change) {
        Route.Builder builder = Route.builder().path(prefix).forward("http://h");
        change.accept(builder);
        Route route = builder.build();
        String normalized = RequestPath.normalized(raw);
        assertThat(normalized).matches(route.path()::matches);
        return UpstreamPath.of(raw, normalized, route.path(), route.rewrite());
    }

    @ParameterizedTest
    @CsvSource({
        "/api, /api, /",
        "/api, /api/, /",
        "/api, /api/x, /x",
        "/api/, /api/, /",
        "/api/, /api/x/, /x/",
        "/api/, /api//x, //x",
        "/api, /api/a%2Fb;c/%41/%7e, /a%2Fb;c/%41/%7e",
        "/api, /api/%2541, /%2541",
        "/api, /%61pi/%41, /%41",
        "/api, //api//x, //x",
        "/api, /./api/./x, /./x",
        "/api, /x/../api/%41, /%41",
        "/api, /x/%2e%2E/api/x/%2e%2e/y, /x/%2e%2e/y",
        "/api, /api/../api/%41, /%41",
        "/api, /api/x/../../api/y, /y",
        "/api, /api/../api/../api/y/.., /y/..",
        "/api, /api/api/../../api/y, /y",
        "/api, /api/api/../y, /api/../y",
        "/api, /%61pi, /",
        "/api/, /%61pi/, /",
        "/api/, /api/., /.",
        "/api/, /api/x/.., /x/..",
        "/a/b, /a/./b/../b//c, //c",
        "/a/b, /a/c/../b/c, /c",
        "/a%2Fb, /a%2Fb/%41, /%41",
        "/, /a/../%41, /a/../%41",
        "/, //x, //x",
        "/, *, *"
    })
    void whatIsLeftBehindAStrippedPrefixPassesByteForByte(String prefix, String raw, String left) {
        assertThat(changed(prefix, raw, Route.Builder::stripPrefix)).isEqualTo(left);
    }

    @ParameterizedTest
    @CsvSource({
        "/api, /app, /api, /app",
        "/api, /app, /%61pi, /app",
        "/api, /app, /api/, /app/",
        "/api, /app/, /api/x, /app/x",
        "/api/, /app, /api/%41, /app/%41",
        "/, /app, /, /app/",
        "/, /app, /%41, /app/%41",
        "/, /app, //x/./y, /app//x/./y",
        "/api, /a/b, /x/../api/x/../y, /a/b/x/../y"
    })
    void anotherPrefixStandsBeforeWhatIsLeft(String prefix, String other, String raw, String path) {
        assertThat(changed(prefix, raw, b -> b.replacePrefix(other))).isEqualTo(path);
    }

    /**
     * An upstream that takes parameters off or decodes slashes would be led out of the prefix by the bytes as they
     * came.
     */
    @ParameterizedTest
    @CsvSource({"/api/;/../api/x, /app/api/x", "/api/;a/../api/%41, /app/api/A"})
    void restThatAnotherReadingLeadsOutOfThePrefixIsNormalised(String raw, String path) {
        assertThat(changed("/api", raw, b -> b.replacePrefix("/app"))).isEqualTo(path);
    }

    @ParameterizedTest
    @CsvSource({
        "^/v[0-9]+/, /, /v12/x, /x",
        "'/([a-z]+)/([0-9]+)', '/$2/$1', /ab/12/%41, /12/ab/%41",
        "x, yy, /x/x, /yy/yy",
        "^/old, /new, /older, /newer",
        "nothing, z, /a//b/../%41, /a//b/../%41"
    })
    void pathIsRewrittenWhereverTheExpressionIsFound(String regex, String replacement, String raw, String path) {
        assertThat(changed("/", raw, b -> b.rewritePath(regex, replacement))).isEqualTo(path);
    }

    @Test
    void rewritingSeesThePathBehindThePrefix() {
        assertThat(changed("/api", "/api/api/x", b -> b.stripPrefix().rewritePath("^/api", "/v1")))
                .isEqualTo("/v1/x");
        assertThat(changed("/api", "/api/x", b -> b.replacePrefix("/a").rewritePath("^/a/", "/b/")))
                .isEqualTo("/b/x");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "/..",
                "/a/../../b",
                "/ ",
                "/a?b",
                "/a#b",
                "/%zz",
                "/%00",
                "/ä",
                "/a\\\\b",
                "/a\r\n",
                "//../x"
            })
    void rewritingThatMakesNoPathIsRefused(String replacement) {
        assertThat(changed("/", "/a", b -> b.rewritePath("^/a$", replacement))).isNull();
    }

    @Test
    void expressionThatRunsOutOfStackIsRefused() {
        assertThat(changed("/", "/" + "ab".repeat(8000), b -> b.rewritePath("(a|b)+$", "x")))
                .isNull();
    }

    @Test
    void whateverCameTheUpstreamIsAskedForTheSamePlaceBelowThePrefix() {
        String[] pieces = {"/", "/", "/", "api", "a", "..", ".", "%2e", "%2F", ";", "%61pi", "%41", "x;y", "api/"};
        String[] prefixes = {"/", "/api", "/api/", "/api/a", "/api/api/"};
        Random random = new Random(7);
        int changed = 0;
        for (int i = 0; i < 40_000; i++) {
            StringBuilder path = new StringBuilder("/");
            for (int n = random.nextInt(12); n > 0; n--) {
                path.append(pieces[random.nextInt(pieces.length)]);
            }
            String raw = path.toString();
            String normalized = RequestPath.normalized(raw);
            PathPrefix prefix = PathPrefix.of(prefixes[random.nextInt(prefixes.length)]);
            if (normalized == null || !prefix.matches(normalized)) {
                continue;
            }
            String left = UpstreamPath.of(
                    raw,
                    normalized,
                    prefix,
                    Route.builder().stripPrefix().forward("http://h").build().rewrite());
            assertThat(left).as(raw).isNotNull().startsWith("/");
            assertThat(RequestPath.normalized(left)).as(raw).isEqualTo(prefix.strip(normalized));
            assertThat(RequestPath.isReadAlike(left, prefix.strip(normalized), other -> true))
                    .as(raw)
                    .isTrue();
            if (!left.equals(prefix.strip(normalized))) {
                assertThat(raw).endsWith(left);
                changed++;
            }
        }
        assertThat(changed).isGreaterThan(200);
    }
}
