package io.webproxy.undertow.forward;

import io.webproxy.route.OutlierEjection;
import java.util.Arrays;

/**
 * The share of one group's requests that an upstream has failed recently, counted in tenths of the window, and whether
 * it is ejected for that. Requests that end while it is ejected aren't counted.
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

    /** Whether it is ejected. */
    boolean isPaused(long now) {
        return paused && now - until < 0;
    }

    /** A request has ended; returns whether that ejects the upstream. */
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
        // all counts exceed any share
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
