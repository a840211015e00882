package io.webproxy;

import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.spi.ConnectionLimits;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Limits, threads and buffers of a server, which rarely need to be changed. Immutable; start from {@link #defaults()}.
 *
 * <p>Threads, buffers and backlog are fixed at the start: an update that changes one of them fails.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class Tuning {
    private static final Tuning DEFAULTS = new Tuning(
            HttpLimits.defaults(),
            Http2Limits.defaults(),
            PoolLimits.defaults(),
            OutlierEjection.defaults(),
            ConnectionLimits.defaults(),
            0,
            0,
            0);

    private final HttpLimits http;
    private final Http2Limits http2;
    private final PoolLimits pool;
    private final OutlierEjection outlierEjection;
    private final ConnectionLimits connections;
    private final int ioThreads;
    private final int bufferSize;
    private final int backlog;

    private Tuning(
            HttpLimits http,
            Http2Limits http2,
            PoolLimits pool,
            OutlierEjection outlierEjection,
            ConnectionLimits connections,
            int ioThreads,
            int bufferSize,
            int backlog) {
        this.http = http;
        this.http2 = http2;
        this.pool = pool;
        this.outlierEjection = outlierEjection;
        this.connections = connections;
        this.ioThreads = ioThreads;
        this.bufferSize = bufferSize;
        this.backlog = backlog;
    }

    /** The default limits; threads and buffers that fit the machine. */
    public static Tuning defaults() {
        return DEFAULTS;
    }

    /** Limits of heads, bodies and waits. */
    public HttpLimits http() {
        return http;
    }

    /** Limits of clients' HTTP/2 connections. */
    public Http2Limits http2() {
        return http2;
    }

    /** Limits of connections to the upstreams of groups without their own. */
    public PoolLimits pool() {
        return pool;
    }

    /** When to eject upstreams of groups without their own rule, and targets of port rules. */
    public OutlierEjection outlierEjection() {
        return outlierEjection;
    }

    /** Limits of client connections. */
    public ConnectionLimits connections() {
        return connections;
    }

    /** How many IO threads; 0 for one per processor, at least two. */
    public int ioThreads() {
        return ioThreads;
    }

    /** The size of a pooled direct buffer in bytes; 0 for one that fits the JVM's memory. */
    public int bufferSize() {
        return bufferSize;
    }

    /** How many connections the kernel holds until they are accepted; 0 for the kernel's own limit. */
    public int backlog() {
        return backlog;
    }

    /** The same with other limits of heads, bodies and waits; wider ones hold in full for later connections. */
    public Tuning withHttp(HttpLimits limits) {
        Objects.requireNonNull(limits, "http");
        return new Tuning(limits, http2, pool, outlierEjection, connections, ioThreads, bufferSize, backlog);
    }

    /** The same with other limits of clients' HTTP/2 connections, for connections that come later. */
    public Tuning withHttp2(Http2Limits limits) {
        Objects.requireNonNull(limits, "http2");
        return new Tuning(http, limits, pool, outlierEjection, connections, ioThreads, bufferSize, backlog);
    }

    /** The same with other limits of connections to the upstreams of groups without their own. */
    public Tuning withPool(PoolLimits limits) {
        Objects.requireNonNull(limits, "pool");
        return new Tuning(http, http2, limits, outlierEjection, connections, ioThreads, bufferSize, backlog);
    }

    /** The same with another rule for upstreams of groups without their own, and for targets of port rules. */
    public Tuning withOutlierEjection(OutlierEjection ejection) {
        Objects.requireNonNull(ejection, "outlierEjection");
        return new Tuning(http, http2, pool, ejection, connections, ioThreads, bufferSize, backlog);
    }

    /**
     * The same with another limit of open client connections over all endpoints; further ones are closed as soon as
     * they are accepted, without effect on the others. In addition, clients can't use an eighth of the process's limit
     * of open files, at least 48 and at most 1,024.
     *
     * @param most 0 to 10,000,000; 0, the default, for 65,536, or fewer if the process has less room
     * @throws IllegalArgumentException if it is another
     */
    public Tuning withConnections(int most) {
        return with(connections.withTotal(most));
    }

    /**
     * The same with another limit of open client connections from one address, an IPv6 network of 64 bits counting as
     * one.
     *
     * @param most 0 to 10,000,000, default 16,384; 0 for no limit
     * @throws IllegalArgumentException if it is another
     */
    public Tuning withConnectionsPerAddress(int most) {
        return with(connections.withPerAddress(most));
    }

    /**
     * The same with other addresses exempt from the limit for each address; default: none. Trusted proxies are always
     * exempt.
     *
     * @param ranges addresses, or ranges such as {@code 10.0.0.0/8}
     */
    public Tuning withConnectionsExempt(String... ranges) {
        return with(connections.withExempt(ranges));
    }

    private Tuning with(ConnectionLimits limits) {
        return new Tuning(http, http2, pool, outlierEjection, limits, ioThreads, bufferSize, backlog);
    }

    /**
     * The same with another number of IO threads.
     *
     * @param count 0 to 1024; 0, the default, for one per processor, at least two
     * @throws IllegalArgumentException if it is another
     */
    public Tuning withIoThreads(int count) {
        int checked = checked("ioThreads", count, 0, 1024);
        return new Tuning(http, http2, pool, outlierEjection, connections, checked, bufferSize, backlog);
    }

    /**
     * The same with another size of a pooled direct buffer; an exchange holds at most one in each direction.
     *
     * @param bytes 4 KiB to 1 MiB; 0, the default, for 16 KiB, or 8 KiB where the JVM may use less than 128 MiB
     * @throws IllegalArgumentException if it is another
     */
    public Tuning withBufferSize(int bytes) {
        int checked = bytes == 0 ? 0 : checked("bufferSize", bytes, 4096, 1 << 20);
        return new Tuning(http, http2, pool, outlierEjection, connections, ioThreads, checked, backlog);
    }

    /**
     * The same with another number of connections that the kernel holds until they are accepted.
     *
     * @param most 0 to 65535; 0, the default, for the kernel's own limit
     * @throws IllegalArgumentException if it is another
     */
    public Tuning withBacklog(int most) {
        int checked = checked("backlog", most, 0, 65535);
        return new Tuning(http, http2, pool, outlierEjection, connections, ioThreads, bufferSize, checked);
    }

    private static int checked(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
        return value;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Tuning that
                && http.equals(that.http)
                && http2.equals(that.http2)
                && pool.equals(that.pool)
                && outlierEjection.equals(that.outlierEjection)
                && connections.equals(that.connections)
                && ioThreads == that.ioThreads
                && bufferSize == that.bufferSize
                && backlog == that.backlog;
    }

    @Override
    public int hashCode() {
        return Objects.hash(http, http2, pool, outlierEjection, connections, ioThreads, bufferSize, backlog);
    }

    @Override
    public String toString() {
        return "Tuning[http=" + http + ", http2=" + http2 + ", pool=" + pool + ", outlierEjection="
                + outlierEjection + ", connections=" + connections
                + ", ioThreads=" + ioThreads + ", bufferSize=" + bufferSize + ", backlog=" + backlog + "]";
    }
}
