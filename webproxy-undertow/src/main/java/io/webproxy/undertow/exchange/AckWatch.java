package io.webproxy.undertow.exchange;

import java.util.concurrent.TimeUnit;

/**
 * Whether the peer of one exchange acknowledges what is sent to it: what the kernel takes is no sign of a peer that
 * lives. Nothing is asked while nothing is sent, nor of an exchange that is younger than {@link #AFTER_NANOS}.
 *
 * <p>Not thread-safe: it belongs to the exchange's IO thread. Times are nanoseconds of a monotonic clock.
 */
final class AckWatch {
    static final long AFTER_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long SHORTEST_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int LOOKS = 8;

    private long sentBefore = -1;
    private long nextLook;
    private long since;
    private int unanswered;
    private boolean asking;

    /** Whether the kernel is to be asked now, and {@link #answered} will be called. */
    boolean asks(long now, long sent) {
        boolean nothingNew = sent == sentBefore && unanswered == 0;
        if (asking || nothingNew || (sentBefore >= 0 && now - nextLook < 0)) {
            return false;
        }
        sentBefore = sent;
        asking = true;
        return true;
    }

    /**
     * The kernel's answer.
     *
     * @param times how many times in a row something was sent again in vain
     * @param limit how long the peer may be silent
     * @return whether it has been silent for longer
     */
    boolean answered(long now, int times, long limit) {
        asking = false;
        nextLook = now + Math.max(SHORTEST_NANOS, Math.min(LONGEST_NANOS, limit / LOOKS));
        if (times == 0 || times < unanswered || unanswered == 0) {
            // whatever was sent again before has arrived meanwhile
            since = now;
        }
        unanswered = times;
        return times > 0 && now - since >= limit;
    }
}
