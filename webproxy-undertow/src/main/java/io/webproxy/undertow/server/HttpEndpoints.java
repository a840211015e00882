package io.webproxy.undertow.server;

import io.undertow.UndertowOptions;
import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpHandler;
import io.undertow.server.protocol.http2.Http2ReceiveListener;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.Http2Front;
import io.webproxy.undertow.exchange.Origin;
import io.webproxy.undertow.http1.Http1;
import io.webproxy.undertow.http1.Http1Connection;
import io.webproxy.undertow.port.Arrival;
import io.webproxy.undertow.port.Protocols;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;

/** HTTP on the connections of one server. Thread-safe. */
final class HttpEndpoints {
    private static final int UPLOAD_WINDOW = 1 << 20;

    private final ByteBufferPool buffers;
    private final Exchanges exchanges;
    private final Supplier<HttpLimits> limits;
    private final Supplier<Http2Limits> http2;
    private final Http1 http1;

    /** Limits of the parsers are those of the moment at which a connection comes. */
    HttpEndpoints(
            ByteBufferPool buffers, Exchanges exchanges, Supplier<HttpLimits> limits, Supplier<Http2Limits> http2) {
        this.buffers = buffers;
        this.exchanges = exchanges;
        this.limits = limits;
        this.http2 = http2;
        this.http1 = new Http1(buffers, exchanges, limits);
    }

    private static OptionMap options(HttpLimits limits) {
        return OptionMap.builder()
                // bodies have no limit here: ours is checked where it can be answered
                .set(UndertowOptions.MAX_ENTITY_SIZE, -1L)
                // above these Undertow closes with a bare 400; before that the gate and the guard answer with the right
                // status
                .set(UndertowOptions.MAX_HEADER_SIZE, limits.requestHeadBytes() * 2)
                .set(UndertowOptions.MAX_HEADERS, limits.fields() * 2)
                .set(UndertowOptions.MAX_PARAMETERS, Integer.MAX_VALUE)
                .set(UndertowOptions.DECODE_URL, false)
                .set(UndertowOptions.ALWAYS_SET_DATE, false)
                .set(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
                .set(UndertowOptions.NO_REQUEST_TIMEOUT, (int)
                        limits.keepAliveTime().toMillis())
                .set(UndertowOptions.ENABLE_HTTP2, false)
                .set(UndertowOptions.HTTP2_SETTINGS_ENABLE_PUSH, false)
                .set(UndertowOptions.HTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UPLOAD_WINDOW)
                .getMap();
    }

    /** Heads, resets and times are limited by the front itself. */
    private OptionMap http2Options(Http2Limits now) {
        return OptionMap.builder()
                .addAll(options(limits.get()))
                .set(UndertowOptions.REQUEST_PARSE_TIMEOUT, -1)
                .set(UndertowOptions.NO_REQUEST_TIMEOUT, -1)
                .set(UndertowOptions.MAX_RST_FRAMES_PER_WINDOW, Integer.MAX_VALUE)
                .set(UndertowOptions.HTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, now.streams())
                .set(UndertowOptions.HTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, listSize(limits.get()))
                // what a target may hold is the guard's to say
                .set(UndertowOptions.ALLOW_UNESCAPED_CHARACTERS_IN_URL, true)
                .getMap();
    }

    /** Undertow says 20,000 at most. As RFC 9113 section 6.5.2 counts: 32 bytes for each field beside its name and value, where the limit of heads counts its separators. */
    private static int listSize(HttpLimits limits) {
        return limits.requestHeadBytes() + limits.fields() * (32 - 4);
    }

    /** An endpoint in cleartext that speaks HTTP and nothing else. */
    Consumer<Arrival> clear(HttpHandler root) {
        return arrival -> {
            arrival.settled();
            open(arrival, root, arrival.connection(), null);
        };
    }

    /** What handles the requests of an endpoint: those in cleartext, those over TLS, and those that are to come again over TLS. */
    record Handlers(HttpHandler clear, HttpHandler secure, HttpHandler toHttps) {}

    /** Where the connections of an endpoint go that speak HTTP, once that is known. */
    Protocols protocols(Handlers handlers) {
        return new Protocols() {
            @Override
            public void cleartext(Arrival arrival, StreamConnection connection, @Nullable PooledByteBuffer read) {
                open(arrival, handlers.clear(), connection, read);
            }

            @Override
            public void redirect(Arrival arrival, StreamConnection connection, @Nullable PooledByteBuffer read) {
                open(arrival, handlers.toHttps(), connection, read);
            }

            @Override
            public void http1(Arrival arrival, StreamConnection connection, @Nullable PooledByteBuffer read) {
                open(arrival, handlers.secure(), connection, read);
            }

            @Override
            public void http2(Arrival arrival, StreamConnection connection, @Nullable PooledByteBuffer read) {
                Http2Limits now = http2.get();
                OptionMap ofHttp2 = http2Options(now);
                Http2Front front = new Http2Front(
                        connection,
                        origin(arrival),
                        buffers,
                        read,
                        ofHttp2,
                        UPLOAD_WINDOW,
                        limits.get(),
                        now,
                        exchanges);
                arrival.onLeave(front::leave);
                front.receive(new Http2ReceiveListener(handlers.secure(), ofHttp2, buffers.getBufferSize(), null));
            }
        };
    }

    private static Origin origin(Arrival arrival) {
        return new Origin(arrival.client(), arrival.lease(), arrival.connection(), arrival::answered, arrival::linger);
    }

    private void open(Arrival arrival, HttpHandler root, StreamConnection connection, @Nullable PooledByteBuffer read) {
        Http1Connection opened = http1.open(connection, origin(arrival), root, read);
        arrival.onLeave(opened::leave);
    }
}
