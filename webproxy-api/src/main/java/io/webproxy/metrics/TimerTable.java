package io.webproxy.metrics;

import io.micrometer.core.instrument.Timer;
import org.jspecify.annotations.Nullable;

/**
 * Timers by a number other than 0: a look-up takes no lock and allocates nothing. Immutable; {@link #with} makes the
 * next one.
 */
final class TimerTable {
    /** Without timers. */
    static final TimerTable EMPTY = new TimerTable(new int[2], new Timer[2], 0);

    private final int[] keys;
    private final @Nullable Timer[] timers;
    private final int size;

    private TimerTable(int[] keys, @Nullable Timer[] timers, int size) {
        this.keys = keys;
        this.timers = timers;
        this.size = size;
    }

    /** The timer of a key, or null. */
    @Nullable Timer get(int key) {
        return timers[place(keys, key)];
    }

    /** The same with one more. */
    TimerTable with(int key, Timer timer) {
        int length = (size + 1) * 2 > keys.length ? keys.length * 2 : keys.length;
        int[] newKeys = new int[length];
        @Nullable Timer[] newTimers = new Timer[length];
        for (int i = 0; i < keys.length; i++) {
            if (keys[i] != 0) {
                int place = place(newKeys, keys[i]);
                newKeys[place] = keys[i];
                newTimers[place] = timers[i];
            }
        }
        int place = place(newKeys, key);
        newKeys[place] = key;
        newTimers[place] = timer;
        return new TimerTable(newKeys, newTimers, size + 1);
    }

    /** Where the key is, or would be: at most half of the places are taken. */
    private static int place(int[] keys, int key) {
        int hash = key * 0x9e3779b9;
        int place = hash >>> 16 & keys.length - 1;
        while (keys[place] != 0 && keys[place] != key) {
            place = place + 1 & keys.length - 1;
        }
        return place;
    }
}
