package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.message.Authority;
import io.webproxy.undertow.message.ContentLength;
import io.webproxy.undertow.message.FieldParser;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Refuses requests that two servers could interpret differently. Pure. */
final class RequestGuard {
    private static final HttpString WEBSOCKET_VERSION = new HttpString("Sec-WebSocket-Version");
    private static final HttpString PROXY_CONNECTION = new HttpString("Proxy-Connection");
    private static final HttpString KEEP_ALIVE = new HttpString("Keep-Alive");
    /** The methods in {@code Allow}, which most resources have; all but TRACE and CONNECT are forwarded. */
    static final String ALLOWED = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    /**
     * Why a request is refused.
     *
     * @param status of the answer
     * @param detail one sentence that repeats nothing of the request
     * @param fields of the answer, in addition to the usual ones
     */
    record Refusal(int status, String detail, Map<String, List<String>> fields) {
        Refusal(int status, String detail) {
            this(status, detail, Map.of());
        }
    }

    private RequestGuard() {}

    /**
     * Checks a request head.
     *
     * @param path the raw path, or null if it has none that can be routed
     * @param multiplexed whether it came over HTTP/2
     * @param tunnel whether it was an extended CONNECT, which was translated to the HTTP/1.1 handshake
     * @return why it is refused, or null if it is accepted
     */
    static @Nullable Refusal check(
            HttpServerExchange http, @Nullable String path, HttpLimits limits, boolean multiplexed, boolean tunnel) {
        // for HTTP/1.1 the parser has checked fields and framing already
        Refusal refusal = multiplexed ? fields(http.getRequestHeaders(), limits, !tunnel) : null;
        if (refusal == null) {
            refusal = target(http, path, limits);
        }
        if (refusal == null && multiplexed) {
            refusal = framing(http);
        }
        if (refusal == null && tunnel && !http.getRequestHeaders().contains(WEBSOCKET_VERSION)) {
            // RFC 8441 section 5, RFC 6455 section 4.2.1: the handshake has to name one
            refusal = new Refusal(
                    400,
                    "A WebSocket handshake needs Sec-WebSocket-Version.",
                    Map.of("Sec-WebSocket-Version", List.of("13")));
        }
        return refusal == null ? method(http, multiplexed && !tunnel) : refusal;
    }

    private static @Nullable Refusal fields(HeaderMap fields, HttpLimits limits, boolean ofHttp2) {
        int count = 0;
        int bytes = 0;
        for (long i = fields.fastIterateNonEmpty(); i != -1; i = fields.fiNextNonEmpty(i)) {
            HeaderValues values = fields.fiCurrent(i);
            count += values.size();
            for (int v = 0; v < values.size(); v++) {
                String value = values.get(v);
                bytes += values.getHeaderName().length() + value.length() + 4;
                if (!FieldParser.isValue(value)) {
                    return new Refusal(400, "A field value has a control character.");
                }
            }
        }
        if (count > limits.fields()) {
            return new Refusal(431, "The request has more than " + limits.fields() + " fields.");
        }
        if (bytes > limits.requestHeadBytes()) {
            return new Refusal(431, "The request head is above " + limits.requestHeadBytes() + " bytes.");
        }
        if (ofHttp2
                && (fields.contains(Headers.TRANSFER_ENCODING)
                        || fields.contains(Headers.UPGRADE)
                        || fields.contains(PROXY_CONNECTION)
                        || fields.contains(KEEP_ALIVE))) {
            return new Refusal(400, "A field belongs to HTTP/1.1 only.");
        }
        return null;
    }

    private static @Nullable Refusal target(HttpServerExchange http, @Nullable String path, HttpLimits limits) {
        int query = http.getQueryString().length();
        if (http.getRequestURI().length() + (query == 0 ? 0 : query + 1) > limits.requestTargetBytes()) {
            return new Refusal(414, "The request target is above " + limits.requestTargetBytes() + " bytes.");
        }
        if (path == null) {
            return new Refusal(400, "The request target is ambiguous or malformed.");
        }
        HeaderValues hosts = http.getRequestHeaders().get(Headers.HOST);
        String host = hosts == null ? null : hosts.getFirst();
        if (host == null ? !http.isHttp10() : hosts.size() != 1 || !Authority.isValid(host)) {
            return new Refusal(400, "The request has no valid Host.");
        }
        if (http.isHostIncludedInRequestURI()
                && !Authority.of(http.getRequestURI()).equalsIgnoreCase(String.valueOf(host))) {
            return new Refusal(400, "The request target names another host than Host.");
        }
        return null;
    }

    private static @Nullable Refusal framing(HttpServerExchange http) {
        HeaderValues lengths = http.getRequestHeaders().get(Headers.CONTENT_LENGTH);
        if (lengths == null) {
            return null;
        }
        if (lengths.size() != 1 || ContentLength.parse(lengths.getFirst()) < 0) {
            return new Refusal(400, "Content-Length isn't one number.");
        }
        return http.isRequestComplete() && Long.parseLong(lengths.getFirst()) != 0
                ? new Refusal(400, "The request body is shorter than its Content-Length.")
                : null;
    }

    private static @Nullable Refusal method(HttpServerExchange http, boolean multiplexed) {
        String method = http.getRequestMethod().toString();
        if (method.equals("TRACE") || method.equals("CONNECT")) {
            // RFC 9110 section 15.5.6
            return new Refusal(405, "This method isn't allowed.", Map.of("Allow", List.of(ALLOWED)));
        }
        HeaderMap fields = http.getRequestHeaders();
        HeaderValues expect = fields.get(Headers.EXPECT);
        if (expect != null && !expect.stream().allMatch(value -> value.equalsIgnoreCase("100-continue"))) {
            return new Refusal(417, "Only Expect: 100-continue is understood.");
        }
        if (!multiplexed && fields.contains(WEBSOCKET_VERSION) && fields.contains(Headers.UPGRADE)) {
            HeaderValues versions = fields.get(WEBSOCKET_VERSION);
            if (versions.size() != 1 || !versions.getFirst().equals("13")) {
                // what would be accepted
                return new Refusal(
                        426,
                        "Only WebSocket version 13 is understood.",
                        Map.of("Upgrade", List.of("websocket"), "Sec-WebSocket-Version", List.of("13")));
            }
        }
        return null;
    }
}
