package io.webproxy.samples.demo;

import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.xnio.IoUtils;

/** Sends a body in pieces, with a pause after each, and holds no thread meanwhile. It ends when the client leaves. */
final class Pieces implements IoCallback {
    static final long PAUSE_MILLIS = 60;

    private final Iterator<ByteBuffer> pieces;

    private Pieces(Iterator<ByteBuffer> pieces) {
        this.pieces = pieces;
    }

    static void send(HttpServerExchange exchange, String type, List<String> pieces) {
        send(
                exchange,
                type,
                pieces.stream()
                        .map(piece -> ByteBuffer.wrap(piece.getBytes(StandardCharsets.UTF_8)))
                        .iterator());
    }

    static void send(HttpServerExchange exchange, String type, Iterator<ByteBuffer> pieces) {
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, type);
        Pieces sending = new Pieces(pieces);
        exchange.dispatch(SameThreadExecutor.INSTANCE, () -> sending.next(exchange));
    }

    private void next(HttpServerExchange exchange) {
        if (pieces.hasNext()) {
            exchange.getResponseSender().send(pieces.next(), this);
        } else {
            exchange.endExchange();
        }
    }

    @Override
    public void onComplete(HttpServerExchange exchange, Sender sender) {
        exchange.getIoThread().executeAfter(() -> next(exchange), PAUSE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void onException(HttpServerExchange exchange, Sender sender, IOException exception) {
        IoUtils.safeClose(exchange.getConnection());
    }
}
