package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;
import java.util.Arrays;

/**
 * A dynamic table (RFC 7541 section 2.3.2 and 4): a queue of fields whose newest has the index 0 here, 62 on the wire.
 *
 * <p>Not thread-safe.
 */
final class HpackTable {
    private static final int OVERHEAD = 32;
    private static final int START = 16;

    private HttpString[] names = new HttpString[START];
    private String[] values = new String[START];
    private int oldest;
    private int count;
    private int bytes;
    private int limit;

    HpackTable(int limit) {
        this.limit = limit;
    }

    /** The size of a field (RFC 7541 section 4.1). */
    static long size(HttpString name, String value) {
        return (long) name.length() + value.length() + OVERHEAD;
    }

    int count() {
        return count;
    }

    int bytes() {
        return bytes;
    }

    int limit() {
        return limit;
    }

    /** Sets the limit; entries that don't fit any more are evicted. */
    void limit(int most) {
        limit = most;
        evict(most);
    }

    HttpString name(int index) {
        return names[slot(index)];
    }

    String value(int index) {
        return values[slot(index)];
    }

    /** Adds a field; one that is larger than the table empties it (RFC 7541 section 4.4). */
    void add(HttpString name, String value) {
        long size = size(name, value);
        evict(limit - size);
        if (size <= limit) {
            if (count == names.length) {
                grow();
            }
            int slot = (oldest + count) & (names.length - 1);
            names[slot] = name;
            values[slot] = value;
            bytes += (int) size;
            count++;
        }
    }

    /** Index of the newest entry with that name and value, -1 if there is none. */
    int find(HttpString name, String value) {
        for (int i = 0; i < count; i++) {
            int slot = slot(i);
            if (names[slot].equals(name) && values[slot].equals(value)) {
                return i;
            }
        }
        return -1;
    }

    /** Index of the newest entry with that name, -1 if there is none. */
    int find(HttpString name) {
        for (int i = 0; i < count; i++) {
            if (names[slot(i)].equals(name)) {
                return i;
            }
        }
        return -1;
    }

    private int slot(int index) {
        return (oldest + count - 1 - index) & (names.length - 1);
    }

    @SuppressWarnings("NullAway") // empty slots hold null, and nothing reads them
    private void evict(long room) {
        while (count > 0 && bytes > room) {
            bytes -= (int) size(names[oldest], values[oldest]);
            names[oldest] = null;
            values[oldest] = null;
            oldest = (oldest + 1) & (names.length - 1);
            count--;
        }
    }

    private void grow() {
        int length = names.length;
        names = Arrays.copyOf(names, 2 * length);
        values = Arrays.copyOf(values, 2 * length);
        // it is full, so what wrapped around is all before the oldest
        System.arraycopy(names, 0, names, length, oldest);
        System.arraycopy(values, 0, values, length, oldest);
        Arrays.fill(names, 0, oldest, null);
        Arrays.fill(values, 0, oldest, null);
    }
}
