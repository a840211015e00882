package io.webproxy.samples.demo;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Methods;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSourceChannel;

/** Reads a body of any size, discards it, and answers with its length and SHA-256. */
final class Upload implements ChannelListener<StreamSourceChannel> {
    /** Reads per event: then other exchanges of the IO thread have their turn. */
    private static final int TURNS = 16;

    private final HttpServerExchange exchange;
    private final ByteBuffer buffer = ByteBuffer.allocate(16 * 1024);
    private final MessageDigest digest;
    private long bytes;

    private Upload(HttpServerExchange exchange) {
        this.exchange = exchange;
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static void handle(HttpServerExchange exchange) {
        if (Reply.allows(exchange, Methods.POST, Methods.PUT)) {
            StreamSourceChannel channel = exchange.getRequestChannel();
            Upload upload = new Upload(exchange);
            channel.getReadSetter().set(upload);
            exchange.dispatch(exchange.getIoThread(), () -> upload.handleEvent(channel));
        }
    }

    @Override
    public void handleEvent(StreamSourceChannel channel) {
        try {
            for (int turn = 0; turn < TURNS; turn++) {
                int read = channel.read(buffer.clear());
                if (read < 0) {
                    channel.suspendReads();
                    String sha256 = HexFormat.of().formatHex(digest.digest());
                    Reply.json(exchange, "{\"bytes\":" + bytes + ",\"sha256\":\"" + sha256 + "\"}");
                    return;
                }
                if (read == 0) {
                    channel.resumeReads();
                    return;
                }
                bytes += read;
                digest.update(buffer.flip());
            }
            channel.suspendReads();
            exchange.getIoThread().execute(() -> handleEvent(channel));
        } catch (IOException e) {
            // the client has left
            IoUtils.safeClose(exchange.getConnection());
        }
    }
}
