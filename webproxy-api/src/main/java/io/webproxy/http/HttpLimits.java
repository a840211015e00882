package io.webproxy.http;

import java.time.Duration;
import java.util.Objects;

/**
 * What the server takes from clients and upstreams at most. Immutable; start from {@link #defaults()}.
 *
 * @param requestHeadBytes the request line and all fields together, 1 KiB to 1 MiB; above it: 431
 * @param requestTargetBytes the request target, 64 B to 64 KiB; above it: 414
 * @param fields how many fields a head may have, 10 to 10,000; above it: 431
 * @param requestBodyBytes the request body, 0 for no limit (the default); above it: 413
 * @param responseHeadBytes an upstream's response head, 1 KiB to 1 MiB; above it: 502
 * @param headTime from a connection's first request byte to its complete head, and for a TLS handshake; never zero
 * @param keepAliveTime how long a client connection may stay without a request; never zero
 */
public record HttpLimits(
        int requestHeadBytes,
        int requestTargetBytes,
        int fields,
        long requestBodyBytes,
        int responseHeadBytes,
        Duration headTime,
        Duration keepAliveTime) {
    private static final HttpLimits DEFAULTS =
            new HttpLimits(32 * 1024, 16 * 1024, 200, 0, 64 * 1024, Duration.ofSeconds(10), Duration.ofSeconds(75));

    /** Checks every value. */
    public HttpLimits {
        check("requestHeadBytes", requestHeadBytes, 1024, 1 << 20);
        check("requestTargetBytes", requestTargetBytes, 64, 1 << 16);
        check("fields", fields, 10, 10_000);
        check("requestBodyBytes", requestBodyBytes, 0, Long.MAX_VALUE);
        check("responseHeadBytes", responseHeadBytes, 1024, 1 << 20);
        check("headTime", headTime, Duration.ofHours(1));
        check("keepAliveTime", keepAliveTime, Duration.ofDays(1));
    }

    /** 32 KiB head, 16 KiB target, 200 fields, bodies of any size, 64 KiB response head, 10 s, 75 s. */
    public static HttpLimits defaults() {
        return DEFAULTS;
    }

    /** The same with another limit of request heads, in bytes. */
    public HttpLimits withRequestHeadBytes(int bytes) {
        return new HttpLimits(
                bytes, requestTargetBytes, fields, requestBodyBytes, responseHeadBytes, headTime, keepAliveTime);
    }

    /** The same with another limit of request targets, in bytes. */
    public HttpLimits withRequestTargetBytes(int bytes) {
        return new HttpLimits(
                requestHeadBytes, bytes, fields, requestBodyBytes, responseHeadBytes, headTime, keepAliveTime);
    }

    /** The same with another number of fields. */
    public HttpLimits withFields(int count) {
        return new HttpLimits(
                requestHeadBytes,
                requestTargetBytes,
                count,
                requestBodyBytes,
                responseHeadBytes,
                headTime,
                keepAliveTime);
    }

    /** The same with another limit of request bodies, in bytes; 0 for none. */
    public HttpLimits withRequestBodyBytes(long bytes) {
        return new HttpLimits(
                requestHeadBytes, requestTargetBytes, fields, bytes, responseHeadBytes, headTime, keepAliveTime);
    }

    /** The same with another limit of response heads, in bytes. */
    public HttpLimits withResponseHeadBytes(int bytes) {
        return new HttpLimits(
                requestHeadBytes, requestTargetBytes, fields, requestBodyBytes, bytes, headTime, keepAliveTime);
    }

    /** The same with another wait for request heads and TLS handshakes. */
    public HttpLimits withHeadTime(Duration time) {
        return new HttpLimits(
                requestHeadBytes, requestTargetBytes, fields, requestBodyBytes, responseHeadBytes, time, keepAliveTime);
    }

    /** The same with another keep-alive wait. */
    public HttpLimits withKeepAliveTime(Duration time) {
        return new HttpLimits(
                requestHeadBytes, requestTargetBytes, fields, requestBodyBytes, responseHeadBytes, headTime, time);
    }

    private static void check(String name, Duration value, Duration most) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(Duration.ofMillis(1)) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    "limits." + name + ": " + value + " (expected: 1 ms to " + most.toHours() + " h)");
        }
    }

    private static void check(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "limits." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
    }
}
