package io.webproxy.undertow.forward;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.upstream.ParsedHead;
import java.io.IOException;

/** Relays interim responses (RFC 9110 section 15.2, RFC 8297) to the client. */
final class InterimResponse {
    private InterimResponse() {}

    /**
     * Sends one if the client supports it: never to HTTP/1.0, and 100 only to a client that expects it.
     *
     * @throws IOException if the client has gone
     */
    static void send(Exchange exchange, ParsedHead head) throws IOException {
        HttpServerExchange http = exchange.http();
        if (http.isHttp10() || http.isResponseStarted() || (head.status() == 100 && !isContinueExpected(http))) {
            return;
        }
        FieldRules.stripHopByHop(head.fields());
        head.fields().remove(Headers.CONTENT_LENGTH);
        ClientHead.dropAltSvc(exchange, head.fields());
        exchange.client().interim(head.status(), head.reason(), head.fields());
    }

    /** Whether the client waits for a 100 before it sends its body, at least for a while (RFC 9110 section 10.1.1). */
    static boolean isContinueExpected(HttpServerExchange http) {
        return FieldRules.hasToken(http.getRequestHeaders(), Headers.EXPECT, "100-continue");
    }
}
