package io.webproxy.undertow.observe;

import java.time.Duration;

/** Writes durations in seconds, rounded half up: a formatter would take longer than the rest of a line. Pure. */
final class Seconds {
    private static final long NANOS = 1_000_000_000L;

    private Seconds() {}

    /** Appends a duration that isn't negative with so many decimals, 1 to 9. */
    static StringBuilder append(StringBuilder line, Duration time, int decimals) {
        long unit = 1;
        for (int i = 9; i > decimals; i--) {
            unit *= 10;
        }
        long rounded = (time.toNanos() + unit / 2) / unit;
        long one = NANOS / unit;
        line.append(rounded / one).append('.');
        long rest = rounded % one;
        for (long place = one / 10; place > 1 && rest < place; place /= 10) {
            line.append('0');
        }
        return line.append(rest);
    }
}
