package io.webproxy.undertow.http1;

import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.MethodNames;

/** How the body of a response is framed (RFC 9112 section 6). */
enum ResponseFraming {
    /** There is no body. */
    NOTHING,
    /** By Content-Length. */
    LENGTH,
    CHUNKS,
    /** By the end of the connection. */
    CLOSE;

    /** The Content-Length of a response; -1 if there is none, or it is invalid. */
    static long length(HttpServerExchange exchange) {
        String text = exchange.getResponseHeaders().getFirst(Headers.CONTENT_LENGTH);
        if (text == null) {
            return -1;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /**
     * Decides on the framing of a response, and adapts the fields of its head.
     *
     * @param length its {@linkplain #length Content-Length}
     */
    static ResponseFraming of(HttpServerExchange exchange, long length) {
        HeaderMap fields = exchange.getResponseHeaders();
        int status = exchange.getStatusCode();
        if (!Connectors.isEntityBodyAllowed(status)) {
            fields.remove(Headers.CONTENT_LENGTH);
            fields.remove(Headers.TRANSFER_ENCODING);
            if (status >= 200) {
                connection(exchange, fields);
            }
            return NOTHING;
        }
        ResponseFraming found;
        if (fields.contains(Headers.TRANSFER_ENCODING)) {
            fields.remove(Headers.CONTENT_LENGTH);
            found = CHUNKS;
        } else {
            found = length >= 0 ? LENGTH : exchange.isHttp11() ? CHUNKS : CLOSE;
        }
        if (found == CHUNKS) {
            if (exchange.isHttp11()) {
                fields.put(Headers.TRANSFER_ENCODING, "chunked");
            } else {
                fields.remove(Headers.TRANSFER_ENCODING);
                found = CLOSE;
            }
        }
        if (found == CLOSE) {
            exchange.setPersistent(false);
        }
        connection(exchange, fields);
        return MethodNames.isHead(exchange.getRequestMethod()) ? NOTHING : found;
    }

    /** Sets {@code Connection} according to whether the connection stays open (RFC 9112 section 9.3). */
    private static void connection(HttpServerExchange exchange, HeaderMap fields) {
        String said = fields.getFirst(Headers.CONNECTION);
        if (said != null && said.equalsIgnoreCase("close")) {
            exchange.setPersistent(false);
        }
        if (!exchange.isPersistent()) {
            fields.put(Headers.CONNECTION, "close");
        } else if (exchange.isHttp10()) {
            fields.put(Headers.CONNECTION, "keep-alive");
        }
    }
}
