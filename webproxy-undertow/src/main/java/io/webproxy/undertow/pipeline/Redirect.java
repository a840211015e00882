package io.webproxy.undertow.pipeline;

import io.undertow.server.HttpServerExchange;
import io.webproxy.spi.PathPrefix;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;

/** Redirects cleartext HTTP requests to HTTPS (RFC 9110 sections 15.4.2 and 15.4.9). */
public final class Redirect implements Stage {
    private static final int DEFAULT_PORT = 443;

    private final IntSupplier port;

    /**
     * Redirects to this port.
     *
     * @param port read for each request, because a port can be chosen when the server starts
     */
    public Redirect(IntSupplier port) {
        this.port = port;
    }

    /**
     * Redirects from a prefix without its slash to the prefix. The target is the route's own text, nothing that the
     * client wrote.
     */
    static void addSlash(Exchange exchange, PathPrefix prefix) {
        to(exchange, prefix + query(exchange), 308, "This path ends with a slash.");
    }

    @Override
    public boolean pass(Passage passage) {
        Exchange exchange = passage.exchange();
        HttpServerExchange http = exchange.http();
        String host = passage.host();
        http.setPersistent(false);
        if (host.isEmpty()) {
            LocalAnswer.reject(exchange, 400, "This port speaks HTTPS.");
            return false;
        }
        int to = port.getAsInt();
        String method = exchange.head().method();
        int status = method.equals("GET") || method.equals("HEAD") ? 301 : 308;
        send(exchange, "https://" + host + (to == DEFAULT_PORT ? "" : ":" + to), status);
        return false;
    }

    /**
     * Redirects to the same path and query at another base.
     *
     * @param base scheme and authority, optionally a path, without a final slash: so a path that begins with two
     *     slashes can't name a host
     */
    static void send(Exchange exchange, String base, int status) {
        String path = exchange.head().path();
        // the asterisk of OPTIONS isn't a path, and must not become part of a host
        String location = base + (path.startsWith("/") ? path : "/") + query(exchange);
        to(exchange, location, status, "This is to be found at another address.");
    }

    /** The request's query with its question mark, even if it is empty; empty if there is none. */
    private static String query(Exchange exchange) {
        String query = exchange.head().query();
        return query.isEmpty() && !exchange.client().isQueryEmpty() ? "" : "?" + encoded(query);
    }

    /** A URI is ASCII: bytes above it are percent-encoded, which means the same (RFC 3986 section 2.5). */
    static String encoded(String query) {
        StringBuilder ascii = new StringBuilder(query.length());
        query.chars().forEach(c -> {
            if (c > 0x7f && c <= 0xff) {
                ascii.append('%').append(HexFormat.of().withUpperCase().toHexDigits((byte) c));
            } else {
                ascii.append((char) c);
            }
        });
        return ascii.toString();
    }

    private static void to(Exchange exchange, String location, int status, String detail) {
        // defence in depth against response splitting: neither codec accepts such a target
        if (!location.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            LocalAnswer.reject(exchange, 400, "The request target has a character that must be percent-encoded.");
            return;
        }
        LocalAnswer.send(exchange, status, detail, Map.of("Location", List.of(location)));
    }
}
