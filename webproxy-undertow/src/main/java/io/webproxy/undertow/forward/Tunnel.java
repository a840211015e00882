package io.webproxy.undertow.forward;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.FieldRules;
import io.webproxy.undertow.relay.ByteRelay;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.UpstreamConnection;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/** A WebSocket behind its 101: bytes both ways until one side ends it. Not thread-safe: it belongs to the exchange's IO thread. */
final class Tunnel implements Exchange.Expiry, ByteRelay.Listener {
    private final Exchange exchange;
    private final UpstreamConnection connection;
    private final ByteRelay relay;
    private boolean ended;

    private Tunnel(
            Exchange exchange, UpstreamConnection connection, StreamConnection client, StreamConnection upstream) {
        this.exchange = exchange;
        this.connection = connection;
        this.relay = new ByteRelay(
                client,
                upstream,
                exchange.http().getConnection().getByteBufferPool(),
                bytes -> {
                    exchange.received(bytes);
                    exchange.activity();
                },
                bytes -> {
                    exchange.sent(bytes);
                    exchange.activity();
                },
                this);
    }

    /** Whether a 101 is an answer to what was asked: a WebSocket, and nothing else (RFC 9110 section 7.8). */
    static boolean isAnswer(boolean asked, ParsedHead answer) {
        return asked && answer.isUpgrade() && FieldRules.hasToken(answer.fields(), Headers.UPGRADE, "websocket");
    }

    /** Sends the 101 on and connects the two sides behind it. */
    static void open(Exchange exchange, ParsedHead answer, UpstreamConnection connection) {
        HttpServerExchange http = exchange.http();
        UpstreamConnection.Detached upstream = connection.detach();
        exchange.hold();
        HeaderMap fields = answer.fields();
        FieldRules.stripHopByHop(fields);
        for (HeaderValues values : fields) {
            http.getResponseHeaders().putAll(values.getHeaderName(), values);
        }
        http.getResponseHeaders().put(Headers.UPGRADE, "websocket");
        http.upgradeChannel((client, ignored) -> start(exchange, connection, client, upstream));
        exchange.watch(new Exchange.Expiry() {
            @Override
            public void idle() {
                cut();
            }

            @Override
            public void lasting() {
                if (!http.getConnection().isOpen()) {
                    cut();
                }
            }

            @Override
            public void requestBroken(int status, String detail) {
                cut();
            }

            @Override
            public void cut() {
                release(upstream.early());
                connection.abort();
                exchange.failed(ForwardError.CLIENT_ABORTED);
                exchange.client().abort();
                exchange.end();
            }
        });
        http.endExchange();
    }

    private static void start(
            Exchange exchange,
            UpstreamConnection connection,
            StreamConnection client,
            UpstreamConnection.Detached upstream) {
        if (exchange.isEnded()) {
            IoUtils.safeClose(client);
            return;
        }
        Tunnel tunnel = new Tunnel(exchange, connection, client, upstream.stream());
        exchange.shared().tunnelStarted();
        exchange.watch(tunnel);
        tunnel.relay.start(upstream.early());
    }

    private static void release(@org.jspecify.annotations.Nullable PooledByteBuffer pooled) {
        if (pooled != null) {
            pooled.close();
        }
    }

    @Override
    public void ended(boolean clean) {
        if (!ended) {
            ended = true;
            connection.close();
            exchange.end();
            exchange.shared().tunnelEnded();
        }
    }

    @Override
    public void idle() {
        exchange.failed(ForwardError.RESPONSE_BODY_IDLE);
        relay.abort();
    }

    @Override
    public void lasting() {
        // a relay hears of both ends by itself
    }

    @Override
    public void requestBroken(int status, String detail) {
        relay.abort();
    }

    @Override
    public void cut() {
        relay.abort();
    }
}
