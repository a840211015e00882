package io.webproxy.samples.demo;

import io.undertow.Handlers;
import io.undertow.server.HttpHandler;
import io.undertow.util.Headers;
import io.undertow.websockets.WebSocketProtocolHandshakeHandler;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedBinaryMessage;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.CloseMessage;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;

/** WebSockets that send each message back, up to 16 MiB. */
final class Echo {
    private static final long LARGEST_MESSAGE = 16L << 20;

    private final WebSocketProtocolHandshakeHandler sockets = Handlers.websocket(
            (exchange, channel) -> {
                channel.getReceiveSetter().set(new Listener());
                channel.resumeReceives();
            },
            exchange -> {
                exchange.getResponseHeaders().put(Headers.UPGRADE, "websocket").put(Headers.CONNECTION, "Upgrade");
                Reply.text(exchange, 426, "This path speaks WebSocket.");
            });
    private volatile boolean ended;

    HttpHandler handler() {
        return exchange -> {
            if (ended) {
                Reply.text(exchange, 503, "The demo service is about to stop.");
            } else {
                sockets.handleRequest(exchange);
            }
        };
    }

    void end() {
        ended = true;
        for (WebSocketChannel channel : sockets.getPeerConnections()) {
            WebSockets.sendClose(CloseMessage.GOING_AWAY, "", channel, null);
        }
    }

    private static final class Listener extends AbstractReceiveListener {
        @Override
        protected long getMaxTextBufferSize() {
            return LARGEST_MESSAGE;
        }

        @Override
        protected long getMaxBinaryBufferSize() {
            return LARGEST_MESSAGE;
        }

        @Override
        protected void onFullTextMessage(WebSocketChannel channel, BufferedTextMessage message) {
            WebSockets.sendText(message.getData(), channel, null);
        }

        @Override
        protected void onFullBinaryMessage(WebSocketChannel channel, BufferedBinaryMessage message) {
            try (var data = message.getData()) {
                WebSockets.sendBinary(WebSockets.mergeBuffers(data.getResource()), channel, null);
            }
        }
    }
}
