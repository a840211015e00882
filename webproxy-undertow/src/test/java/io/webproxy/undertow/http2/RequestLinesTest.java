package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestLinesTest {
    private static HttpServerExchange set(String... fields) {
        RequestFields block = new RequestFields(32_768, 200);
        for (int i = 0; i < fields.length; i += 2) {
            block.field(new HttpString(fields[i]), fields[i + 1]);
        }
        HeaderMap request = block.request();
        assertThat(request).isNotNull();
        HttpServerExchange http = new HttpServerExchange(null, request, new HeaderMap(), -1);
        RequestLines.set(http, block);
        return http;
    }

    @ParameterizedTest
    @CsvSource({
        "/, /, ''",
        "/a/b, /a/b, ''",
        "/a?, /a, ''",
        "/a?b=c, /a, b=c",
        "/a?b?c, /a, b?c",
        "/a%20b;x=1?y=%zz, /a%20b;x=1, y=%zz",
        "/a|b?c|d, /a|b, c|d",
    })
    void targetIsPartedAtTheFirstQuestionMark(String target, String path, String query) {
        HttpServerExchange http = set(":method", "GET", ":scheme", "https", ":path", target, ":authority", "localhost");
        assertThat(http.getRequestURI()).isEqualTo(path);
        assertThat(http.getRequestPath()).isEqualTo(path);
        assertThat(http.getRelativePath()).isEqualTo(path);
        assertThat(http.getQueryString()).isEqualTo(query);
    }

    @Test
    void queryKeepsAQuestionMarkInFront() {
        HttpServerExchange http =
                set(":method", "GET", ":scheme", "https", ":path", "/a??b", ":authority", "localhost");
        assertThat(http.getRequestURI()).isEqualTo("/a");
        assertThat(http.getQueryString()).isEqualTo("?b");
    }

    @ParameterizedTest
    @CsvSource({"GET", "PROPFIND", "M-SEARCH", "X"})
    void methodIsWhatTheClientSays(String method) {
        HttpServerExchange http = set(":method", method, ":scheme", "https", ":path", "/", ":authority", "localhost");
        assertThat(http.getRequestMethod().toString()).isEqualTo(method);
        assertThat(http.getRequestHeaders().contains(Headers.UPGRADE)).isFalse();
    }

    @Test
    void extendedConnectBecomesAHandshakeWithAKeyOfItsOwn() {
        String[] fields = {
            ":method",
            "CONNECT",
            ":protocol",
            "websocket",
            ":scheme",
            "https",
            ":path",
            "/ws?a",
            ":authority",
            "localhost",
            "sec-websocket-version",
            "13",
            "sec-websocket-key",
            "the client's"
        };
        HttpServerExchange http = set(fields);
        assertThat(http.getRequestMethod().toString()).isEqualTo("GET");
        assertThat(http.getRequestURI()).isEqualTo("/ws");
        assertThat(http.getQueryString()).isEqualTo("a");
        HeaderMap request = http.getRequestHeaders();
        assertThat(request.get(Headers.UPGRADE)).containsExactly("websocket");
        assertThat(request.get(Headers.CONNECTION)).containsExactly("Upgrade");
        assertThat(request.get("Sec-WebSocket-Key")).hasSize(1);
        String key = request.getFirst("Sec-WebSocket-Key");
        assertThat(Base64.getDecoder().decode(key)).hasSize(16);
        assertThat(set(fields).getRequestHeaders().getFirst("Sec-WebSocket-Key"))
                .isNotEqualTo(key);
    }
}
