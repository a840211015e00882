package io.webproxy.undertow.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.route.Route;
import io.webproxy.undertow.forward.Locations.WebOrigin;
import io.webproxy.undertow.message.FieldLines;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LocationsTest {
    private static final WebOrigin UPSTREAM = new WebOrigin("http", "10.0.0.7:8080");

    private static Route route(String path, String replaced) {
        return Route.builder()
                .path(path)
                .replacePrefix(replaced)
                .rewriteLocations()
                .forward("http://10.0.0.7:8080")
                .build();
    }

    /** The client has come by HTTPS, and the upstream gets its Host. */
    private static Locations locations(String path, String replaced) {
        return new Locations(
                route(path, replaced),
                new WebOrigin("https", "Example.com:443"),
                new WebOrigin("http", "Example.com:443"),
                UPSTREAM);
    }

    @ParameterizedTest
    @CsvSource({
        "/, /api/",
        "/x/y?q=/z#f, /api/x/y?q=/z#f",
        "/%41//b/%2F, /api/%41//b/%2F",
        "/api/x, /api/api/x",
        "http://10.0.0.7:8080, /api/",
        "http://10.0.0.7:8080/x, /api/x",
        "HTTP://10.0.0.7:8080?q, /api/?q",
        "//10.0.0.7:8080/x, /api/x",
        "http://example.com:443/x, /api/x",
        "https://example.com/x, /api/x",
        "https://EXAMPLE.com:443/x, /api/x",
        "//example.com/x, /api/x",
        "http://10.0.0.7:8080//evil.example/x, /api//evil.example/x"
    })
    void placeOfTheUpstreamsOwnOriginGetsThePrefixBack(String value, String expected) {
        assertThat(locations("/api/", "/").location(value)).isEqualTo(expected);
        assertThat(locations("/api", "/").location(value)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://10.0.0.7:8080/x",
                "http://10.0.0.7/x",
                "http://10.0.0.7:8080@evil.example/x",
                "http://10.0.0.7:8080\\@evil.example/x",
                "http://10.0.0.7:8080.evil.example/x",
                "https://evil.example/?http://10.0.0.7:8080/x",
                "//evil.example/x",
                "/\\evil.example/x",
                "/\t/evil.example",
                "/x\t/evil.example",
                "http://10.0.0.7:8080/\t/evil.example",
                "/ /evil.example",
                "\t/x",
                "http://example.com/x",
                "ftp://10.0.0.7:8080/x",
                "mailto:a@10.0.0.7",
                "x/y",
                "../x",
                "?q",
                "#f",
                "",
                " ",
                "http:",
                "http:/x",
                "http://",
                "http:///x",
                "://10.0.0.7:8080/x",
                "http://[::1/x",
                "http://10.0.0.7:99999/x",
                "\u0000",
                "javascript://10.0.0.7:8080/%0aalert(1)"
            })
    void otherOriginsAndWhatCannotBeReadStay(String value) {
        assertThat(locations("/api/", "/").location(value)).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource({
        "/inner/x, /api/x",
        "/inner, /api",
        "/inner?q, /api?q",
        "/inner/, /api/",
        "/innerx, /innerx",
        "/x, /x",
        "/, /",
        "http://10.0.0.7:8080/inner/x, /api/x",
        "http://10.0.0.7:8080/x, http://10.0.0.7:8080/x"
    })
    void onlyWhatIsBelowTheReplacedPrefixIsTheRoutes(String value, String expected) {
        assertThat(locations("/api", "/inner").location(value)).isEqualTo(expected);
    }

    @Test
    void pathThatWouldStartWithTwoSlashesIsNoOtherOrigin() {
        Locations locations = locations("/", "/inner");
        assertThat(locations.location("/inner/x")).isEqualTo("/x");
        assertThat(locations.location("/inner")).isEqualTo("/");
        assertThat(locations.location("/inner//evil.example")).isEqualTo("/inner//evil.example");
        assertThat(locations.location("/inner/\\evil.example")).isEqualTo("/inner/\\evil.example");
        assertThat(locations("/dav/", "/").destination("/dav//evil.example/x"))
                .isEqualTo("http://Example.com:443//evil.example/x");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a=1; Path=/; Secure|a=1; Path=/api/; Secure",
                "a=1;path=/x|a=1;path=/api/x",
                "a=/; PATH = /x ;HttpOnly|a=/; PATH =/api/x;HttpOnly",
                "a=1; Path=/x; Path=/y|a=1; Path=/api/x; Path=/api/y",
                "a=1; Path=/a//b/%2F|a=1; Path=/api/a//b/%2F"
            })
    void pathOfACookieGetsThePrefixBack(String value, String expected) {
        assertThat(locations("/api/", "/").cookie(value)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ";",
                "a=1",
                "a=1; ",
                "path=/x",
                "a=1; Path",
                "a=1; Path=",
                "a=1; Path=x",
                "a=1; Path=\"/\"",
                "a=1; Domain=/; Pathx=/",
                "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                "__Host-a=1; Path=/; Secure",
                "__host-a=1; Path=/; Secure"
            })
    void cookieWithoutAPathThatCanChangeStays(String value) {
        assertThat(locations("/api/", "/").cookie(value)).isEqualTo(value);
    }

    @Test
    void cookieForAllOfTheUpstreamIsForAllOfTheRoute() {
        // a path that ends in a slash doesn't match the one without it (RFC 6265 section 5.1.4)
        assertThat(locations("/api", "/").cookie("a=1; Path=/")).isEqualTo("a=1; Path=/api");
        assertThat(locations("/api", "/inner").cookie("a=1; Path=/inner")).isEqualTo("a=1; Path=/api");
        assertThat(locations("/api", "/inner").cookie("a=1; Path=/")).isEqualTo("a=1; Path=/");
    }

    @ParameterizedTest
    @CsvSource({
        "https://example.com/dav/b%20c?q, http://Example.com:443/b%20c?q",
        "https://example.com:443/dav/, http://Example.com:443/",
        "/dav/b, /b",
        "/dav/x/../b, /x/../b",
        "//example.com:443/dav/b, http://Example.com:443/b"
    })
    void destinationIsThatOfTheRequestTheUpstreamGets(String value, String expected) {
        assertThat(locations("/dav/", "/").destination(value)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://evil.example/dav/b",
                "https://example.com@evil.example/dav/b",
                "https://example.com:444/dav/b",
                "http://10.0.0.7:8080/dav/b",
                "https://example.com/davx/b",
                "https://example.com/other/b",
                "/dav/../b",
                "/dav/%2e%2e/b",
                "/dav/..;/b",
                "/dav/..%2fb",
                "/dav/%00",
                "/dav/a\\b",
                "dav/b",
                "*",
                ""
            })
    void destinationElsewhereStays(String value) {
        assertThat(locations("/dav/", "/").destination(value)).isEqualTo(value);
    }

    @Test
    void destinationIsRewrittenAsThePathOfARequestIs() {
        Route route = Route.builder()
                .path("/dav")
                .replacePrefix("/users/alice")
                .rewritePath("\\.txt$", ".md")
                .rewriteLocations()
                .forward("http://10.0.0.7:8080")
                .build();
        Locations locations = new Locations(route, new WebOrigin("http", "a"), UPSTREAM, UPSTREAM);
        assertThat(locations.destination("http://a/dav/b.txt")).isEqualTo("http://10.0.0.7:8080/users/alice/b.md");
        assertThat(locations.destination("http://a/dav")).isEqualTo("http://10.0.0.7:8080/users/alice");
    }

    @Test
    void noInputThrows() {
        Locations locations = locations("/api/", "/");
        for (String whole : new String[] {
            "http://10.0.0.7:8080/x?q#f", "https://[::1]:443/api/%41/..;/", "a=1; Path=/x; Domain=a", "//a/\\b"
        }) {
            for (int i = 0; i <= whole.length(); i++) {
                for (char c : "/\\:;=?#%[]@. \u0000\u00fc".toCharArray()) {
                    String text = whole.substring(0, i) + c + whole.substring(Math.min(whole.length(), i + 1));
                    assertThatCode(() -> {
                                locations.location(text);
                                locations.cookie(text);
                                locations.destination(text);
                            })
                            .as(text)
                            .doesNotThrowAnyException();
                }
            }
        }
    }

    @Test
    void cookiesBeyondTheHundredthAreEachTheirOwn() {
        HeaderMap fields = new HeaderMap();
        for (int i = 0; i < 130; i++) {
            FieldLines.addOfResponse(
                    fields,
                    Headers.SET_COOKIE,
                    i == 120 ? "__Host-a=1; Path=/" : i == 110 ? "server=1" : "c" + i + "=1; Path=/");
        }
        locations("/api/", "/").rewrite(fields);
        List<String> lines = FieldLines.lines(fields.get(Headers.SET_COOKIE));
        assertThat(lines)
                .hasSize(130)
                .contains("c0=1; Path=/api/", "c129=1; Path=/api/", "__Host-a=1; Path=/")
                .doesNotContain("c119=1; Path=/");

        new SessionCookie("server", null, true).applyTo(fields);
        assertThat(FieldLines.lines(fields.get(Headers.SET_COOKIE)))
                .hasSize(129)
                .noneMatch(line -> line.startsWith("server"));
    }

    @Test
    void everyValueOfAFieldIsKept() {
        HeaderMap fields = new HeaderMap();
        fields.add(Headers.SET_COOKIE, "a=1; Path=/");
        fields.add(Headers.SET_COOKIE, "b=2");
        fields.add(Headers.SET_COOKIE, "c=3; Path=/x");
        fields.add(Headers.LOCATION, "/y");
        fields.add(Headers.LOCATION, "bad://");
        locations("/api/", "/").rewrite(fields);
        assertThat(fields.get(Headers.SET_COOKIE)).containsExactly("a=1; Path=/api/", "b=2", "c=3; Path=/api/x");
        assertThat(fields.get(Headers.LOCATION)).containsExactly("/api/y", "bad://");
    }
}
