package io.webproxy.undertow.http2;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * Sets method, target and version of an exchange as an HTTP/1.1 request line would; a WebSocket request becomes the
 * HTTP/1.1 handshake (RFC 8441 section 5).
 */
final class RequestLines {
    private static final HttpString KEY = new HttpString("Sec-WebSocket-Key");
    private static final int KEY_BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    private RequestLines() {}

    static void set(HttpServerExchange http, RequestFields head) {
        String target = head.path();
        int query = target.indexOf('?');
        String path = query < 0 ? target : target.substring(0, query);
        http.setRequestURI(path);
        http.setRequestPath(path);
        http.setRelativePath(path);
        // Undertow 2.4.4 strips one leading question mark; canary: UndertowDefectsTest.emptyQueryIsNone
        boolean doubled = target.startsWith("??", Math.max(query, 0));
        http.setQueryString(query < 0 ? "" : target.substring(doubled ? query : query + 1));
        String protocol = head.protocol();
        if (protocol == null) {
            http.setRequestMethod(Methods.fromString(head.method()));
            return;
        }
        http.setRequestMethod(Methods.GET);
        HeaderMap fields = http.getRequestHeaders();
        fields.put(Headers.UPGRADE, protocol);
        fields.put(Headers.CONNECTION, "Upgrade");
        byte[] key = new byte[KEY_BYTES];
        RANDOM.nextBytes(key);
        fields.put(KEY, Base64.getEncoder().encodeToString(key));
    }
}
