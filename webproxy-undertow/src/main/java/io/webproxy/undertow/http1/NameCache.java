package io.webproxy.undertow.http1;

import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A cache of names in recent requests, by their exact bytes: a repeated name makes no new string, and keeps its
 * spelling. Bounded; belongs to one thread.
 */
final class NameCache {
    private static final int PLACES = 512;
    private static final int LONGEST = 64;

    private final byte[] @Nullable [] bytes = new byte[PLACES][];
    private final @Nullable HttpString[] names = new HttpString[PLACES];
    private final Function<String, HttpString> known;

    private NameCache(Function<String, HttpString> known) {
        this.known = known;
    }

    /** For names of fields. */
    static NameCache ofFields() {
        return new NameCache(HttpString::tryFromString);
    }

    /** For methods. */
    static NameCache ofMethods() {
        return new NameCache(Methods::fromString);
    }

    /**
     * The name between {@code from} and {@code to}.
     *
     * @param hash of its bytes, by any function
     */
    HttpString get(byte[] in, int from, int to, int hash) {
        int mixed = hash * 0x9e3779b9;
        int place = mixed >>> 23;
        HttpString found = at(place, in, from, to);
        if (found != null) {
            return found;
        }
        int second = place ^ 1;
        found = at(second, in, from, to);
        if (found != null) {
            return found;
        }
        byte[] copy = Arrays.copyOfRange(in, from, to);
        String text = new String(copy, StandardCharsets.ISO_8859_1);
        HttpString usual = known.apply(text);
        HttpString made = usual.toString().equals(text) ? usual : new HttpString(copy);
        if (copy.length <= LONGEST) {
            // the newest first, then the one before it
            bytes[second] = bytes[place];
            names[second] = names[place];
            bytes[place] = copy;
            names[place] = made;
        }
        return made;
    }

    private @Nullable HttpString at(int place, byte[] in, int from, int to) {
        byte[] candidate = bytes[place];
        return candidate != null
                        && candidate.length == to - from
                        && Arrays.equals(candidate, 0, candidate.length, in, from, to)
                ? names[place]
                : null;
    }
}
