package io.webproxy.acme.order;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.PollableResource;
import org.shredzone.acme4j.Status;
import org.shredzone.acme4j.exception.AcmeException;

/**
 * Polls a CA until something is done, at the interval that the CA asks for within reason (RFC 8555 section 7.5.1), and
 * within a total time limit. Not thread-safe.
 */
final class Poll {
    private static final Duration SHORTEST = Duration.ofMillis(250);
    private static final Duration LONGEST = Duration.ofMinutes(1);
    private static final Duration UNLESS_TOLD = Duration.ofSeconds(1);

    private final Clock clock;
    private final long deadline;

    /** The time limit starts now. */
    Poll(Clock clock, Duration limit) {
        this.clock = clock;
        this.deadline = System.nanoTime() + limit.toNanos();
    }

    /**
     * Waits while the status is pending or processing.
     *
     * @return the final status; null if the time limit passes first
     */
    @Nullable Status done(PollableResource resource) throws AcmeException, InterruptedException {
        Duration unlessTold = SHORTEST;
        while (true) {
            Optional<Instant> retryAfter = resource.fetch();
            Status status = resource.getStatus();
            if (status != Status.PENDING && status != Status.PROCESSING) {
                return status;
            }
            long pause =
                    pause(retryAfter.orElse(null), clock.instant(), unlessTold).toNanos();
            if (System.nanoTime() + pause - deadline > 0) {
                return null;
            }
            TimeUnit.NANOSECONDS.sleep(pause);
            unlessTold = UNLESS_TOLD;
        }
    }

    /** How long to wait: until the time that the CA gave, but bounded in both directions in case a clock is wrong. */
    static Duration pause(@Nullable Instant retryAfter, Instant now, Duration unlessTold) {
        if (retryAfter == null) {
            return unlessTold;
        }
        Duration wait = Duration.between(now, retryAfter);
        if (wait.compareTo(SHORTEST) < 0) {
            return SHORTEST;
        }
        return wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
    }
}
