package io.webproxy.undertow.http2;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import io.webproxy.undertow.message.HttpDate;
import java.util.Set;

/** Makes field blocks of responses (RFC 9113 section 8.3.2) and trailers. Each has to be sent, in the order in which they are made. Not thread-safe. */
final class ResponseHeads {
    /** What is for a connection of HTTP/1.1 only (RFC 9113 section 8.2.2). */
    private static final Set<HttpString> OF_ONE_CONNECTION = Set.of(
            Headers.CONNECTION,
            Headers.TRANSFER_ENCODING,
            Headers.UPGRADE,
            new HttpString("Keep-Alive"),
            new HttpString("Proxy-Connection"));

    private static final HttpString ACCEPT = new HttpString("Sec-WebSocket-Accept");

    private final HpackEncoder encoder = new HpackEncoder();

    /** The client's limit of the table. */
    void tableLimit(int bytes) {
        encoder.tableLimit(bytes);
    }

    /** The final head of an exchange; an upgrade becomes what RFC 8441 section 5 makes of it. */
    void encode(HttpServerExchange http) {
        int status = http.getStatusCode();
        if (status == StatusCodes.SWITCHING_PROTOCOLS) {
            http.getResponseHeaders().remove(ACCEPT);
            status = StatusCodes.OK;
        }
        encode(status, http.getResponseHeaders());
    }

    /** A head. */
    void encode(int status, HeaderMap fields) {
        encoder.start();
        encoder.status(status);
        fields(fields);
    }

    /** A trailer section. */
    void encode(HeaderMap trailers) {
        encoder.start();
        fields(trailers);
    }

    /** The head of a refusal that has nothing else to say. */
    void refusal(int status) {
        encoder.start();
        encoder.status(status);
        encoder.field(Headers.DATE, HttpDate.now());
    }

    private void fields(HeaderMap fields) {
        for (long i = fields.fastIterateNonEmpty(); i != -1; i = fields.fiNextNonEmpty(i)) {
            HeaderValues values = fields.fiCurrent(i);
            HttpString name = values.getHeaderName();
            if (!OF_ONE_CONNECTION.contains(name)) {
                for (int v = 0; v < values.size(); v++) {
                    encoder.field(name, values.get(v));
                }
            }
        }
    }

    byte[] bytes() {
        return encoder.bytes();
    }

    int length() {
        return encoder.length();
    }
}
