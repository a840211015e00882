package io.webproxy.undertow.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.exchange.RequestPath;
import io.webproxy.undertow.message.Authority;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestGuardTest {
    private final HttpServerExchange http = new HttpServerExchange(null)
            .setRequestMethod(new HttpString("GET"))
            .setProtocol(new HttpString("HTTP/1.1"))
            .setRequestURI("/");
    private boolean multiplexed;

    private RequestGuardTest with(String name, String value) {
        http.getRequestHeaders().add(new HttpString(name), value);
        return this;
    }

    private RequestGuardTest method(String method) {
        http.setRequestMethod(new HttpString(method));
        return this;
    }

    private RequestGuardTest over(String protocol) {
        http.setProtocol(new HttpString(protocol));
        multiplexed = protocol.startsWith("HTTP/2");
        return this;
    }

    /** The status of the refusal, 0 for none. */
    private int check() {
        return check(HttpLimits.defaults());
    }

    private int check(HttpLimits limits) {
        String raw = RequestPath.raw(http);
        String path = raw == null ? null : RequestPath.normalized(raw);
        RequestGuard.Refusal refusal = RequestGuard.check(http, path, limits, multiplexed, false);
        if (refusal != null) {
            assertThat(refusal.detail()).doesNotContain("evil").endsWith(".");
        }
        return refusal == null ? 0 : refusal.status();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "A.example.com",
                "a:80",
                "a:",
                "a:0",
                "a:65535",
                "127.0.0.1:8080",
                "[::1]",
                "[::1]:443",
                "[::ffff:1.2.3.4]:1",
                "my_service",
                "a.",
                "a%20b"
            })
    void authorityOfRfc3986IsTaken(String authority) {
        assertThat(Authority.isValid(authority)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "a b",
                " a",
                "a ",
                "a\t",
                "a/x",
                "a@b",
                "user:secret@a",
                "a:99999",
                "a:65536",
                "a:123456",
                "a:x",
                "a:-1",
                "a:+1",
                "a:80:80",
                ":80",
                ":",
                "a?b",
                "a#b",
                "a\\b",
                "a\"b",
                "<a>",
                "{a}",
                "a|b",
                "a^b",
                "a`b",
                "[::1",
                "::1",
                "::1]",
                "[]",
                "[a]b",
                "[::1]x",
                "[::1]80",
                "[::1]:99999",
                "[::1%eth0]",
                "[g::]",
                "a%",
                "a%4",
                "a%zz",
                "a\r\nb",
                "a\0",
                "\u00e4",
                "http://a"
            })
    void hostThatTwoServersCouldReadInTwoWaysIsRefused(String authority) {
        assertThat(Authority.isValid(authority)).isFalse();
        assertThat(with("Host", authority).check()).isEqualTo(400);
    }

    @Test
    void longHostIsAnsweredWithoutAnException() {
        assertThat(Authority.isValid("a".repeat(30_000))).isTrue();
        assertThat(Authority.isValid("[" + ":".repeat(30_000))).isFalse();
    }

    @Test
    void ordinaryRequestPasses() {
        assertThat(with("Host", "example.com").with("Accept", "*/*").check()).isZero();
    }

    @Test
    void requestWithoutHostIsRefusedUnlessItIsHttp10() {
        assertThat(check()).isEqualTo(400);
        assertThat(over("HTTP/1.0").check()).isZero();
    }

    @Test
    void secondHostIsRefusedEvenIfItIsTheSame() {
        assertThat(with("Host", "a").with("Host", "a").check()).isEqualTo(400);
        assertThat(over("HTTP/1.0").check()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource({
        "http://a/, a, 0",
        "http://A/, a, 0",
        "http://a:80/x, a:80, 0",
        "http://a, a, 0",
        "http://evil/, a, 400",
        "http://a:80/, a, 400",
        "http://a@evil/, a, 400",
        "http://a.evil/, a, 400"
    })
    void absoluteFormCannotNameAnotherHostThanHost(String uri, String host, int status) {
        http.setRequestURI(uri, true);
        assertThat(with("Host", host).check()).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a/../../b", "/%00", "/a\\b", "/%zz", "/\u00e4", "evil", "*"})
    void ambiguousTargetIsRefused(String uri) {
        http.setRequestURI(uri);
        assertThat(with("Host", "a").check()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "+1 | 400",
                "-1 | 400",
                "0x1 | 400",
                "'' | 400",
                "1,1 | 400",
                "1 1 | 400",
                "9223372036854775808 | 400",
                "99999999999999999999999 | 400",
                "0 | 0",
                "17 | 0",
                "999999999999999999 | 0"
            })
    void contentLengthIsOnePlainNumber(String value, int status) {
        over("HTTP/2.0");
        assertThat(with("Host", "a").with("Content-Length", value).check()).isEqualTo(status);
    }

    @Test
    void contentLengthTwiceIsRefusedEvenIfItIsTheSame() {
        with("Host", "a").with("Content-Length", "5").with("Content-Length", "5");
        assertThat(over("HTTP/2.0").check()).isEqualTo(400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Transfer-Encoding", "Upgrade", "Proxy-Connection", "Keep-Alive"})
    void fieldOfHttp1IsRefusedOverHttp2(String name) {
        assertThat(over("HTTP/2.0").with("Host", "a").with(name, "x").check()).isEqualTo(400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nX-Evil: b", "a\nb", "a\rb", "a\0b", "a\u007f", "\u0001", "a\u010ab"})
    void valueThatWouldSplitTheRequestIsRefusedOverHttp2(String value) {
        with("Host", "a").with("X-A", value);
        assertThat(over("HTTP/2.0").check()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource({"TRACE, 405", "CONNECT, 405", "GET, 0", "PURGE, 0", "trace, 0"})
    void traceAndConnectAreNotAllowed(String method, int status) {
        assertThat(method(method).with("Host", "a").check()).isEqualTo(status);
    }

    @ParameterizedTest
    @CsvSource({"100-continue, 0", "100-Continue, 0", "200-ok, 417", "'', 417", "'100-continue, x', 417"})
    void unknownExpectationFails(String value, int status) {
        assertThat(with("Host", "a").with("Expect", value).check()).isEqualTo(status);
    }

    @ParameterizedTest
    @CsvSource({"13, 0", "8, 426", "'', 426", "'13, 8', 426"})
    void webSocketOfAnotherVersionIsToldSo(String version, int status) {
        with("Host", "a").with("Upgrade", "websocket").with("Connection", "Upgrade");
        assertThat(with("Sec-WebSocket-Version", version).check()).isEqualTo(status);
    }

    @Test
    void webSocketOfTwoVersionsIsToldWhichOneIsUnderstood() {
        with("Host", "a").with("Upgrade", "websocket").with("Connection", "Upgrade");
        with("Sec-WebSocket-Version", "13").with("Sec-WebSocket-Version", "8");
        RequestGuard.Refusal refusal = RequestGuard.check(http, "/", HttpLimits.defaults(), false, false);
        assertThat(refusal).isNotNull();
        assertThat(refusal.status()).isEqualTo(426);
        assertThat(refusal.fields().get("Sec-WebSocket-Version")).containsExactly("13");
        assertThat(refusal.fields().get("Upgrade")).containsExactly("websocket");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "../", "%41"})
    void longTargetIsMeasuredAsItCame(String piece) {
        http.setRequestURI("/" + piece.repeat(17_000));
        assertThat(with("Host", "a").check()).isEqualTo(414);
    }

    @Test
    void limitsAreExact() {
        HttpLimits limits =
                HttpLimits.defaults().withFields(10).withRequestHeadBytes(1024).withRequestTargetBytes(64);
        with("Host", "a");
        for (int i = 0; i < 9; i++) {
            with("X-" + i, "");
        }
        http.setRequestURI("/" + "x".repeat(63));
        assertThat(check(limits)).isZero();
        http.setRequestURI("/" + "x".repeat(64));
        assertThat(check(limits)).isEqualTo(414);
        http.setRequestURI("/");
        http.setQueryString("x".repeat(63));
        assertThat(check(limits)).isEqualTo(414);
        http.setQueryString("");
        assertThat(over("HTTP/2.0").check(limits)).isZero();
        assertThat(with("X-0", "").check(limits)).isEqualTo(431);
    }

    @Test
    void headAboveItsLimitIsRefused() {
        HttpLimits limits = HttpLimits.defaults().withRequestHeadBytes(1024);
        over("HTTP/2.0");
        assertThat(with("Host", "a").with("X-A", "x".repeat(900)).check(limits)).isZero();
        assertThat(with("X-B", "x".repeat(200)).check(limits)).isEqualTo(431);
    }
}
