package io.webproxy.undertow.pipeline;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.message.FieldParser;
import java.util.List;

/** Recognises CORS preflights (WHATWG Fetch section 4.8). Pure. */
final class CorsPreflight {
    private static final HttpString ORIGIN = new HttpString("Origin");
    private static final HttpString REQUEST_METHOD = new HttpString("Access-Control-Request-Method");

    /** Fields by which frameworks override a request's method; browsers never add them to a preflight. */
    private static final List<HttpString> OTHER_METHOD = List.of(
            new HttpString("X-HTTP-Method-Override"),
            new HttpString("X-HTTP-Method"),
            new HttpString("X-Method-Override"));

    /** A preflight has none of them (Fetch section 4.8). */
    private static final List<HttpString> CREDENTIALS =
            List.of(Headers.AUTHORIZATION, Headers.PROXY_AUTHORIZATION, Headers.COOKIE);

    private CorsPreflight() {}

    /** Whether a request is a preflight and nothing else. */
    static boolean isOne(Exchange exchange) {
        return exchange.head().method().equals("OPTIONS")
                && exchange.head().path().startsWith("/")
                && exchange.http().isRequestComplete()
                && isOne(exchange.http().getRequestHeaders());
    }

    private static boolean isOne(HeaderMap fields) {
        HeaderValues origin = fields.get(ORIGIN);
        HeaderValues method = fields.get(REQUEST_METHOD);
        return origin != null
                && origin.size() == 1
                && !origin.getFirst().isBlank()
                && method != null
                && method.size() == 1
                && FieldParser.isToken(method.getFirst())
                && OTHER_METHOD.stream().noneMatch(fields::contains)
                && CREDENTIALS.stream().noneMatch(fields::contains);
    }
}
