package io.webproxy.undertow.http1;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Protocols;
import io.webproxy.undertow.conduit.EachWriteSink;
import io.webproxy.undertow.deadline.IoBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.StreamSinkConduit;

/**
 * Writes the responses of one connection: the head and the first bytes of the body in one write; framed by length,
 * chunked, or up to the end of the connection.
 *
 * <p>Body bytes count as written only once the socket has them; framing may wait here. Belongs to the connection's IO
 * thread.
 */
final class ResponseSink extends EachWriteSink {
    /** Above this size, body bytes aren't copied after the framing before them. */
    private static final int MOST_COPIED = 8 * 1024;
    /** The plaintext of one TLS record: above it there would be two. */
    private static final int RECORD = 16 * 1024;

    private static final int LEAST_SPACE = 64;

    private final FramingBuffer framing;
    private final int bufferSize;
    private final boolean secure;
    /** Null in cleartext. */
    private final @Nullable IoBuffers records;

    private final ByteBuffer[] gathered = new ByteBuffer[3];
    private final ByteBuffer lineEnd = ByteBuffer.wrap(new byte[] {'\r', '\n'});

    private @Nullable HttpServerExchange http;
    private ResponseFraming form = ResponseFraming.NOTHING;
    private long left;
    private long chunkLeft;
    private boolean headMade;
    private boolean terminated;
    private boolean endMade;

    /** {@code records}: the buffers of TLS; null in cleartext. */
    ResponseSink(StreamSinkConduit socket, ByteBufferPool pool, @Nullable IoBuffers records) {
        super(socket);
        this.framing = new FramingBuffer(pool);
        this.bufferSize = pool.getBufferSize();
        this.records = records;
        this.secure = records != null;
    }

    /** Starts a response; its head is made with the first write or flush. */
    void start(HttpServerExchange exchange) {
        http = exchange;
        headMade = false;
        terminated = false;
        endMade = false;
        chunkLeft = 0;
        left = ResponseFraming.length(exchange);
        form = ResponseFraming.of(exchange, left);
    }

    /** Whether a response has started that one buffer may not hold. */
    boolean isLong() {
        return http != null && form != ResponseFraming.NOTHING && (left < 0 || left > bufferSize);
    }

    /** The exchange is over, or the connection. */
    void reset() {
        http = null;
        framing.release();
    }

    /** Puts a head before everything else; {@link #sendFraming} sends it. */
    void interim(int status, String reason, HeaderMap fields, HttpServerExchange exchange) {
        ResponseHead head = ResponseHead.empty();
        framing.append(head.status(exchange.getProtocol(), status, reason)
                .fields(fields)
                .lineEnd());
    }

    private void makeHead(HttpServerExchange exchange) {
        headMade = true;
        ResponseHead head = ResponseHead.empty();
        // also if another version was requested (RFC 9112 section 2.3)
        HttpString version = exchange.isHttp10() ? Protocols.HTTP_1_0 : Protocols.HTTP_1_1;
        framing.append(head.status(version, exchange.getStatusCode(), exchange.getReasonPhrase())
                .fields(exchange.getResponseHeaders())
                .lineEnd());
    }

    /** Sends waiting framing; returns whether all of it was written. */
    boolean sendFraming() throws IOException {
        try {
            return framing.writeTo(next);
        } finally {
            framing.keep();
        }
    }

    @Override
    public int write(ByteBuffer src) throws IOException {
        HttpServerExchange exchange = http;
        if (exchange == null || terminated) {
            throw new ClosedChannelException();
        }
        if (!src.hasRemaining()) {
            return 0;
        }
        try {
            if (!headMade) {
                makeHead(exchange);
            }
            return writeBody(src);
        } finally {
            framing.keep();
        }
    }

    private int writeBody(ByteBuffer src) throws IOException {
        switch (form) {
            case NOTHING -> {
                if (!framing.writeTo(next)) {
                    return 0;
                }
                int count = src.remaining();
                src.position(src.limit());
                return count;
            }
            case LENGTH -> {
                if (left == 0) {
                    throw new IOException("a response is longer than its Content-Length");
                }
                int written = write(src, left, false);
                left -= written;
                return written;
            }
            case CHUNKS -> {
                if (chunkLeft == 0) {
                    chunkLeft = src.remaining();
                    framing.appendChunkSize(src.remaining());
                }
                int written = write(src, chunkLeft, true);
                chunkLeft -= written;
                return written;
            }
            default -> {
                return write(src, Long.MAX_VALUE, false);
            }
        }
    }

