package io.webproxy.undertow.exchange;

import java.util.concurrent.TimeUnit;

/**
 * Detects that the peer of one exchange no longer acknowledges what is sent to it. That the kernel takes bytes doesn't
 * prove that the peer is alive. The kernel isn't asked while nothing is sent, nor about an exchange younger than
 * {@link #AFTER_NANOS}.
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

    /** Whether to ask the kernel now; {@link #answered} must then be called with the answer. */
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
     * Takes the kernel's answer.
     *
     * @param times number of consecutive retransmissions without an acknowledgement
     * @param limit how long the peer may be silent
     * @return whether it has been silent for longer
     */
    boolean answered(long now, int times, long limit) {
        asking = false;
        nextLook = now + Math.max(SHORTEST_NANOS, Math.min(LONGEST_NANOS, limit / LOOKS));
        if (times == 0 || times < unanswered || unanswered == 0) {
            // what was retransmitted before has arrived meanwhile
            since = now;
        }
        unanswered = times;
        return times > 0 && now - since >= limit;
    }
}
