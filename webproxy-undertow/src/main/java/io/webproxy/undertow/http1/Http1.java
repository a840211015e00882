package io.webproxy.undertow.http1;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpHandler;
import io.webproxy.http.HttpLimits;
import io.webproxy.undertow.deadline.IoBuffers;
import io.webproxy.undertow.deadline.Sweeper;
import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.Origin;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/** Opens HTTP/1.1 connections of clients. Thread-safe. */
public final class Http1 {
    private final IoBuffers buffers;
    private final ByteBufferPool bulk;
    private final IoBuffers records;
    private final Exchanges exchanges;
    private final Supplier<HttpLimits> limits;
    private final Map<XnioIoThread, IdleConnections> idle = new ConcurrentHashMap<>();

    /** Takes over a cleartext connection whose client speaks HTTP/2 (RFC 9113 section 3.3). */
    @FunctionalInterface
    public interface Http2Switch {
        /**
         * Serves the connection from now on; on its IO thread.
         *
         * @param prefaceRead how many bytes of the preface have been read
         * @param read bytes after them that were read already, or null
         */
        void take(int prefaceRead, @Nullable PooledByteBuffer read);
    }

    /** {@code limits}: read for each head, so that changes apply to the next one. */
    public Http1(IoBuffers buffers, IoBuffers records, Exchanges exchanges, Supplier<HttpLimits> limits) {
        this.buffers = buffers;
        this.bulk = buffers.forBulk();
        this.records = records;
        this.exchanges = exchanges;
        this.limits = limits;
    }

    /**
     * Serves a connection from now on; on its IO thread.
     *
     * @param connection its listeners are replaced
     * @param root handles all requests, refused ones included
     * @param http2 takes it over if it starts with HTTP/2's preface; null if HTTP/2 is off
     * @param read bytes that were read already, or null
     */
    public Http1Connection open(
            StreamConnection connection,
            Origin origin,
            HttpHandler root,
            @Nullable Http2Switch http2,
            @Nullable PooledByteBuffer read) {
        Http1Connection opened = new Http1Connection(this, connection, origin, root, http2);
        opened.start(read);
        return opened;
    }

    ByteBufferPool buffers() {
        return buffers;
    }

    /** Buffers for a transfer of much data. */
    ByteBufferPool bulk() {
        return bulk;
    }

    /** Buffers for TLS records. */
    IoBuffers records() {
        return records;
    }

    HttpLimits limits() {
        return limits.get();
    }

    Sweeper sweeper(XnioIoThread thread) {
        return exchanges.sweeper(thread);
    }

    IdleConnections idle(XnioIoThread thread) {
        return idle.computeIfAbsent(
                thread,
                of -> new IdleConnections(
                        sweeper(of), () -> limits.get().keepAliveTime().toNanos()));
    }
}
