package io.webproxy.undertow.http1;

import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.webproxy.undertow.conduit.EachReadSource;
import io.webproxy.undertow.exchange.BrokenOff;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.message.ChunkedDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/**
 * The request bodies of one connection, one after the other, framed by length or chunked: first the bytes that were
 * read with the head, then the socket.
 *
 * <p>Malformed framing is reported to the exchange and never thrown. Belongs to the connection's IO thread.
 */
final class RequestSource extends EachReadSource {
    private final RequestReceiver receiver;
    private @Nullable ReadReadyHandler handler;
    private @Nullable HttpServerExchange http;
    private @Nullable ChunkedDecoder decoder;
    private long left;
    private boolean resumed;
    private boolean broken;

    RequestSource(StreamSourceConduit socket, RequestReceiver receiver) {
        super(socket);
        this.receiver = receiver;
    }

    /** A body of this length follows. */
    void startLength(HttpServerExchange exchange, long length) {
        http = exchange;
        left = length;
    }

    /** A chunked body follows. */
    void startChunks(HttpServerExchange exchange) {
        http = exchange;
        decoder = new ChunkedDecoder();
    }

    /** Whether a body is incomplete. */
    boolean isActive() {
        return http != null;
    }

    /** Whether it is chunked. */
    boolean isChunked() {
        return decoder != null;
    }

    /** The exchange is over. */
    void reset() {
        http = null;
        decoder = null;
        resumed = false;
        broken = false;
    }

    /** Calls a waiting reader: bytes or the end have arrived. */
    void ready() {
        ReadReadyHandler reader = handler;
        if (resumed && reader != null) {
            reader.readReady();
        }
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        HttpServerExchange exchange = http;
        if (exchange == null) {
            return -1;
        }
        if (broken) {
            return discard(dst);
        }
        ChunkedDecoder chunks = decoder;
        return chunks == null ? readLength(dst, exchange) : readChunks(dst, exchange, chunks);
    }

    private int readLength(ByteBuffer dst, HttpServerExchange exchange) throws IOException {
        int limit = dst.limit();
        if (dst.remaining() > left) {
            dst.limit(dst.position() + (int) left);
        }
        int read;
        try {
            read = receiver.take(dst);
        } finally {
            dst.limit(limit);
        }
        if (read < 0) {
            throw cut(exchange);
        }
        left -= read;
        if (left == 0) {
            complete(exchange);
        }
        return read;
    }

    private int readChunks(ByteBuffer dst, HttpServerExchange exchange, ChunkedDecoder chunks) throws IOException {
        while (dst.hasRemaining()) {
            int start = dst.position();
            int read = receiver.take(dst);
            if (read < 0) {
                throw cut(exchange);
            }
            if (read == 0) {
                return 0;
            }
            ByteBuffer rest = chunks.decodeInPlace(dst, start);
            int moved = dst.position() - start;
            if (chunks.problem() != null) {
                dst.position(start);
                broken = true;
                Exchange.of(exchange)
                        .limits()
                        .requestBroken(chunks.isTooLarge() ? 431 : 400, "its chunked framing is malformed");
                return 0;
            }
            if (chunks.isEnd()) {
                HeaderMap trailers = chunks.trailers();
                if (trailers != null) {
                    exchange.putAttachment(HttpAttachments.REQUEST_TRAILERS, trailers);
                }
                if (rest.hasRemaining()) {
                    receiver.giveBack(rest);
                }
                complete(exchange);
                return moved == 0 ? -1 : moved;
            }
            if (moved > 0) {
                return moved;
            }
        }
        return 0;
    }

    private void complete(HttpServerExchange exchange) {
        http = null;
        Connectors.terminateRequest(exchange);
        receiver.bodyEnded();
    }

    private static IOException cut(HttpServerExchange exchange) {
        exchange.setPersistent(false);
        return new BrokenOff("the client left within its request body");
    }

    /** Reads and discards the rest, so that an answer gets through before the connection ends. */
    private int discard(ByteBuffer dst) throws IOException {
        int start = dst.position();
        int read;
        do {
            read = receiver.take(dst);
            dst.position(start);
        } while (read > 0);
        return read;
    }

    @Override
    public long read(ByteBuffer[] dsts, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (dsts[i].hasRemaining()) {
                return read(dsts[i]);
            }
        }
        return isActive() ? 0 : -1;
    }

    @Override
    public void setReadReadyHandler(ReadReadyHandler reader) {
        // closing the socket's source would close the connection
        handler = reader;
    }

    @Override
    public boolean isReadResumed() {
        return resumed;
    }

    @Override
    public void resumeReads() {
        resumed = true;
        receiver.readerResumed();
    }

    @Override
    public void wakeupReads() {
        resumed = true;
        receiver.wakeReader();
    }

    @Override
    public void suspendReads() {
        resumed = false;
        receiver.readerSuspended();
    }

    @Override
    public void terminateReads() {
        HttpServerExchange exchange = http;
        if (exchange != null) {
            http = null;
            exchange.setPersistent(false);
            Connectors.terminateRequest(exchange);
        }
    }

    @Override
    public void awaitReadable() throws IOException {
        if (!receiver.holdsBytes()) {
            super.awaitReadable();
        }
    }

    @Override
    public void awaitReadable(long time, TimeUnit unit) throws IOException {
        if (!receiver.holdsBytes()) {
            super.awaitReadable(time, unit);
        }
    }
}
