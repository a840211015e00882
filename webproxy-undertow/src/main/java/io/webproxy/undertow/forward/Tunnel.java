package io.webproxy.undertow.forward;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Expiry;
import io.webproxy.undertow.message.FieldRules;
import io.webproxy.undertow.relay.ByteRelay;
import io.webproxy.undertow.upstream.ParsedHead;
import io.webproxy.undertow.upstream.UpstreamStream;
import io.webproxy.undertow.websocket.ControlFrames;
import io.webproxy.undertow.websocket.FrameTracker;
import io.webproxy.undertow.websocket.PongFilter;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * What a request has switched to, after its 101: relays bytes both ways until one side ends. For a WebSocket it pings
 * an idle client if the route says so, and sends close frames when the server closes; other protocols aren't looked
 * into. Not thread-safe: it belongs to the exchange's IO thread.
 */
final class Tunnel implements Expiry, ByteRelay.Listener {
    /** How long both sides have for the closing handshake (RFC 6455 section 7.1.2) when the server closes. */
    private static final long GRACE_NANOS = 5_000_000_000L;

    private final Exchange exchange;
    private final UpstreamStream connection;
    private final ByteRelay relay;
    private final boolean webSocket;
    private final @Nullable Pings pings;
    private boolean leaving;
    private long leavingSince;
    private boolean ended;

    private Tunnel(
            Exchange exchange,
            boolean webSocket,
            UpstreamStream connection,
            StreamConnection client,
            StreamConnection upstream) {
        this.webSocket = webSocket;
        this.exchange = exchange;
        this.connection = connection;
        long silence = webSocket ? exchange.route().webSocketPings().toNanos() : 0;
        this.pings = silence == 0 ? null : new Pings(silence, now());
        this.relay = new ByteRelay(
                client,
                upstream,
                exchange.http().getConnection().getByteBufferPool(),
                webSocket ? new ToUpstream(pings == null ? null : new PongFilter(pings.token())) : this::receivedRaw,
                webSocket ? new ToClient() : this::sentRaw,
                this);
    }

    private long now() {
        return exchange.shared().nanoClock().getAsLong();
    }

    /** Bytes of another protocol than WebSocket were written to the client. */
    private void sentRaw(ByteBuffer buffer, int start) {
        exchange.sent(buffer.position() - start);
        exchange.limits().activity();
    }

    /** The same to the upstream. */
    private void receivedRaw(ByteBuffer buffer, int start) {
        exchange.received(buffer.position() - start);
        exchange.limits().activity();
    }

    /** Traffic to the client. */
    private final class ToClient implements ByteRelay.Traffic {
        private final FrameTracker frames = new FrameTracker();

        @Override
        public void sent(ByteBuffer buffer, int start) {
            exchange.sent(pass(frames, buffer, start));
            exchange.limits().activity();
            if (pings != null) {
                pings.taken(now());
            }
        }

        @Override
        public long untilGap() {
            return frames.untilGap();
        }
    }

    /** Traffic to the upstream. */
    private final class ToUpstream implements ByteRelay.Traffic {
        private final FrameTracker frames = new FrameTracker();
        private final @Nullable PongFilter pongs;
        private int restored;

        ToUpstream(@Nullable PongFilter pongs) {
            this.pongs = pongs;
        }

        @Override
        public void restore(ByteBuffer into) {
            if (pongs != null) {
                int before = into.position();
                pongs.restore(into);
                restored = into.position() - before;
            }
        }

        @Override
        public void received(ByteBuffer buffer, boolean last) {
            if (pongs != null && pings != null) {
                if (buffer.remaining() > restored) {
                    pings.heard(now());
                }
                pongs.filter(buffer, last);
            }
        }

        @Override
        public void sent(ByteBuffer buffer, int start) {
            exchange.received(pass(frames, buffer, start));
            exchange.limits().activity();
        }

        @Override
        public long untilGap() {
            return frames.untilGap();
        }
    }

    /**
     * Shows the tracker the bytes from {@code start} to the position, without an object for each write; returns their
     * number.
     */
    private static int pass(FrameTracker frames, ByteBuffer buffer, int start) {
        int end = buffer.position();
        int limit = buffer.limit();
        frames.pass(buffer.limit(end).position(start));
        buffer.limit(limit);
        return end - start;
    }

    /** Sends the 101, then connects the two sides. */
    static void open(
            Exchange exchange,
            Upgrade upgrade,
            ParsedHead answer,
            UpstreamStream connection,
            @Nullable SessionCookie cookie) {
        HttpServerExchange http = exchange.http();
        UpstreamStream.Detached upstream = connection.detach();
        exchange.hold();
        HeaderMap fields = answer.fields();
        FieldRules.stripHopByHop(fields);
        if (connection.isHttp2()) {
            WebSocketAccept.addTo(fields, http.getRequestHeaders());
        }
        ClientHead.edit(exchange, fields);
        if (cookie != null) {
            cookie.applyTo(fields);
        }
        for (HeaderValues values : fields) {
            http.getResponseHeaders().putAll(values.getHeaderName(), values);
        }
        http.getResponseHeaders().put(Headers.UPGRADE, upgrade.protocol());
        boolean webSocket = upgrade.isWebSocket();
        http.upgradeChannel((client, ignored) -> start(exchange, webSocket, connection, client, upstream));
        exchange.limits().watch(new Expiry() {
            @Override
            public void idle() {
                cut();
            }

            @Override
            public void overdue() {
                cut();
            }

            @Override
            public void lasting(long now) {
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
            boolean webSocket,
            UpstreamStream connection,
            StreamConnection client,
            UpstreamStream.Detached upstream) {
        if (exchange.isEnded()) {
            IoUtils.safeClose(client);
            return;
        }
        Tunnel tunnel = new Tunnel(exchange, webSocket, connection, client, upstream.stream());
        exchange.forgetFields();
        exchange.shared().tunnelStarted();
        exchange.limits().watch(tunnel);
        tunnel.relay.start(upstream.early());
    }

    private static void release(@Nullable PooledByteBuffer pooled) {
        if (pooled != null) {
            pooled.close();
        }
    }

    @Override
    public void ended(ByteRelay.Ending how) {
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
    public void overdue() {
        relay.abort();
    }

    /** The relay notices the ends of both sides by itself; this handles silence and the close of the server. */
    @Override
    public void lasting(long now) {
        if (leaving) {
            if (now - leavingSince >= GRACE_NANOS) {
                relay.close();
            }
        } else if (webSocket && exchange.isEnding()) {
            leaving = true;
            leavingSince = now;
            relay.finishWith(ControlFrames.goingAwayToClient(), ControlFrames.goingAwayToServer());
        } else if (pings != null && relay.isLeftHeard()) {
            ping(pings, now);
        } else if (pings != null) {
            // the client's silence proves nothing: the upstream takes no bytes, or one side has closed its direction
            pings.heard(now);
        }
    }

    private void ping(Pings due, long now) {
        switch (due.look(now)) {
            case NOTHING -> {}
            case PING -> relay.insertToLeft(ControlFrames.ping(due.token()));
            case GONE -> {
                if (!relay.isWaitingForGap()) {
                    exchange.failed(ForwardError.CLIENT_ABORTED);
                    relay.abort();
                }
            }
        }
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
