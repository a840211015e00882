package io.webproxy.undertow.forward;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.message.MethodNames;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.UpstreamStream;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The protocol that a request may switch its connection to (RFC 9110 section 7.8): a WebSocket, or one that its route
 * allows by name.
 *
 * @param protocol as the request names it
 */
record Upgrade(String protocol, boolean isWebSocket) {
    private static final String WEB_SOCKET_NAME = "websocket";
    private static final Upgrade WEB_SOCKET = new Upgrade(WEB_SOCKET_NAME, true);

    /**
     * The upgrade that a request asks for; null for none. A request may name one protocol only, except for WebSockets.
     */
    static @Nullable Upgrade of(Exchange exchange) {
        HttpServerExchange http = exchange.http();
        HeaderMap fields = http.getRequestHeaders();
        HeaderValues named = fields.get(Headers.UPGRADE);
        if (named == null || http.isHttp10() || !FieldRules.hasToken(fields, Headers.CONNECTION, "upgrade")) {
            return null;
        }
        if (isWebSocket(http)) {
            return WEB_SOCKET;
        }
        Set<String> allowed = exchange.route().upgrades();
        // HTTP/2 has no upgrades but extended CONNECT (RFC 9113 section 8.6), and a preflight may not be authenticated
        if (allowed.isEmpty()
                || named.size() != 1
                || exchange.client().isMultiplexed()
                || http.getRequestMethod().equals(Methods.OPTIONS)) {
            return null;
        }
        String only = named.getFirst().strip();
        return allowed.contains(only.toLowerCase(Locale.ROOT)) ? new Upgrade(only, false) : null;
    }

    /**
     * Whether a request is the opening handshake of a WebSocket (RFC 6455 section 4.1), which includes translated
     * extended CONNECTs (RFC 8441).
     */
    private static boolean isWebSocket(HttpServerExchange http) {
        return http.isRequestComplete()
                && MethodNames.is(http.getRequestMethod(), "GET")
                && FieldRules.hasToken(http.getRequestHeaders(), Headers.UPGRADE, WEB_SOCKET_NAME);
    }

    /**
     * Whether a 101 answers the request: it must switch to this protocol and no other, after the whole request. An
     * HTTP/2 client sends no key, so only the proxy can check the answer to its own key (RFC 8441 section 5).
     */
    boolean isAnsweredBy(ParsedHead answer, UpstreamStream from, Exchange exchange) {
        if (!answer.isUpgrade() || !from.isRequestSent()) {
            return false;
        }
        HeaderMap fields = answer.fields();
        if (isWebSocket) {
            return FieldRules.hasToken(fields, Headers.UPGRADE, WEB_SOCKET_NAME)
                    && (from.isHttp2()
                            || !exchange.client().isTunnelRequest()
                            || WebSocketAccept.isAnswer(exchange.http().getRequestHeaders(), fields));
        }
        HeaderValues named = fields.get(Headers.UPGRADE);
        // a length would contradict the tunnel (RFC 9110 section 8.6, RFC 9112 section 6.1)
        return named != null
                && named.size() == 1
                && named.getFirst().strip().equalsIgnoreCase(protocol)
                && !fields.contains(Headers.CONTENT_LENGTH)
                && !fields.contains(Headers.TRANSFER_ENCODING);
    }
}
