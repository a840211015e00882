package io.webproxy.samples.demo;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HttpString;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The demo's page: tries everything out in the browser, and loads nothing from other sites. */
final class Page implements HttpHandler {
    private static final HttpString POLICY = new HttpString("Content-Security-Policy");

    private final String html;

    Page() {
        try (InputStream resource = Page.class.getResourceAsStream("demo.html")) {
            if (resource == null) {
                throw new IllegalStateException("demo.html is missing from the jar");
            }
            this.html = new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        if (Reply.allowsReading(exchange)) {
            exchange.getResponseHeaders()
                    .put(
                            POLICY,
                            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
                                    + " img-src data:; connect-src 'self' ws: wss:");
            Reply.send(exchange, 200, "text/html; charset=utf-8", html);
        }
    }
}
