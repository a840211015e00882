package io.webproxy.samples.demo;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.util.Arrays;

/** Short responses, and checks of requests. */
final class Reply {
    private static final HttpString CONTENT_TYPE_OPTIONS = new HttpString("X-Content-Type-Options");

    private Reply() {}

    /** A line of text. */
    static void text(HttpServerExchange exchange, int status, String line) {
        send(exchange, status, "text/plain; charset=utf-8", line + "\n");
    }

    static void json(HttpServerExchange exchange, String json) {
        send(exchange, 200, "application/json", json + "\n");
    }

    static void send(HttpServerExchange exchange, int status, String type, String body) {
        exchange.setStatusCode(status);
        exchange.getResponseHeaders().put(CONTENT_TYPE_OPTIONS, "nosniff").put(Headers.CONTENT_TYPE, type);
        exchange.getResponseSender().send(body);
    }

    /** Whether the method is one of these; if not, it has answered the exchange. */
    static boolean allows(HttpServerExchange exchange, HttpString... methods) {
        boolean allowed = Arrays.asList(methods).contains(exchange.getRequestMethod());
        if (!allowed) {
            exchange.getResponseHeaders()
                    .put(
                            Headers.ALLOW,
                            String.join(
                                    ", ",
                                    Arrays.stream(methods)
                                            .map(HttpString::toString)
                                            .toList()));
            text(exchange, 405, "This path takes other methods.");
        }
        return allowed;
    }

    static boolean allowsReading(HttpServerExchange exchange) {
        return allows(exchange, Methods.GET, Methods.HEAD);
    }

    /**
     * A number from the query.
     *
     * @throws IllegalArgumentException if it isn't a number, or out of range
     */
    static long number(HttpServerExchange exchange, String name, long absent, long most) {
        var values = exchange.getQueryParameters().get(name);
        return values == null ? absent : number(name, values.getFirst(), 0, most);
    }

    static long number(String name, String text, long least, long most) {
        if (text.matches("[0-9]{1,18}")) {
            long value = Long.parseLong(text);
            if (value >= least && value <= most) {
                return value;
            }
        }
        throw new IllegalArgumentException(name + " (expected: a number, " + least + "-" + most + ")");
    }
}
