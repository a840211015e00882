package io.webproxy.acme.renewal;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive failed attempts.
 *
 * @param count their number
 * @param last when the last one failed
 * @param next earliest time of the next attempt
 * @param sentence why the last one failed
 */
record Failures(int count, Instant last, Instant next, String sentence) {
    /** With one more failure. */
    static Failures after(
            @Nullable Failures before, Instant now, String sentence, @Nullable Instant retryAfter, double random) {
        int count = before == null ? 1 : before.count + 1;
        Duration asked = retryAfter == null ? null : Duration.between(now, retryAfter);
        Duration wait = RenewalSchedule.wait(count, asked, random);
        return new Failures(count, now, now.plus(wait), sentence);
    }

    /**
     * Adjusts to a clock that has since been set back: the wait starts again, so that the next attempt isn't months
     * away.
     */
    Failures at(Instant now) {
        return now.isBefore(last) ? new Failures(count, now, now.plus(Duration.between(last, next)), sentence) : this;
    }
}
