package io.webproxy.undertow.server;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpHandler;
import io.webproxy.undertow.deadline.IoBuffers;
import io.webproxy.undertow.endpoint.ClientConnection;
import io.webproxy.undertow.endpoint.Protocols;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.Origin;
import io.webproxy.undertow.http1.Http1;
import io.webproxy.undertow.http1.Http1Connection;
import io.webproxy.undertow.http2.Http2Connection;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/** Opens HTTP/1.1 and HTTP/2 on the connections of one server. Thread-safe. */
final class HttpEndpoints {
    private static final int UPLOAD_WINDOW = 1 << 20;

    private final ByteBufferPool buffers;
    private final Exchanges exchanges;
    private final Supplier<ServerSettings> settings;
    private final Http1 http1;

    /** A connection gets the HTTP/2 limits in force when it arrives. */
    HttpEndpoints(IoBuffers buffers, IoBuffers records, Exchanges exchanges, Supplier<ServerSettings> settings) {
        this.buffers = buffers;
        this.exchanges = exchanges;
        this.settings = settings;
        this.http1 = new Http1(
                buffers, records, exchanges, () -> settings.get().http().limits());
    }

    /** The handler of an endpoint that speaks only cleartext HTTP. */
    Consumer<ClientConnection> clear(HttpHandler root) {
        return client -> {
            client.settled();
            openClear(client, root, client.connection(), null);
        };
    }

    /** The request handlers of an endpoint: for cleartext, for TLS, and for redirects to HTTPS. */
    record Handlers(HttpHandler clear, HttpHandler secure, HttpHandler toHttps) {}

    /** Takes the connections of an endpoint that turn out to speak HTTP. */
    Protocols protocols(Handlers handlers) {
        return new Protocols() {
            @Override
            public void cleartext(
                    ClientConnection client, StreamConnection connection, @Nullable PooledByteBuffer read) {
                openClear(client, handlers.clear(), connection, read);
            }

            @Override
            public void redirect(
                    ClientConnection client, StreamConnection connection, @Nullable PooledByteBuffer read) {
                openClear(client, handlers.toHttps(), connection, read);
            }

            @Override
            public void http1(ClientConnection client, StreamConnection connection, @Nullable PooledByteBuffer read) {
                open(client, handlers.secure(), connection, null, read);
            }

            @Override
            public void http2(ClientConnection client, StreamConnection connection, @Nullable PooledByteBuffer read) {
                openHttp2(client, handlers.secure(), connection, 0, read);
            }
        };
    }

    private static Origin origin(ClientConnection client) {
        return new Origin(client.client(), client.lease(), client.connection(), client::answered, client::linger);
    }

    /** Without TLS there is no ALPN: the first bytes decide. */
    private void openClear(
            ClientConnection client, HttpHandler root, StreamConnection connection, @Nullable PooledByteBuffer read) {
        open(
                client,
                root,
                connection,
                (prefaceRead, rest) -> openHttp2(client, root, connection, prefaceRead, rest),
                read);
    }

    private void open(
            ClientConnection client,
            HttpHandler root,
            StreamConnection connection,
            Http1.@Nullable Http2Switch toHttp2,
            @Nullable PooledByteBuffer read) {
        Http1Connection opened = http1.open(connection, origin(client), root, toHttp2, read);
        if (!opened.isHandedOver()) {
            client.onLeave(opened::leave);
        }
    }

    private void openHttp2(
            ClientConnection client,
            HttpHandler root,
            StreamConnection connection,
            int prefaceRead,
            @Nullable PooledByteBuffer read) {
        ServerSettings now = settings.get();
        Http2Connection opened = new Http2Connection(
                connection,
                origin(client),
                buffers,
                root,
                exchanges.bodies().isAmple() ? UPLOAD_WINDOW : Http2Connection.DEFAULT_WINDOW,
                now.http().limits(),
                now.http2(),
                exchanges);
        client.onLeave(opened::leave);
        opened.start(prefaceRead, read);
    }
}
