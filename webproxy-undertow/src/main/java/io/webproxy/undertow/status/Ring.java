package io.webproxy.undertow.status;

/** Sums of the last slots of time, several columns of them. Not thread-safe. */
final class Ring {
    private final long slotNanos;
    private final long[][] columns;
    private final int slots;
    private long slot;

    /** Empty, at a time in nanoseconds. */
    Ring(int columns, int slots, long slotNanos, long now) {
        this.slotNanos = slotNanos;
        this.columns = new long[columns][slots];
        this.slots = slots;
        this.slot = Math.floorDiv(now, slotNanos);
    }

    /** Adds to the slot of a time, one number for each column. */
    void add(long now, long... more) {
        turnTo(now);
        int at = (int) Math.floorMod(slot, (long) slots);
        for (int i = 0; i < more.length; i++) {
            columns[i][at] += more[i];
        }
    }

    private void turnTo(long now) {
        long to = Math.max(slot, Math.floorDiv(now, slotNanos));
        for (long passed = Math.max(slot, to - slots) + 1; passed <= to; passed++) {
            for (long[] column : columns) {
                column[(int) Math.floorMod(passed, (long) slots)] = 0;
            }
        }
        slot = to;
    }

    /** A column, the oldest slot first; the last one isn't over yet. */
    long[] column(int index, long now) {
        turnTo(now);
        long[] ordered = new long[slots];
        for (int i = 0; i < slots; i++) {
            ordered[i] = columns[index][(int) Math.floorMod(slot + 1 + i, (long) slots)];
        }
        return ordered;
    }
}
