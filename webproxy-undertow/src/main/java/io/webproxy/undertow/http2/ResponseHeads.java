package io.webproxy.undertow.http2;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import io.webproxy.undertow.message.Grpc;
import io.webproxy.undertow.message.HttpDate;

/**
 * Encodes the field blocks of responses (RFC 9113 section 8.3.2) with a connection's encoder. Each block has to be
 * sent, in order. Not thread-safe.
 */
final class ResponseHeads {
    private static final HttpString ACCEPT = new HttpString("Sec-WebSocket-Accept");

    private final HpackEncoder encoder;

    ResponseHeads(HpackEncoder encoder) {
        this.encoder = encoder;
    }

    /** The final head of an exchange; an upgrade is translated by RFC 8441 section 5. */
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
        encoder.fields(fields);
    }

    /** The head of a trailers-only response to a gRPC call. */
    void callEnd(HeaderMap fields) {
        fields.put(Headers.CONTENT_TYPE, Grpc.TYPE);
        fields.put(Headers.DATE, HttpDate.now());
        encode(StatusCodes.OK, fields);
    }

    /** The head of a refusal, which consists of the status alone. */
    void refusal(int status) {
        encoder.start();
        encoder.status(status);
        encoder.field(Headers.DATE, HttpDate.now());
    }
}
