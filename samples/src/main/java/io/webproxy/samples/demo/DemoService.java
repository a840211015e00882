package io.webproxy.samples.demo;

import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import io.undertow.util.Headers;
import io.webproxy.ProxyServer;
import java.net.InetSocketAddress;

/**
 * A small web service to put a proxy in front of: a page, headers, server-sent events, a WebSocket echo, downloads,
 * uploads, audio, chat completions.
 *
 * <p>It speaks cleartext HTTP/1.1, listens on 127.0.0.1 only, and accepts bodies of any size. Nothing in it blocks.
 * Thread-safe.
 */
public final class DemoService implements AutoCloseable {
    private final Clock clock = new Clock();
    private final Echo echo = new Echo();
    private final AboutProxy proxy = new AboutProxy();
    private final Undertow undertow;

    private DemoService(int port, String model) {
        this.undertow = Undertow.builder()
                .addHttpListener(port, "127.0.0.1")
                .setIoThreads(2)
                .setWorkerThreads(2)
                // Undertow would refuse uploads above 2 MiB
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
                .setServerOption(UndertowOptions.SHUTDOWN_TIMEOUT, 1000)
                .setHandler(handlers(model))
                .build();
    }

    /** Starts on any free port. */
    public static DemoService start() {
        return start(0);
    }

    /**
     * Starts on a port, 0 for any free one.
     *
     * @throws IllegalStateException if the port can't be opened
     */
    public static DemoService start(int port) {
        return start(port, "demo");
    }

    /** Starts on any free port; its language model has this name. */
    public static DemoService ofModel(String model) {
        return start(0, model);
    }

    private static DemoService start(int port, String model) {
        DemoService service = new DemoService(port, model);
        try {
            service.undertow.start();
        } catch (RuntimeException e) {
            service.undertow.stop();
            Throwable reason = e.getCause() == null ? e : e.getCause();
            throw new IllegalStateException(
                    "The demo service can't listen on 127.0.0.1:" + port + ": " + reason.getMessage() + ".", e);
        }
        service.clock.tickOn(service.undertow.getWorker().getIoThread());
        return service;
    }

    private HttpHandler handlers(String model) {
        HttpHandler notFound = exchange -> Reply.text(exchange, 404, "There is nothing here; the page is at /.");
        HttpHandler paths = Handlers.path(notFound)
                .addExactPath("/", new Page())
                .addExactPath("/api/hello", Inspect::hello)
                .addExactPath("/api/proxy", proxy::handle)
                .addExactPath("/headers", Inspect::headers)
                .addExactPath("/slow", Inspect::slow)
                .addPrefixPath("/status", Inspect::status)
                .addExactPath("/events", clock.handler())
                .addExactPath("/audio", Tone::handle)
                .addExactPath("/echo", echo.handler())
                .addPrefixPath("/download", Download::handle)
                .addPrefixPath("/models", Download::handle)
                .addExactPath("/v1/models", exchange -> Chat.models(exchange, model))
                .addExactPath("/v1/chat/completions", Chat::completions)
                .addExactPath("/api/chat", Chat::lines)
                .addExactPath("/report", Chat::report)
                .addExactPath("/upload", Handlers.httpContinueRead(Upload::handle));
        return exchange -> {
            exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, "no-store");
            try {
                paths.handleRequest(exchange);
            } catch (IllegalArgumentException e) {
                Reply.text(exchange, 400, String.valueOf(e.getMessage()));
            }
        };
    }

    /** The port it listens on. */
    public int port() {
        return ((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress()).getPort();
    }

    /** The page shows the TLS and the certificate of this server, which forwards to the service, from now on. */
    public void show(ProxyServer server) {
        proxy.show(server);
    }

    /**
     * Ends the event streams and WebSockets, which would never end, and opens no new ones; other exchanges continue.
     */
    public void endStreams() {
        clock.end();
        echo.end();
    }

    /** Stops at once. */
    @Override
    public void close() {
        undertow.stop();
    }
}
