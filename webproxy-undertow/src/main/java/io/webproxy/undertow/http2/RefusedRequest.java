package io.webproxy.undertow.http2;

import io.undertow.util.HeaderMap;
import io.webproxy.observe.ForwardError;
import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.undertow.exchange.RequestIds;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** Makes the record of a malformed HTTP/2 request, which never becomes an exchange. */
final class RefusedRequest {
    private RefusedRequest() {}

    /** The known parts of the request; malformed ones are left out. */
    static ExchangeData record(Http2ClientSide client, RequestFields head) {
        String target = head.path();
        int query = target.indexOf('?');
        return new ExchangeData(
                RequestIds.of(new HeaderMap(), false),
                Instant.now(),
                client.origin().client().getAddress(),
                null,
                null,
                head.method(),
                client.scheme(),
                head.authority(),
                query < 0 ? target : target.substring(0, query),
                query < 0 ? "" : target.substring(query + 1),
                "HTTP/2.0",
                null,
                null,
                null,
                400,
                true,
                TimeoutClass.DEFAULT,
                TimeoutClass.DEFAULT,
                0,
                0,
                0,
                Duration.ZERO,
                null,
                Duration.ZERO,
                ForwardError.REQUEST_REJECTED,
                null,
                null,
                null,
                null,
                null,
                Map.of());
    }
}
