package io.webproxy.acme.renewal;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Attempts that have failed in a row.
 *
 * @param count how many
 * @param last when the last one has
 * @param next before when none is made
 * @param sentence why the last one has
 */
record Failures(int count, Instant last, Instant next, String sentence) {
    /** One more. */
    static Failures after(
            @Nullable Failures before, Instant now, String sentence, @Nullable Instant retryAfter, double random) {
        int count = before == null ? 1 : before.count + 1;
        Duration asked = retryAfter == null ? null : Duration.between(now, retryAfter);
        Duration wait = RenewalSchedule.wait(count, asked, random);
        return new Failures(count, now, now.plus(wait), sentence);
    }

    /** The same seen from a clock that has gone back since: the wait begins anew, so that no attempt is months away. */
    Failures at(Instant now) {
        return now.isBefore(last) ? new Failures(count, now, now.plus(Duration.between(last, next)), sentence) : this;
    }
}
