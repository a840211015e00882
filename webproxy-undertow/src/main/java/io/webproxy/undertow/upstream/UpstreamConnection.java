package io.webproxy.undertow.upstream;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.HeaderMap;
import io.webproxy.observe.ForwardError;
import io.webproxy.route.Route;
import io.webproxy.undertow.deadline.Guard;
import io.webproxy.undertow.deadline.IoTasks;
import io.webproxy.undertow.deadline.Reset;
import io.webproxy.undertow.deadline.SocketReads;
import io.webproxy.undertow.exchange.BrokenOff;
import io.webproxy.undertow.tls.TlsFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.ssl.SslConnection;

/**
 * An HTTP/1.1 connection to an upstream, which serves one exchange after the other.
 *
 * <p>Not thread-safe: it belongs to its IO thread.
 */
public final class UpstreamConnection implements UpstreamStream {
    private static final ThreadLocal<RequestHeadWriter> WRITERS = ThreadLocal.withInitial(RequestHeadWriter::new);
    private static final int MAX_INTERIM = 32;

    /** Owns a connection while no exchange uses it; called on its IO thread. */
    interface Keeper {
        /** The connection can serve another exchange. */
        void release(UpstreamConnection connection);

        /** The client connection that it is reserved for uses it again; false if it wasn't kept. */
        boolean resumed(UpstreamConnection connection);

        /** The connection is closed. */
        void closed(UpstreamConnection connection);
    }

    private final StreamConnection stream;
    private final ConduitStreamSourceChannel source;
    private final ConduitStreamSinkChannel sink;
    private final SocketReads reads;
    private final ByteBufferPool buffers;
    private final Keeper keeper;
    private final ResponseParser parser;

    private @Nullable UpstreamListener listener;
    private @Nullable RequestBodySink request;
    private @Nullable ResponseBodySource response;
    private @Nullable Use use;
    private boolean headRequest;
    private boolean persistent;
    private int interim;
    private int served;
    private long idleSince;
    private boolean idle;
    private boolean closed;
    private boolean detached;

    UpstreamConnection(
            StreamConnection stream, SocketReads reads, Keeper keeper, ByteBufferPool buffers, ResponseParser parser) {
        this.stream = stream;
        this.reads = reads;
        this.source = stream.getSourceChannel();
        this.sink = stream.getSinkChannel();
        this.keeper = keeper;
        this.buffers = buffers;
        this.parser = parser;
        sink.setConduit(reads.readableAfterFailure(sink.getConduit()));
        source.setReadListener(channel -> guarded("reading from an upstream", this::readable));
        sink.setWriteListener(channel -> guarded("writing to an upstream", this::writable));
    }

    @Override
    public String protocol() {
        return "HTTP/1.1";
    }

    @Override
    public boolean isReused() {
        return served > 0;
    }

    /** Whether it can still be used. */
    boolean isOpen() {
        return !closed && stream.isOpen();
    }

    /** Whether it speaks TLS. */
    boolean isSecure() {
        return stream instanceof SslConnection;
    }

    long idleSince() {
        return idleSince;
    }

    /** It waits in its lane from now on. */
    void idleSince(long nanos) {
        idleSince = nanos;
        idle = true;
    }

    /** Whether it waits in its lane. */
    boolean isIdle() {
        return idle;
    }

    /** It no longer waits in its lane. */
    void leftIdle() {
        idle = false;
    }

    /**
     * Checks whether the upstream has closed an idle connection, or has sent unsolicited bytes.
     *
     * @return whether the connection can be used
     */
    boolean probe() {
        reads.look();
        return isSilent();
    }

    private boolean isSilent() {
        try (PooledByteBuffer pooled = buffers.allocate()) {
            return source.read(pooled.getBuffer()) == 0;
        } catch (IOException e) {
            return false;
        } catch (Throwable e) {
            Guard.failed("looking at an idle upstream connection", e);
            return false;
        }
    }

    /**
     * The reservation of a connection that a client has begun to log in on.
     *
     * @param owner the client connection's; null for the current exchange only
     */
    record Use(@Nullable OwnedConnections owner, Route route) {}

    @Override
    public void belongTo(@Nullable OwnedConnections owner, Route route) {
        if (use == null) {
            use = new Use(owner, route);
        }
    }

    /** The reservation; null if every client may use it. */
    @Nullable Use use() {
        return use;
    }

    /** Takes it from its owner's idle connections, if it is usable. */
    boolean resume(boolean probe) {
        return isOpen() && (!probe || probe()) && keeper.resumed(this);
    }

    @Override
    public void exchange(
            UpstreamListener who,
            RequestHead head,
            RequestFraming framing,
            boolean isHead,
            Supplier<@Nullable HeaderMap> trailers) {
        RequestHeadWriter writer = WRITERS.get();
        head.writeTo(writer);
        ByteBuffer bytes = writer.end();
        listener = who;
        headRequest = isHead;
        interim = 0;
        persistent = true;
        response = null;
        RequestBodySink body = new RequestBodySink(who, sink, bytes, framing, trailers);
        request = body;
        if (framing.isNone() || isSecure()) {
            body.start();
        } else {
            // what the client has already sent of the body is written with the head
            IoTasks.execute(stream.getIoThread(), body::start);
        }
        source.resumeReads();
    }

