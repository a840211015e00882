package io.webproxy.undertow.forward;

import io.webproxy.route.OutlierEjection;
import java.util.Arrays;

/**
 * Which share of one group's requests an upstream has failed of late, counted in tenths of the window, and whether it
 * is skipped for that. What ends while it is skipped isn't counted.
 *
 * <p>Thread-safe. Times are nanoseconds of a monotonic clock.
 */
final class FailureWindow {
    private static final int SLOTS = 10;

    private final OutlierEjection limit;
    private final long slotNanos;
    private final int[] ended = new int[SLOTS];
    private final int[] failed = new int[SLOTS];
    private long slot;
    private volatile boolean paused;
    private volatile long until;

    FailureWindow(OutlierEjection limit, long now) {
        this.limit = limit;
        this.slotNanos = limit.window().toNanos() / SLOTS;
        this.slot = Math.floorDiv(now, slotNanos);
    }

    OutlierEjection limit() {
        return limit;
    }

    /** Whether it is skipped. */
    boolean isPaused(long now) {
        return paused && now - until < 0;
    }

    /** A request has been answered, or not; gives whether the upstream is skipped from now on because of that. */
    synchronized boolean ended(boolean isFailure, long now) {
        if (isPaused(now)) {
            return false;
        }
        paused = false;
        moveTo(Math.floorDiv(now, slotNanos));
        int current = Math.floorMod(slot, SLOTS);
        ended[current]++;
        if (!isFailure) {
            return false;
        }
        failed[current]++;
        long all = sum(ended);
        long bad = sum(failed);
        // all of them are above any share
        if (all < limit.leastRequests() || (bad <= limit.failureShare() * all && bad < all)) {
            return false;
        }
        Arrays.fill(ended, 0);
        Arrays.fill(failed, 0);
        until = now + limit.time().toNanos();
        paused = true;
        return true;
    }

    private void moveTo(long next) {
        for (long empty = Math.max(slot + 1, next - SLOTS + 1); empty <= next; empty++) {
            ended[Math.floorMod(empty, SLOTS)] = 0;
            failed[Math.floorMod(empty, SLOTS)] = 0;
        }
        slot = Math.max(slot, next);
    }

    private static long sum(int[] slots) {
        long sum = 0;
        for (int count : slots) {
            sum += count;
        }
        return sum;
    }
}
