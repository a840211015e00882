package io.webproxy.undertow.http2;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The open streams of a connection by number: a hash table with open addressing, which allocates nothing per entry. Not
 * thread-safe.
 */
final class StreamTable<T> {
    private static final int SMALLEST = 16;

    private int[] ids = new int[SMALLEST];
    private @Nullable Object[] values = new Object[SMALLEST];
    private int size;

    private int place(int id) {
        int mask = ids.length - 1;
        int place = (((id >>> 1) * 0x9E3779B9) >>> 16) & mask;
        while (values[place] != null && ids[place] != id) {
            place = (place + 1) & mask;
        }
        return place;
    }

    /** The stream with this number, or null. */
    @SuppressWarnings("unchecked")
    @Nullable T get(int id) {
        return (T) values[place(id)];
    }

    /** Adds a stream; its number must be new. */
    void put(int id, T stream) {
        if (2 * (size + 1) > ids.length) {
            resize(2 * ids.length);
        }
        int place = place(id);
        ids[place] = id;
        values[place] = stream;
        size++;
    }

    /** Removes a stream; null if there is none. */
    @SuppressWarnings("unchecked")
    @Nullable T remove(int id) {
        int hole = place(id);
        T removed = (T) values[hole];
        if (removed == null) {
            return null;
        }
        size--;
        values[hole] = null;
        int mask = ids.length - 1;
        // the entries after it may be here because of it
        for (int next = (hole + 1) & mask; values[next] != null; next = (next + 1) & mask) {
            Object moved = values[next];
            values[next] = null;
            int place = place(ids[next]);
            ids[place] = ids[next];
            values[place] = moved;
        }
        return removed;
    }

    private void resize(int length) {
        int[] oldIds = ids;
        @Nullable Object[] old = values;
        ids = new int[length];
        values = new Object[length];
        for (int i = 0; i < old.length; i++) {
            if (old[i] != null) {
                int place = place(oldIds[i]);
                ids[place] = oldIds[i];
                values[place] = old[i];
            }
        }
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** All streams, in no order; the table may change while the list is used. */
    @SuppressWarnings("unchecked")
    List<T> all() {
        List<T> all = new ArrayList<>(size);
        for (Object value : values) {
            if (value != null) {
                all.add((T) value);
            }
        }
        return all;
    }
}
