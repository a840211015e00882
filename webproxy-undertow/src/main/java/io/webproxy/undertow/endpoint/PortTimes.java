package io.webproxy.undertow.endpoint;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Time limits of a new connection until its protocol is known, in nanoseconds since it was accepted or its PROXY header
 * was read.
 *
 * @param silent until its first byte
 * @param undecided until its bytes determine the rule, which includes a whole ClientHello
 * @param handshake until the TLS handshake is done, where TLS is terminated
 */
public record PortTimes(long silent, long undecided, long handshake) {
    private static final long UNDECIDED_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long HANDSHAKE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** The limits of an endpoint with rules. */
    public static PortTimes ofRules(Duration detectTime) {
        return new PortTimes(detectTime.toNanos(), UNDECIDED_NANOS, HANDSHAKE_NANOS);
    }

    /** One limit for all. */
    public static PortTimes within(Duration limit) {
        return new PortTimes(limit.toNanos(), limit.toNanos(), limit.toNanos());
    }
}
