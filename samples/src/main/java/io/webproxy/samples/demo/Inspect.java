package io.webproxy.samples.demo;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.SameThreadExecutor;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Responses that show the request, or have a chosen delay or status. */
final class Inspect {
    private static final long LONGEST = TimeUnit.HOURS.toMillis(1);

    private Inspect() {}

    /** The request's head as JSON, with one entry per field. */
    static void hello(HttpServerExchange exchange) {
        String fields = fields(exchange)
                .map(field -> quote(field.getHeaderName().toString()) + ":" + quote(String.join(", ", field)))
                .collect(Collectors.joining(","));
        Reply.json(
                exchange,
                "{\"message\":\"hello\",\"method\":"
                        + quote(exchange.getRequestMethod().toString())
                        + ",\"path\":" + quote(exchange.getRequestURI())
                        + ",\"query\":" + quote(exchange.getQueryString())
                        + ",\"protocol\":" + quote(exchange.getProtocol().toString())
                        + ",\"headers\":{" + fields + "}}");
    }

    /** The request's fields as text, one per line. */
    static void headers(HttpServerExchange exchange) {
        Reply.text(
                exchange,
                200,
                fields(exchange)
                        .flatMap(field -> field.stream().map(value -> field.getHeaderName() + ": " + value))
                        .collect(Collectors.joining("\n")));
    }

    /** Answers after {@code ?ms=}. */
    static void slow(HttpServerExchange exchange) {
        long millis = Reply.number(exchange, "ms", 1000, LONGEST);
        exchange.dispatch(
                SameThreadExecutor.INSTANCE,
                () -> exchange.getIoThread()
                        .executeAfter(
                                () -> Reply.text(exchange, 200, "answered after " + millis + " ms"),
                                millis,
                                TimeUnit.MILLISECONDS));
    }

    /** Answers with the status in the path. */
    static void status(HttpServerExchange exchange) {
        String code = exchange.getRelativePath().replaceFirst("^/", "");
        int status = (int) Reply.number("status", code, 200, 599);
        if (status == 204 || status == 205 || status == 304) {
            exchange.setStatusCode(status).endExchange();
        } else {
            Reply.text(exchange, status, "status " + status);
        }
    }

    private static Stream<HeaderValues> fields(HttpServerExchange exchange) {
        return StreamSupport.stream(exchange.getRequestHeaders().spliterator(), false);
    }

    /** A JSON string. */
    static String quote(String text) {
        StringBuilder json = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ' || c >= 0x7f) {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
