package io.webproxy.undertow.forward;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * The slow start of one upstream: after it was out of use it gets its share of requests only by and by. Its weight
 * grows linearly from a tenth, so that it is never without requests. Requests see when it is out of use and back.
 *
 * <p>Thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class SlowStart {
    private static final int ONE = 1000;
    private static final int LEAST = ONE / 10;

    private final long time;
    private final AtomicInteger credit = new AtomicInteger();
    private volatile boolean out;
    private volatile boolean growing;
    private volatile long since;

    /** For an upstream that is in use. */
    SlowStart(long time) {
        this.time = time;
    }

    /** The time over which the weight grows. */
    long time() {
        return time;
    }

    /** It is in use from now on, after it wasn't. */
    void begin(long now) {
        since = now;
        growing = true;
    }

    /** A request sees whether it may be used. */
    void saw(boolean usable, long now) {
        if (usable == out) {
            out = !usable;
            if (usable) {
                begin(now);
            }
        }
    }

    /** Its weight in thousandths. */
    private int weight(long now) {
        if (!growing) {
            return ONE;
        }
        long age = now - since;
        if (age >= time) {
            growing = false;
            return ONE;
        }
        return (int) Math.max(LEAST, age * ONE / time);
    }

    /** Whether it takes part in the next choice: in as many of all as its weight says, evenly spread. */
    boolean admits(long now) {
        int weight = weight(now);
        if (weight == ONE) {
            return true;
        }
        int before = credit.getAndUpdate(had -> had + weight >= ONE ? had + weight - ONE : had + weight);
        return before + weight >= ONE;
    }

    /** The requests in flight as they count beside those of upstreams with the full weight. */
    int counted(int inFlight, long now) {
        int weight = weight(now);
        return weight == ONE ? inFlight : (int) Math.min(Integer.MAX_VALUE, (inFlight + 1L) * ONE / weight - 1);
    }
}
