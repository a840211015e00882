package io.webproxy.samples.demo;

import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;

/** Writes a part of the {@link Content} whenever the client accepts bytes, then ends the exchange. */
final class ContentWriter implements ChannelListener<StreamSinkChannel> {
    /** Writes per event: then other exchanges of the IO thread have their turn. */
    private static final int TURNS = 16;

    private final HttpServerExchange exchange;
    private final ByteBuffer block = ByteBuffer.allocate(Content.BLOCK).limit(0);
    private final long end;
    private long position;

    ContentWriter(HttpServerExchange exchange, long start, long end) {
        this.exchange = exchange;
        this.position = start;
        this.end = end;
    }

    @Override
    public void handleEvent(StreamSinkChannel channel) {
        try {
            for (int turn = 0; turn < TURNS; turn++) {
                if (position == end) {
                    exchange.endExchange();
                    return;
                }
                if (!block.hasRemaining()) {
                    Content.read(block, position, end);
                }
                int written = channel.write(block);
                if (written == 0) {
                    channel.resumeWrites();
                    return;
                }
                position += written;
            }
            channel.suspendWrites();
            exchange.getIoThread().execute(() -> handleEvent(channel));
        } catch (IOException e) {
            // the client has left
            IoUtils.safeClose(exchange.getConnection());
        }
    }
}
