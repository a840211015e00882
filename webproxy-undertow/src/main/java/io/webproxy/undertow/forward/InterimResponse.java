package io.webproxy.undertow.forward;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.upstream.ParsedHead;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSinkChannel;

/** Relays interim responses (RFC 9110 section 15.2, RFC 8297) to the client. */
final class InterimResponse {
    private InterimResponse() {}

    /**
     * Sends one, if this client can take it: not to HTTP/1.0, 100 only to who expects it.
     *
     * @throws IOException if the client has gone
     */
    static void send(HttpServerExchange http, ParsedHead head, boolean multiplexed) throws IOException {
        if (http.isHttp10() || http.isResponseStarted() || (head.status() == 100 && !isContinueExpected(http))) {
            return;
        }
        StreamSinkChannel channel = open(http, head).getResponseChannel();
        if (!multiplexed) {
            channel.shutdownWrites();
        }
        if (!channel.flush()) {
            channel.getWriteSetter().set(ready -> {
                try {
                    if (channel.flush()) {
                        channel.suspendWrites();
                    }
                } catch (IOException e) {
                    channel.suspendWrites();
                }
            });
            channel.resumeWrites();
        }
    }

    /** Whether the client waits for a 100 before it sends its body, or for a while (RFC 9110 section 10.1.1). */
    static boolean isContinueExpected(HttpServerExchange http) {
        return FieldRules.hasToken(http.getRequestHeaders(), Headers.EXPECT, "100-continue");
    }

    /** Undertow opens an answer beside the real one only for a request that expects 100: for the moment, this one does. */
    private static HttpServerExchange open(HttpServerExchange http, ParsedHead head) {
        HeaderMap request = http.getRequestHeaders();
        HeaderValues expect = request.get(Headers.EXPECT);
        @Nullable List<String> before = expect == null ? null : List.copyOf(expect);
        request.put(Headers.EXPECT, "100-continue");
        HttpServerExchange beside;
        try {
            beside = http.getConnection().sendOutOfBandResponse(http);
        } finally {
            request.remove(Headers.EXPECT);
            if (before != null) {
                request.putAll(Headers.EXPECT, before);
            }
        }
        beside.setStatusCode(head.status());
        if (!head.reason().isEmpty()) {
            beside.setReasonPhrase(head.reason());
        }
        FieldRules.stripHopByHop(head.fields());
        head.fields().remove(Headers.CONTENT_LENGTH);
        for (HeaderValues values : head.fields()) {
            beside.getResponseHeaders().putAll(values.getHeaderName(), values);
        }
        return beside;
    }
}
