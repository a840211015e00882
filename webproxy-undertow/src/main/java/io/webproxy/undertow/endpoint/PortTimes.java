package io.webproxy.undertow.endpoint;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How long a new connection may take to show what it speaks, in nanoseconds from the moment at which it was accepted,
 * or has named its client by a PROXY header.
 *
 * @param silent until its first byte
 * @param undecided until its bytes have told which rule takes it; a ClientHello is whole by then
 * @param handshake until a TLS handshake that ends here is over
 */
public record PortTimes(long silent, long undecided, long handshake) {
    private static final long UNDECIDED_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long HANDSHAKE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Those of an endpoint with rules. */
    public static PortTimes ofRules(Duration detectTime) {
        return new PortTimes(detectTime.toNanos(), UNDECIDED_NANOS, HANDSHAKE_NANOS);
    }

    /** One limit for all. */
    public static PortTimes within(Duration limit) {
        return new PortTimes(limit.toNanos(), limit.toNanos(), limit.toNanos());
    }
}
