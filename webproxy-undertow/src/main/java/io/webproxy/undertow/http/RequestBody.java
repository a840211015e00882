package io.webproxy.undertow.http;

import io.undertow.conduits.ReadDataStreamSourceConduit;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Turn;
import io.webproxy.undertow.message.ChunkedDecoder;
import io.webproxy.undertow.exchange.Exchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.ssl.SslConnection;

/**
 * The request body on its way from the client: counted, limited, and with strict chunked framing in place of Undertow's lenient one.
 *
 * <p>What is wrong with it is told to the exchange, and never thrown: Undertow would close the connection without a status. Not thread-safe.
 */
final class RequestBody extends AbstractStreamSourceConduit<StreamSourceConduit> {
    private final Exchange exchange;
    private final long limit;
    private final @Nullable ChunkedDecoder decoder;
    private final BodyPace pace;
    private final Turn turn = new Turn();
    private final boolean takesTurns;
    private boolean resting;
    private boolean resumedAfterRest;
    private boolean ended;
    private boolean broken;

    private RequestBody(
            StreamSourceConduit next, Exchange exchange, HttpLimits limits, @Nullable ChunkedDecoder decoder) {
        super(next);
        this.exchange = exchange;
        this.limit = exchange.route().access().requestBodyBytes().orElse(limits.requestBodyBytes());
        this.decoder = decoder;
        this.pace = new BodyPace(
                limits.requestBodyRate(),
                limits.requestBodyGrace(),
                exchange.shared().nanoClock().getAsLong());
        // streams of HTTP/2 share one connection, and have windows
        this.takesTurns = !exchange.client().isMultiplexed();
    }

    /** Puts it in the way of a request that has a body. */
    static void install(Exchange exchange, HttpLimits limits) {
        HttpServerExchange http = exchange.http();
        if (http.isRequestComplete()) {
            return;
        }
        boolean chunked =
                !exchange.client().isMultiplexed() && http.getRequestHeaders().contains(Headers.TRANSFER_ENCODING);
        http.addRequestWrapper((factory, same) -> {
            exchange.client().unwatch();
            if (!chunked) {
                return watched(new RequestBody(factory.create(), exchange, limits, null));
            }
            HttpServerConnection connection = (HttpServerConnection) http.getConnection();
            return watched(new RequestBody(
                    new ReadDataStreamSourceConduit(connection.getOriginalSourceConduit(), connection),
                    exchange,
                    limits,
                    new ChunkedDecoder()));
        });
    }

    private static RequestBody watched(RequestBody body) {
        body.exchange.whileWaiting(body::checkPace);
        return body;
    }

    /** A client that sends next to nothing holds an exchange as long as it likes: no silence limit finds it. */
    private void checkPace(long now) {
        boolean waiting = !ended && !broken && !exchange.http().isRequestComplete() && isReadResumed();
        if (pace.isTooSlow(now, waiting, exchange.bytesIn())) {
            broken(408, "its body came too slowly");
        }
    }

    @Override
    public int read(ByteBuffer dst) throws IOException {
        if (broken) {
            return discard(dst);
        }
        if (ended) {
            return complete();
        }
        if (takesTurns && turn.isOver()) {
            rest();
            return 0;
        }
        int read = decoder == null ? next.read(dst) : readChunked(dst, decoder);
        if (read < 0 && !exchange.client().isRequestWhole()) {
            throw new IOException("the client left within its request body");
        }
        if (read > 0) {
            turn.moved(read);
            exchange.received(read);
            if (limit > 0 && exchange.bytesIn() > limit) {
                dst.position(dst.position() - read);
                return broken(413, "its body is above " + limit + " bytes");
            }
        }
        return read;
    }

    /** A socket in clear says at once that it can be read again, behind all others; one under TLS would be read again before them. */
    private void rest() {
        HttpServerConnection connection = (HttpServerConnection) exchange.http().getConnection();
        if (connection.getChannel() instanceof SslConnection) {
            resumedAfterRest = next.isReadResumed();
            resting = true;
            next.suspendReads();
            IoTasks.executeAfter(getReadThread(), this::rested, Turn.TLS_REST_MILLIS);
        }
    }

    private void rested() {
        resting = false;
        if (resumedAfterRest && !exchange.isEnded()) {
            next.resumeReads();
        }
    }

    @Override
    public void resumeReads() {
        if (resting) {
            resumedAfterRest = true;
        } else {
            super.resumeReads();
        }
    }

    @Override
    public void suspendReads() {
        if (resting) {
            resumedAfterRest = false;
        } else {
            super.suspendReads();
        }
    }

    @Override
    public boolean isReadResumed() {
        return resting ? resumedAfterRest : super.isReadResumed();
    }

    private int readChunked(ByteBuffer dst, ChunkedDecoder chunks) throws IOException {
        while (dst.hasRemaining()) {
            int start = dst.position();
            int read = next.read(dst);
            if (read < 0) {
                throw new IOException("the client closed within a chunked body");
            }
            if (read == 0) {
                return 0;
            }
            // the framing is taken out in place: what is left is never longer than what was read
            ByteBuffer raw = dst.duplicate().flip().position(start);
            dst.position(start);
            int moved = chunks.decode(raw, dst);
            if (chunks.problem() != null) {
                dst.position(start);
                return broken(chunks.isTooLarge() ? 431 : 400, "its chunked framing is malformed");
            }
            if (chunks.isEnd()) {
                end(raw, chunks.trailers());
                if (moved == 0) {
                    return complete();
                }
            }
            if (moved > 0) {
                return moved;
            }
        }
        return 0;
    }

    private void end(ByteBuffer rest, @Nullable HeaderMap trailers) {
        ended = true;
        if (trailers != null) {
            exchange.http().putAttachment(HttpAttachments.REQUEST_TRAILERS, trailers);
        }
        if (rest.hasRemaining()) {
            // the next request, pipelined
            HttpServerConnection connection =
                    (HttpServerConnection) exchange.http().getConnection();
            PooledByteBuffer pooled = connection.getByteBufferPool().allocate();
            pooled.getBuffer().put(rest).flip();
            connection.ungetRequestBytes(pooled);
        }
    }

    /** What comes now is of the next request: this one's reader is done. */
    private int complete() {
        next.suspendReads();
        Connectors.terminateRequest(exchange.http());
        return -1;
    }

    private int broken(int status, String detail) {
        broken = true;
        exchange.requestBroken(status, detail);
        return 0;
    }

    /** Nobody wants the rest; it is read so that an answer gets through before the connection ends. */
    private int discard(ByteBuffer dst) throws IOException {
        int start = dst.position();
        int read;
        do {
            read = next.read(dst);
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
        return 0;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer throughBuffer, StreamSinkChannel target) throws IOException {
        return IoUtils.transfer(new ConduitReadableByteChannel(this), count, throughBuffer, target);
    }
}
