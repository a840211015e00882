package io.webproxy.undertow.testing;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.BlockingHandler;
import io.webproxy.route.Upstream;
import io.webproxy.tls.TrustStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.xnio.Options;

/**
 * An upstream on a free port of the loopback address that speaks HTTP/2 by a codec that isn't ours, in cleartext or
 * over TLS.
 */
public final class Http2Upstream implements AutoCloseable {
    private static final Path ROOT = root();

    private final boolean tls;
    private final Undertow server;
    private final Set<String> clients = ConcurrentHashMap.newKeySet();

    private Http2Upstream(boolean tls, int streams, HttpHandler handler) {
        this.tls = tls;
        HttpHandler counted = exchange -> {
            clients.add(exchange.getConnection().getPeerAddress().toString());
            handler.handleRequest(exchange);
        };
        Undertow.Builder builder = Undertow.builder()
                .setIoThreads(1)
                .setWorkerThreads(8)
                .setWorkerOption(Options.THREAD_DAEMON, true)
                .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                .setServerOption(UndertowOptions.HTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams)
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
                .setServerOption(UndertowOptions.SHUTDOWN_TIMEOUT, 1)
                .setHandler(new BlockingHandler(counted));
        if (tls) {
            builder.addHttpsListener(0, "127.0.0.1", TestProxy.identity().sslContext());
        } else {
            builder.addHttpListener(0, "127.0.0.1");
        }
        this.server = builder.build();
        server.start();
    }

    /** An upstream whose handler runs on threads of its own. */
    public static Http2Upstream start(boolean tls, HttpHandler handler) {
        return new Http2Upstream(tls, 1000, handler);
    }

    /** The same, which allows so many streams to a connection. */
    public static Http2Upstream start(boolean tls, int streams, HttpHandler handler) {
        return new Http2Upstream(tls, streams, handler);
    }

    private static Path root() {
        try {
            Path file = Files.createTempFile("webproxy-root", ".pem");
            file.toFile().deleteOnExit();
            return Files.writeString(file, TestProxy.rootPem());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The file of the root that the certificates of upstreams come from. */
    public static Path rootFile() {
        return ROOT;
    }

    /** The upstream for a route. */
    public Upstream upstream() {
        return tls
                ? Upstream.of("https+h2://127.0.0.1:" + port()).withTrust(TrustStore.pem(ROOT))
                : Upstream.of("h2c://127.0.0.1:" + port());
    }

    public int port() {
        return ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    }

    /** How many connections have brought requests so far. */
    public int connections() {
        return clients.size();
    }

    @Override
    public void close() {
        server.stop();
    }
}
