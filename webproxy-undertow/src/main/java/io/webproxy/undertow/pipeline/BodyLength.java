package io.webproxy.undertow.pipeline;

import io.undertow.util.Headers;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;

/** Refuses a request whose {@code Content-Length} is above the limit; {@link RequestBody} counts bodies without one. */
final class BodyLength implements Stage {
    @Override
    public boolean pass(Passage passage) {
        Exchange exchange = passage.exchange();
        long limit = exchange.route()
                .access()
                .requestBodyBytes()
                .orElse(passage.settings().limits().requestBodyBytes());
        String length = exchange.http().getRequestHeaders().getFirst(Headers.CONTENT_LENGTH);
        if (limit > 0 && length != null && Long.parseLong(length) > limit) {
            LocalAnswer.reject(exchange, 413, "The request body is above " + limit + " bytes.");
            return false;
        }
        return true;
    }
}
