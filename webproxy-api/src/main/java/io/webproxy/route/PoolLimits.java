package io.webproxy.route;

import java.time.Duration;
import java.util.Objects;

/** How many connections the server keeps to each upstream. Immutable; start from {@link #defaults()}. */
public final class PoolLimits {
    private static final PoolLimits DEFAULTS =
            new PoolLimits(16_384, 1024, Duration.ofSeconds(5), 128, Duration.ofSeconds(4), 100);

    private final int connections;
    private final int queue;
    private final Duration queueTime;
    private final int idlePerThread;
    private final Duration idleTime;
    private final int streams;

    private PoolLimits(
            int connections, int queue, Duration queueTime, int idlePerThread, Duration idleTime, int streams) {
        this.connections = connections;
        this.queue = queue;
        this.queueTime = queueTime;
        this.idlePerThread = idlePerThread;
        this.idleTime = idleTime;
        this.streams = streams;
    }

    /**
     * 16,384 connections, 1024 requests waiting for at most 5 s, 128 idle connections per IO thread and those of a
     * burst for 4 s, 100 streams per connection.
     */
    public static PoolLimits defaults() {
        return DEFAULTS;
    }

    /**
     * The same with another number of open connections per upstream over all IO threads, 1 to 1,000,000; with HTTP/1.1
     * each exchange and WebSocket has one of its own.
     */
    public PoolLimits withConnections(int count) {
        check("connections", count, 1, 1_000_000);
        return new PoolLimits(count, queue, queueTime, idlePerThread, idleTime, streams);
    }

    /**
     * The same with another queue.
     *
     * @param length how many requests may wait for a connection, per upstream, 0 to 1,000,000; beyond it: 503
     * @param time how long a request may wait for one, 1 ms to 1 h; then: 503
     */
    public PoolLimits withQueue(int length, Duration time) {
        check("queue", length, 0, 1_000_000);
        check("queueTime", time);
        return new PoolLimits(connections, length, time, idlePerThread, idleTime, streams);
    }

    /**
     * The same with other idle connections.
     *
     * @param perThread how many are always kept for {@code time}, per upstream and IO thread, 0 to 100,000; 0 closes
     *     each after its exchange. Further connections of a burst are kept too, until they have been idle for 10 s, or
     *     {@code time} if that is shorter, or the process is short of file descriptors
     * @param time how long one may stay idle, 1 ms to 1 h; by default below the 5 s after which common servers close
     *     theirs
     */
    public PoolLimits withIdle(int perThread, Duration time) {
        check("idlePerThread", perThread, 0, 100_000);
        check("idleTime", time);
        return new PoolLimits(connections, queue, queueTime, perThread, time, streams);
    }

    /**
     * The same with another number of exchanges that share an HTTP/2 connection, 1 to 1,000, or fewer if the upstream
     * says so; for more, another connection is opened.
     */
    public PoolLimits withStreams(int count) {
        check("streams", count, 1, 1000);
        return new PoolLimits(connections, queue, queueTime, idlePerThread, idleTime, count);
    }

    /** Open connections per upstream, over all IO threads. */
    public int connections() {
        return connections;
    }

    /** How many requests may wait for a connection, per upstream. */
    public int queue() {
        return queue;
    }

    /** How long a request may wait for a connection. */
    public Duration queueTime() {
        return queueTime;
    }

    /** Idle connections that are always kept, per upstream and IO thread. */
    public int idlePerThread() {
        return idlePerThread;
    }

    /** How long a connection may stay idle. */
    public Duration idleTime() {
        return idleTime;
    }

    /** The number of exchanges that share an HTTP/2 connection. */
    public int streams() {
        return streams;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PoolLimits that
                && connections == that.connections
                && queue == that.queue
                && queueTime.equals(that.queueTime)
                && idlePerThread == that.idlePerThread
                && idleTime.equals(that.idleTime)
                && streams == that.streams;
    }

    @Override
    public int hashCode() {
        return Objects.hash(connections, queue, queueTime, idlePerThread, idleTime, streams);
    }

    @Override
    public String toString() {
        return "PoolLimits[connections=" + connections + ", queue=" + queue + ", queueTime=" + queueTime
                + ", idlePerThread=" + idlePerThread + ", idleTime=" + idleTime + ", streams=" + streams + "]";
    }

    private static void check(String name, Duration value) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(Duration.ofMillis(1)) < 0 || value.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("pool." + name + ": " + value + " (expected: 1 ms to 1 h)");
        }
    }

    private static void check(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "pool." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
    }
}
