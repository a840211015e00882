package io.webproxy.undertow.exchange;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.http.RequestHead;
import io.webproxy.spi.ExchangeData;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes the records of exchanges, and knows which request fields they show. */
final class ExchangeRecords {
    private static final Set<HttpString> SHOWN =
            Set.of(Headers.HOST, Headers.USER_AGENT, Headers.REFERER, TraceFields.PARENT, TraceFields.STATE);

    private ExchangeRecords() {}

    /** The record until now, with this status. */
    static ExchangeData of(Exchange exchange, int status) {
        RequestHead head = exchange.head();
        HeaderMap fields = exchange.http().getRequestHeaders();
        ExchangeLimits limits = exchange.limits();
        ChosenUpstream upstream = exchange.upstream();
        GrpcCall grpc = exchange.grpc();
        RequestPlan plan = exchange.planIfRouted();
        return new ExchangeData(
                exchange.requestId(),
                exchange.startTime(),
                head.clientAddress(),
                exchange.user(),
                exchange.peer().identity().certificate(),
                head.method(),
                head.scheme(),
                head.authority(),
                head.path(),
                head.query(),
                head.protocol(),
                plan == null ? null : plan.route().name(),
                upstream.name(),
                upstream.protocol(),
                status,
                exchange.isProxyAnswered(),
                limits.startClass(),
                limits.timeoutClass(),
                exchange.bytesIn(),
                exchange.bytesOut(),
                upstream.attempts(),
                Duration.ofNanos(upstream.connect()),
                exchange.firstByte() < 0 ? null : Duration.ofNanos(exchange.firstByte()),
                Duration.ofNanos(exchange.age()),
                exchange.error(),
                grpc == null ? null : grpc.status(),
                fields.getFirst(Headers.USER_AGENT),
                fields.getFirst(Headers.REFERER),
                TraceFields.of(fields, TraceFields.PARENT),
                TraceFields.of(fields, TraceFields.STATE),
                plan == null ? Map.of() : plan.tags());
    }

    /** Frees all fields of an exchange but those that its record shows. */
    static void forgetOtherFields(HttpServerExchange http) {
        HeaderMap fields = http.getRequestHeaders();
        for (HttpString name : List.copyOf(fields.getHeaderNames())) {
            if (!SHOWN.contains(name)) {
                fields.remove(name);
            }
        }
        http.getResponseHeaders().clear();
    }
}
