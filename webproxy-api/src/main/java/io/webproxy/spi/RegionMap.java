package io.webproxy.spi;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A map that is looked up by a region of a string, without making a substring. Immutable; a look-up allocates nothing.
 *
 * @param <V> the values
 */
final class RegionMap<V> {
    private static final int LEAST = 4;

    /** Open addressing, at most half full; a power of two long. */
    private final @Nullable String[] names;

    private final @Nullable Object[] values;
    private final int longest;

    RegionMap(Map<String, V> content) {
        int size = Math.max(LEAST, Integer.highestOneBit(Math.max(1, content.size())) << 2);
        names = new String[size];
        values = new Object[size];
        int most = 0;
        for (Map.Entry<String, V> entry : content.entrySet()) {
            String name = entry.getKey();
            int slot = slot(hash(name, 0, name.length()));
            while (names[slot] != null) {
                slot = slot(slot + 1);
            }
            names[slot] = name;
            values[slot] = entry.getValue();
            most = Math.max(most, name.length());
        }
        longest = most;
    }

    /** The value for the characters from {@code from} to before {@code to}, or null. */
    @SuppressWarnings("unchecked")
    @Nullable V find(String text, int from, int to) {
        int length = to - from;
        if (length > longest) {
            return null;
        }
        int slot = slot(hash(text, from, to));
        for (String name = names[slot]; name != null; name = names[slot]) {
            if (name.length() == length && name.regionMatches(0, text, from, length)) {
                return (V) values[slot];
            }
            slot = slot(slot + 1);
        }
        return null;
    }

    private int slot(int hash) {
        return hash & (names.length - 1);
    }

    private static int hash(String text, int from, int to) {
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return hash ^ hash >>> 16;
    }
}