    @Override
    public boolean isRequestSent() {
        return request != null && request.isWritten();
    }

    @Override
    public boolean isAwaitingBody() {
        return request != null && request.isAwaitingBody();
    }

    @Override
    public StreamSinkConduit requestBody() {
        return Objects.requireNonNull(request, "request");
    }

    @Override
    public StreamSourceConduit responseBody(ResponseListener who) {
        ResponseBodySource body = Objects.requireNonNull(response, "response");
        body.listener(who);
        return body;
    }

    @Override
    public void lookAhead() {
        if (response != null) {
            reads.look();
            response.lookAhead(buffers);
        }
    }

    @Override
    public Detached detach() {
        detached = true;
        listener = null;
        ResponseBodySource body = response;
        PooledByteBuffer early = body == null ? null : body.takeEarly();
        request = null;
        response = null;
        parser.release();
        source.suspendReads();
        source.setReadListener(null);
        sink.suspendWrites();
        sink.setWriteListener(null);
        return new Detached(stream, early);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            listener = null;
            if (request != null) {
                request.discard();
            }
            if (response != null) {
                response.fail(new BrokenOff("the upstream connection is closed"));
            }
            IoUtils.safeClose(stream);
            keeper.closed(this);
        }
    }

    @Override
    public void abort() {
        Reset.atClose(stream);
        close();
    }

    /**
     * Runs a step; what it throws would otherwise end in the IO thread's loop, and leave the client waiting forever.
     */
    private void guarded(String place, Runnable step) {
        Guard.run(place, step, () -> fail(ForwardError.INVALID_RESPONSE, "an internal error"));
    }

    private void readable() {
        if (response != null) {
            response.readable();
        } else if (listener != null) {
            readHead(listener);
        } else if (!detached && !isSilent()) {
            // idle: the upstream has closed, or sends unsolicited bytes; over TLS there may be no data, or a session
            // ticket
            close();
        }
    }

    private void writable() {
        if (request != null) {
            request.writable();
        } else {
            sink.suspendWrites();
        }
    }

    private void readHead(UpstreamListener who) {
        PooledByteBuffer pooled = buffers.allocate();
        boolean kept = false;
        try {
            ByteBuffer buffer = pooled.getBuffer();
            while (listener == who && response == null) {
                buffer.clear();
                int read;
                IOException broken = null;
                try {
                    read = source.read(buffer);
                } catch (IOException e) {
                    broken = e;
                    read = -1;
                }
                if (read == 0) {
                    return;
                }
                if (read < 0) {
                    ended(broken);
                    return;
                }
                buffer.flip();
                kept = feed(who, pooled);
            }
        } finally {
            if (!kept) {
                pooled.close();
            }
        }
    }

    private void ended(@Nullable IOException why) {
        if (why instanceof SSLException && !isReused() && !parser.hasBegun() && interim == 0) {
            // with TLS 1.3 the upstream checks the client certificate after this side's handshake is done (RFC 8446
            // section 4.4.2.4)
            fail(ForwardError.CONNECT_TLS, "TLS has ended: " + TlsFailure.text(why));
        } else {
            fail(ForwardError.UPSTREAM_CLOSED, "the upstream closed before its response head was complete");
        }
    }

    private boolean feed(UpstreamListener who, PooledByteBuffer pooled) {
        ByteBuffer buffer = pooled.getBuffer();
        while (listener == who && buffer.hasRemaining()) {
            switch (parser.feed(buffer, headRequest)) {
                case MORE -> {
                    return false;
                }
                case INVALID -> fail(ForwardError.INVALID_RESPONSE, parser.problem());
                case TOO_LARGE -> fail(ForwardError.RESPONSE_HEAD_TOO_LARGE, parser.problem());
                case HEAD -> {
                    ParsedHead head = parser.take();
                    parser.leniency().forwarded();
                    if (head.status() >= 200 || head.status() == 101) {
                        boolean keep = buffer.hasRemaining();
                        persistent = head.isPersistent();
                        response = new ResponseBodySource(this, source, head, parser.leniency(), keep ? pooled : null);
                        who.responded(head);
                        return keep;
                    }
                    if (++interim > MAX_INTERIM) {
                        fail(ForwardError.INVALID_RESPONSE, "more than " + MAX_INTERIM + " interim responses");
                    } else {
                        who.interim(head);
                    }
                }
            }
        }
        return false;
    }

    private void fail(ForwardError error, String detail) {
        UpstreamListener who = listener;
        boolean silent = error == ForwardError.UPSTREAM_CLOSED && !parser.hasBegun() && interim == 0;
        close();
        if (who != null) {
            who.failed(error, detail, silent);
        }
    }

    /** There are bytes after the response: the connection can't be trusted any more. */
    void surplus() {
        persistent = false;
    }

    /** The response is complete: the connection goes back to the pool if it can serve again. */
    void responseEnded() {
        if (closed) {
            return;
        }
        RequestBodySink sent = request;
        listener = null;
        if (persistent && !parser.leniency().isUsed() && sent != null && sent.isComplete()) {
            // who holds it still must not touch the next exchange's socket
            sent.discard();
            request = null;
            response = null;
            served++;
            source.resumeReads();
            keeper.release(this);
        } else {
            close();
        }
    }
}