    /**
     * Writes at most {@code most} bytes of {@code src}, after the framing; {@code ends}: with an end of line if those
     * are all of {@code most}.
     */
    private int write(ByteBuffer src, long most, boolean ends) throws IOException {
        int limit = src.limit();
        int count = (int) Math.min(src.remaining(), most);
        boolean whole = ends && count == most;
        try {
            src.limit(src.position() + count);
            ByteBuffer before = framing.waiting();
            if (before != null && secure && space(before) < LEAST_SPACE) {
                if (!framing.writeTo(next)) {
                    return 0;
                }
                before = null;
            }
            if (before == null && whole && secure && count > RECORD) {
                // the rest of the chunk is written with its end
                src.limit(src.limit() - RECORD / 2);
                return writePlain(src);
            }
            if (before == null && !whole) {
                return writePlain(src);
            }
            if (before == null) {
                before = framing.open();
            }
            int space = space(before) - lineEnd.capacity();
            return secure || (count <= MOST_COPIED && count <= space)
                    ? writeCopy(before, src, Math.min(count, space), whole && count <= space)
                    : writeGathered(before, src, whole);
        } finally {
            src.limit(limit);
        }
    }

    private int writePlain(ByteBuffer src) throws IOException {
        IoBuffers ofTls = records;
        if (ofTls == null || src.remaining() <= RECORD) {
            return next.write(src);
        }
        ofTls.beginBulk();
        try {
            return next.write(src);
        } finally {
            ofTls.endBulk();
        }
    }

    private int space(ByteBuffer before) {
        return (secure ? Math.min(RECORD, before.capacity()) : before.capacity()) - before.limit();
    }

    private int writeCopy(ByteBuffer before, ByteBuffer src, int count, boolean ends) throws IOException {
        int headEnd = before.limit();
        int dataEnd = headEnd + count;
        before.limit(dataEnd).put(headEnd, src, src.position(), count);
        if (ends) {
            before.limit(dataEnd + 2).put(dataEnd, (byte) '\r').put(dataEnd + 1, (byte) '\n');
        }
        next.write(before);
        int at = before.position();
        int written = Math.min(Math.max(0, at - headEnd), count);
        src.position(src.position() + written);
        if (at < headEnd) {
            before.limit(headEnd);
        } else if (at < dataEnd || !before.hasRemaining()) {
            framing.release();
        }
        return written;
    }

    private int writeGathered(ByteBuffer before, ByteBuffer src, boolean ends) throws IOException {
        int start = src.position();
        gathered[0] = before;
        gathered[1] = src;
        gathered[2] = lineEnd.clear();
        next.write(gathered, 0, ends ? 3 : 2);
        gathered[0] = null;
        gathered[1] = null;
        if (!before.hasRemaining()) {
            framing.release();
            if (ends && !src.hasRemaining() && lineEnd.hasRemaining()) {
                byte[] rest = new byte[lineEnd.remaining()];
                lineEnd.get(rest);
                framing.append(rest, rest.length);
            }
        }
        return src.position() - start;
    }

    @Override
    public boolean flush() throws IOException {
        HttpServerExchange exchange = http;
        if (exchange == null) {
            return sendFraming() && next.flush();
        }
        if (!headMade) {
            makeHead(exchange);
        }
        if (terminated && !endMade) {
            endMade = true;
            if (form == ResponseFraming.CHUNKS) {
                makeLastChunk(exchange);
            }
        }
        if (!sendFraming() || !next.flush()) {
            return false;
        }
        if (terminated) {
            Connectors.terminateResponse(exchange);
        }
        return true;
    }

    private void makeLastChunk(HttpServerExchange exchange) {
        ResponseHead last = ResponseHead.empty().text("0").lineEnd();
        HeaderMap trailers = trailers(exchange);
        if (trailers != null) {
            last.fields(trailers);
        }
        framing.append(last.lineEnd());
    }

    private static @Nullable HeaderMap trailers(HttpServerExchange exchange) {
        HeaderMap trailers = exchange.getAttachment(HttpAttachments.RESPONSE_TRAILERS);
        return trailers == null || trailers.size() == 0 ? null : trailers;
    }

    @Override
    public void terminateWrites() throws IOException {
        HttpServerExchange exchange = http;
        if (exchange == null || terminated) {
            return;
        }
        terminated = true;
        if (form == ResponseFraming.CHUNKS && !headMade && trailers(exchange) == null) {
            form = ResponseFraming.NOTHING;
            exchange.getResponseHeaders().remove(Headers.TRANSFER_ENCODING);
            exchange.getResponseHeaders().put(Headers.CONTENT_LENGTH, "0");
        } else if ((form == ResponseFraming.LENGTH && left > 0) || chunkLeft > 0) {
            truncateWrites();
            throw new IOException("a response ended before its end");
        }
    }

    @Override
    public void truncateWrites() throws IOException {
        HttpServerExchange exchange = http;
        try {
            framing.release();
            super.truncateWrites();
        } finally {
            if (exchange != null) {
                exchange.setPersistent(false);
                Connectors.terminateResponse(exchange);
            }
        }
    }
}
