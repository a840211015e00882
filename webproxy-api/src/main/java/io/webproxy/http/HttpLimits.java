package io.webproxy.http;

import java.time.Duration;
import java.util.Objects;

/**
 * What the server takes from clients and upstreams at most. Immutable; start from {@link #defaults()}.
 *
 * <p>They hold for HTTP/1.1 and HTTP/2. What heads they allow is announced to HTTP/2 clients by
 * {@code SETTINGS_MAX_HEADER_LIST_SIZE} (RFC 9113 section 6.5.2): {@code requestHeadBytes} and 28 bytes for each of
 * {@code fields}.
 *
 * @param requestHeadBytes the request line and all fields together, 1 KiB to 1 MiB; above it: 431
 * @param requestTargetBytes the request target, 64 B to 64 KiB; above it: 414
 * @param fields how many fields a head may have, 10 to 10,000; above it: 431
 * @param requestBodyBytes the request body, 0 for no limit (the default); above it: 413
 * @param requestBodyRate how many bytes per second a client must send of a request body on average, while it is waited
 *     for and no response has begun; 0 for no such limit; below it: 408; it does not hold for gRPC calls, whose clients
 *     may pause
 * @param requestBodyGrace how long a request body is waited for before its rate counts; zero for at once
 * @param responseHeadBytes an upstream's response head, 1 KiB to 1 MiB; above it: 502
 * @param headTime from the first byte of a request to its complete head, then 408; also for a TLS handshake, and over
 *     HTTP/2 for the client's first settings and for each field block, then {@code GOAWAY}; never zero
 * @param keepAliveTime how long a client connection may stay without a request, over HTTP/2 without a stream; never
 *     zero
 */
public record HttpLimits(
        int requestHeadBytes,
        int requestTargetBytes,
        int fields,
        long requestBodyBytes,
        int requestBodyRate,
        Duration requestBodyGrace,
        int responseHeadBytes,
        Duration headTime,
        Duration keepAliveTime) {
    private static final int KIB = 1024;
    private static final HttpLimits DEFAULTS = new HttpLimits(
            32 * KIB,
            16 * KIB,
            200,
            0,
            240,
            Duration.ofSeconds(20),
            64 * KIB,
            Duration.ofSeconds(10),
            Duration.ofSeconds(75));

    /** Checks every value. */
    public HttpLimits {
        check("requestHeadBytes", requestHeadBytes, KIB, KIB * KIB);
        check("requestTargetBytes", requestTargetBytes, 64, 64 * KIB);
        check("fields", fields, 10, 10_000);
        check("requestBodyBytes", requestBodyBytes, 0, Long.MAX_VALUE);
        check("requestBodyRate", requestBodyRate, 0, 1 << 30);
        check("requestBodyGrace", requestBodyGrace, Duration.ZERO, Duration.ofHours(1));
        check("responseHeadBytes", responseHeadBytes, KIB, KIB * KIB);
        check("headTime", headTime, Duration.ofMillis(1), Duration.ofHours(1));
        check("keepAliveTime", keepAliveTime, Duration.ofMillis(1), Duration.ofDays(1));
    }

    /**
     * 32 KiB head, 16 KiB target, 200 fields, bodies of any size at 240 B/s after 20 s, 64 KiB response head, 10 s, 75
     * s.
     */
    public static HttpLimits defaults() {
        return DEFAULTS;
    }

    /** The same with another limit of request heads, in bytes. */
    public HttpLimits withRequestHeadBytes(int bytes) {
        return new HttpLimits(
                bytes,
                requestTargetBytes,
                fields,
                requestBodyBytes,
                requestBodyRate,
                requestBodyGrace,
                responseHeadBytes,
                headTime,
                keepAliveTime);
    }

    /** The same with another limit of request targets, in bytes. */
    public HttpLimits withRequestTargetBytes(int bytes) {
        return new HttpLimits(
                requestHeadBytes,
                bytes,
                fields,
                requestBodyBytes,
                requestBodyRate,
                requestBodyGrace,
                responseHeadBytes,
                headTime,
                keepAliveTime);
    }

    /** The same with another number of fields. */
    public HttpLimits withFields(int count) {
        return new HttpLimits(
                requestHeadBytes,
                requestTargetBytes,
                count,
                requestBodyBytes,
                requestBodyRate,
                requestBodyGrace,
                responseHeadBytes,
                headTime,
                keepAliveTime);
    }

    /** The same with another limit of request bodies, in bytes; 0 for none. */
    public HttpLimits withRequestBodyBytes(long bytes) {
        return new HttpLimits(
                requestHeadBytes,
                requestTargetBytes,
                fields,
                bytes,
                requestBodyRate,
                requestBodyGrace,
                responseHeadBytes,
                headTime,
                keepAliveTime);
    }

    /**
     * The same with another least rate of request bodies, in bytes per second, 0 for none, which counts from
     * {@code grace} on.
     */
    public HttpLimits withRequestBodyRate(int bytesPerSecond, Duration grace) {
        return new HttpLimits(
                requestHeadBytes,
                requestTargetBytes,
                fields,
                requestBodyBytes,
                bytesPerSecond,
                grace,
                responseHeadBytes,
                headTime,
                keepAliveTime);
    }

    /** The same with another limit of response heads, in bytes. */
    public HttpLimits withResponseHeadBytes(int bytes) {
        return new HttpLimits(
                requestHeadBytes,
                requestTargetBytes,
                fields,
                requestBodyBytes,
                requestBodyRate,
                requestBodyGrace,
                bytes,
                headTime,
                keepAliveTime);
    }

    /** The same with another wait for request heads and TLS handshakes. */
    public HttpLimits withHeadTime(Duration time) {
        return new HttpLimits(
                requestHeadBytes,
                requestTargetBytes,
                fields,
                requestBodyBytes,
                requestBodyRate,
                requestBodyGrace,
                responseHeadBytes,
                time,
                keepAliveTime);
    }

    /** The same with another keep-alive wait. */
    public HttpLimits withKeepAliveTime(Duration time) {
        return new HttpLimits(
                requestHeadBytes,
                requestTargetBytes,
                fields,
                requestBodyBytes,
                requestBodyRate,
                requestBodyGrace,
                responseHeadBytes,
                headTime,
                time);
    }

    private static void check(String name, Duration value, Duration least, Duration most) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException("limits." + name + ": " + value + " (expected: "
                    + (least.isZero() ? "zero" : "1 ms") + " to " + most.toHours() + " h)");
        }
    }

    private static void check(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "limits." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
    }
}
