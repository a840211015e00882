package io.webproxy.undertow.message;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The value of {@code Retry-After} (RFC 9110 section 10.2.3): seconds, or a date. Pure. */
public final class RetryAfter {
    private RetryAfter() {}

    /**
     * How many seconds it asks for, rounded up and at least 0; -1 if there is none, or one that can't be read.
     *
     * @param now by the system's clock, for dates
     */
    public static long seconds(@Nullable String value, Instant now) {
        if (value == null) {
            return -1;
        }
        long seconds = ContentLength.parse(value);
        if (seconds >= 0) {
            return seconds;
        }
        Instant date = HttpDate.parse(value);
        if (date == null) {
            return -1;
        }
        long left = date.getEpochSecond() - now.getEpochSecond();
        return Math.max(0, left);
    }
}
