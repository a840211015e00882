package io.webproxy.samples;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a server span of each exchange, named and described by OpenTelemetry's semantic conventions for HTTP. Give it
 * to {@code ProxyServer.builder().observer(…)}: an exporter that batches spans doesn't block the IO thread.
 *
 * <p>The span is made when the exchange has ended, as a child of the client's span. The upstream gets the client's
 * {@code traceparent} as it came, so that its spans are beside this one, not below it.
 */
public final class TracingObserver implements ProxyObserver {
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT");
    private static final int LEAST_FAILURE = 500;

    private final Tracer tracer;
    private final TextMapPropagator propagator;

    /** For an SDK that the application has configured, with the propagator of W3C Trace Context. */
    public TracingObserver(OpenTelemetry telemetry) {
        this.tracer = telemetry.getTracer("io.webproxy");
        this.propagator = telemetry.getPropagators().getTextMapPropagator();
    }

    @Override
    public void exchangeEnded(ExchangeRecord exchange) {
        boolean known = METHODS.contains(exchange.method());
        String method = known ? exchange.method() : "HTTP";
        SpanBuilder builder = tracer.spanBuilder(
                        exchange.route().map(route -> method + " " + route).orElse(method))
                .setSpanKind(SpanKind.SERVER)
                .setParent(propagator.extract(Context.root(), exchange, Fields.OF_A_RECORD))
                .setStartTimestamp(exchange.start())
                .setAttribute("http.request.method", known ? exchange.method() : "_OTHER")
                .setAttribute("url.scheme", exchange.scheme())
                .setAttribute("url.path", exchange.path())
                .setAttribute("http.response.status_code", (long) exchange.status())
                .setAttribute("network.protocol.name", "http")
                .setAttribute("network.protocol.version", version(exchange.protocol()))
                .setAttribute("client.address", exchange.client().getHostAddress())
                .setAttribute("webproxy.request_id", exchange.requestId());
        if (!known) {
            builder.setAttribute("http.request.method_original", exchange.method());
        }
        server(builder, exchange);
        exchange.route().ifPresent(route -> builder.setAttribute("http.route", route));
        exchange.userAgent().ifPresent(agent -> builder.setAttribute("user_agent.original", agent));
        exchange.upstream().ifPresent(upstream -> builder.setAttribute("webproxy.upstream", upstream));
        Span span = builder.startSpan();
        if (exchange.status() >= LEAST_FAILURE || exchange.error().isPresent()) {
            span.setStatus(StatusCode.ERROR);
            span.setAttribute(
                    "error.type", exchange.error().map(Enum::name).orElse(Integer.toString(exchange.status())));
        }
        span.end(exchange.start().plus(exchange.total()));
    }

    private static String version(String protocol) {
        String version = protocol.substring(protocol.indexOf('/') + 1);
        return version.equals("2.0") ? "2" : version;
    }

    private static void server(SpanBuilder builder, ExchangeRecord exchange) {
        String authority = exchange.authority();
        int colon = authority.lastIndexOf(':');
        boolean port = colon > 0 && authority.indexOf(']', colon) < 0 && authority.matches(".*:[0-9]{1,5}");
        builder.setAttribute("server.address", port ? authority.substring(0, colon) : authority);
        long standard = exchange.scheme().equals("https") ? 443 : 80;
        builder.setAttribute("server.port", port ? Long.parseLong(authority.substring(colon + 1)) : standard);
    }

    /** Reads the client's trace context from a record. */
    private enum Fields implements TextMapGetter<ExchangeRecord> {
        OF_A_RECORD;

        @Override
        public Iterable<String> keys(ExchangeRecord exchange) {
            return List.of("traceparent", "tracestate");
        }

        @Override
        public @Nullable String get(@Nullable ExchangeRecord exchange, String key) {
            if (exchange == null) {
                return null;
            }
            return switch (key) {
                case "traceparent" -> exchange.traceParent().orElse(null);
                case "tracestate" -> exchange.traceState().orElse(null);
                default -> null;
            };
        }
    }
}
