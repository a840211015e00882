package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSinkChannel;

/** Sends interim responses through Undertow's HTTP/2, which knows only 100. */
final class OutOfBand {
    private OutOfBand() {}

    static void send(HttpServerExchange http, int status, String reason, HeaderMap fields) throws IOException {
        StreamSinkChannel channel = open(http, status, reason, fields).getResponseChannel();
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

    /** Undertow opens an answer beside the real one only for a request that expects 100: for the moment, this one does. */
    private static HttpServerExchange open(HttpServerExchange http, int status, String reason, HeaderMap fields) {
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
        beside.setStatusCode(status);
        if (!reason.isEmpty()) {
            beside.setReasonPhrase(reason);
        }
        for (HeaderValues values : fields) {
            beside.getResponseHeaders().putAll(values.getHeaderName(), values);
        }
        return beside;
    }
}
