package io.webproxy.http;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The limits of what the server accepts from clients and upstreams. Immutable; start from {@link #defaults()}.
 *
 * <p>They apply to HTTP/1.1 and HTTP/2. HTTP/2 clients get the limit of heads by {@code SETTINGS_MAX_HEADER_LIST_SIZE}
 * (RFC 9113 section 6.5.2): {@link #requestHeadBytes()} and 28 bytes for each of {@link #fields()}.
 */
public final class HttpLimits {
    private static final int KIB = 1024;
    private static final HttpLimits DEFAULTS = new HttpLimits(new Values());

    /** Not changed any more. */
    private final Values values;

    private HttpLimits(Values values) {
        this.values = values;
    }

    /**
     * 32 KiB head, 16 KiB target, 200 fields, bodies of any size at 240 B/s after 20 s, 64 KiB response head, 10 s, 75
     * s.
     */
    public static HttpLimits defaults() {
        return DEFAULTS;
    }

    /** The same with another limit of request heads, 1 KiB to 1 MiB. */
    public HttpLimits withRequestHeadBytes(int bytes) {
        return with(to -> to.requestHeadBytes = (int) checked("requestHeadBytes", bytes, KIB, KIB * KIB));
    }

    /** The same with another limit of request targets, 64 B to 64 KiB. */
    public HttpLimits withRequestTargetBytes(int bytes) {
        return with(to -> to.requestTargetBytes = (int) checked("requestTargetBytes", bytes, 64, 64 * KIB));
    }

    /** The same with another number of fields, 10 to 10,000. */
    public HttpLimits withFields(int count) {
        return with(to -> to.fields = (int) checked("fields", count, 10, 10_000));
    }

    /** The same with another limit of request bodies, in bytes; 0 for none. */
    public HttpLimits withRequestBodyBytes(long bytes) {
        return with(to -> to.requestBodyBytes = checked("requestBodyBytes", bytes, 0, Long.MAX_VALUE));
    }

    /**
     * The same with another least rate of request bodies.
     *
     * @param bytesPerSecond 0 for none, at most 2^30
     * @param grace from when on it counts, zero to 1 h
     */
    public HttpLimits withRequestBodyRate(int bytesPerSecond, Duration grace) {
        return with(to -> {
            to.requestBodyRate = (int) checked("requestBodyRate", bytesPerSecond, 0, 1 << 30);
            to.requestBodyGrace = checked("requestBodyGrace", grace, Duration.ZERO, Duration.ofHours(1));
        });
    }

    /** The same with another limit of response heads, 1 KiB to 1 MiB. */
    public HttpLimits withResponseHeadBytes(int bytes) {
        return with(to -> to.responseHeadBytes = (int) checked("responseHeadBytes", bytes, KIB, KIB * KIB));
    }

    /** The same with another wait for request heads and TLS handshakes, 1 ms to 1 h. */
    public HttpLimits withHeadTime(Duration time) {
        return with(to -> to.headTime = checked("headTime", time, Duration.ofMillis(1), Duration.ofHours(1)));
    }

    /** The same with another keep-alive wait, 1 ms to 24 h. */
    public HttpLimits withKeepAliveTime(Duration time) {
        return with(to -> to.keepAliveTime = checked("keepAliveTime", time, Duration.ofMillis(1), Duration.ofDays(1)));
    }

    /** The limit of the request line and all fields together, in bytes; above it: 431. */
    public int requestHeadBytes() {
        return values.requestHeadBytes;
    }

    /** The request target, in bytes; above it: 414. */
    public int requestTargetBytes() {
        return values.requestTargetBytes;
    }

    /** How many fields a head may have; above it: 431. */
    public int fields() {
        return values.fields;
    }

    /** The request body, in bytes, 0 for no limit; above it: 413. */
    public long requestBodyBytes() {
        return values.requestBodyBytes;
    }

    /**
     * How many bytes per second of a request body a client must send on average, while the server waits for them and no
     * response has begun; 0 for no such limit; below it: 408. It doesn't apply to gRPC calls, whose clients may pause.
     */
    public int requestBodyRate() {
        return values.requestBodyRate;
    }

    /** How long the server waits for a request body before the rate applies; zero for at once. */
    public Duration requestBodyGrace() {
        return values.requestBodyGrace;
    }

    /** An upstream's response head, in bytes; above it: 502. */
    public int responseHeadBytes() {
        return values.responseHeadBytes;
    }

    /**
     * From the first byte of a request to its complete head, then 408; also for a TLS handshake, and over HTTP/2 for
     * the client's first settings and for each field block, then {@code GOAWAY}. Never zero.
     */
    public Duration headTime() {
        return values.headTime;
    }

    /** How long a client connection may stay without a request, over HTTP/2 without a stream; never zero. */
    public Duration keepAliveTime() {
        return values.keepAliveTime;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof HttpLimits limits && values.all().equals(limits.values.all());
    }

    @Override
    public int hashCode() {
        return values.all().hashCode();
    }

    @Override
    public String toString() {
        return "HttpLimits[requestHeadBytes=" + requestHeadBytes() + ", requestTargetBytes=" + requestTargetBytes()
                + ", fields=" + fields() + ", requestBodyBytes=" + requestBodyBytes() + ", requestBodyRate="
                + requestBodyRate() + ", requestBodyGrace=" + requestBodyGrace() + ", responseHeadBytes="
                + responseHeadBytes() + ", headTime=" + headTime() + ", keepAliveTime=" + keepAliveTime() + "]";
    }

    private HttpLimits with(Consumer<Values> change) {
        Values changed = new Values(values);
        change.accept(changed);
        return new HttpLimits(changed);
    }

    private static Duration checked(String name, Duration value, Duration least, Duration most) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException("limits." + name + ": " + value + " (expected: "
                    + (least.isZero() ? "zero" : "1 ms") + " to " + most.toHours() + " h)");
        }
        return value;
    }

    private static long checked(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "limits." + name + ": " + value + " (expected: " + least + "-" + most + ")");
        }
        return value;
    }

    /** The values, which are changed only before they are in limits. */
    private static final class Values {
        private int requestHeadBytes = 32 * KIB;
        private int requestTargetBytes = 16 * KIB;
        private int fields = 200;
        private long requestBodyBytes;
        private int requestBodyRate = 240;
        private Duration requestBodyGrace = Duration.ofSeconds(20);
        private int responseHeadBytes = 64 * KIB;
        private Duration headTime = Duration.ofSeconds(10);
        private Duration keepAliveTime = Duration.ofSeconds(75);

        Values() {}

        Values(Values from) {
            requestHeadBytes = from.requestHeadBytes;
            requestTargetBytes = from.requestTargetBytes;
            fields = from.fields;
            requestBodyBytes = from.requestBodyBytes;
            requestBodyRate = from.requestBodyRate;
            requestBodyGrace = from.requestBodyGrace;
            responseHeadBytes = from.responseHeadBytes;
            headTime = from.headTime;
            keepAliveTime = from.keepAliveTime;
        }

        List<Object> all() {
            return List.of(
                    requestHeadBytes,
                    requestTargetBytes,
                    fields,
                    requestBodyBytes,
                    requestBodyRate,
                    requestBodyGrace,
                    responseHeadBytes,
                    headTime,
                    keepAliveTime);
        }
    }
}
