package io.webproxy.route;

import java.time.Duration;
import java.util.Objects;

/**
 * How many connections the server keeps to each upstream. Immutable; start from {@link #defaults()}.
 *
 * @param connections open connections per upstream over all IO threads, 1 to 1,000,000; with HTTP/1.1 each exchange and
 *     WebSocket has one of its own
 * @param queue how many requests may wait for one, per upstream, 0 to 1,000,000; beyond it: 503
 * @param queueTime how long a request may wait for one; then: 503
 * @param idlePerThread idle connections that are always kept for {@code idleTime}, per upstream and IO thread, 0 to
 *     100,000; 0 closes each after its exchange. What more a burst of requests needed is kept too, until it has been
 *     idle for 10 s, or {@code idleTime} if that is shorter, or the process is short of file descriptors
 * @param idleTime how long a connection may stay idle; below the 5 s after which common servers close theirs
 * @param ejectAfter after how many failed connects in a row an upstream of several is skipped, 0 to 1,000; 0 for never
 * @param ejectTime how long it is skipped; then one request at a time tries it again. One that is alone, or whose
 *     others are skipped too, is always tried
 * @param streams exchanges that share a connection of HTTP/2, 1 to 1,000, or fewer where the upstream says so; then
 *     another one is opened
 */
public record PoolLimits(
        int connections,
        int queue,
        Duration queueTime,
        int idlePerThread,
        Duration idleTime,
        int ejectAfter,
        Duration ejectTime,
        int streams) {
    private static final int STREAMS = 100;
    private static final PoolLimits DEFAULTS =
            new PoolLimits(16_384, 1024, Duration.ofSeconds(5), 128, Duration.ofSeconds(4), 5, Duration.ofSeconds(10));

    /** Checks every value. */
    public PoolLimits {
        check("connections", connections, 1, 1_000_000);
        check("queue", queue, 0, 1_000_000);
        check("queueTime", queueTime);
        check("idlePerThread", idlePerThread, 0, 100_000);
        check("idleTime", idleTime);
        check("ejectAfter", ejectAfter, 0, 1000);
        check("ejectTime", ejectTime);
        check("streams", streams, 1, 1000);
    }

    /** With 100 streams to a connection of HTTP/2; checks every value. */
    public PoolLimits(
            int connections,
            int queue,
            Duration queueTime,
            int idlePerThread,
            Duration idleTime,
            int ejectAfter,
            Duration ejectTime) {
        this(connections, queue, queueTime, idlePerThread, idleTime, ejectAfter, ejectTime, STREAMS);
    }

    /**
     * 16,384 connections, 1024 waiting for at most 5 s, 128 idle per IO thread and what more a burst needed for 4 s;
     * skipped for 10 s after 5 failures; 100 streams to a connection.
     */
    public static PoolLimits defaults() {
        return DEFAULTS;
    }

    /** The same with another number of connections. */
    public PoolLimits withConnections(int count) {
        return new PoolLimits(count, queue, queueTime, idlePerThread, idleTime, ejectAfter, ejectTime, streams);
    }

    /** The same with another queue. */
    public PoolLimits withQueue(int length, Duration time) {
        return new PoolLimits(connections, length, time, idlePerThread, idleTime, ejectAfter, ejectTime, streams);
    }

    /** The same with other idle connections. */
    public PoolLimits withIdle(int perThread, Duration time) {
        return new PoolLimits(connections, queue, queueTime, perThread, time, ejectAfter, ejectTime, streams);
    }

    /**
     * The same, passing over an upstream of several for {@code time} after so many failed connects in a row; 0 for
     * never.
     */
    public PoolLimits withEjection(int failures, Duration time) {
        return new PoolLimits(connections, queue, queueTime, idlePerThread, idleTime, failures, time, streams);
    }

    /** The same with another number of exchanges that share a connection of HTTP/2. */
    public PoolLimits withStreams(int count) {
        return new PoolLimits(connections, queue, queueTime, idlePerThread, idleTime, ejectAfter, ejectTime, count);
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
