package io.webproxy.auth;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Limits how often one client address may fail: a bucket of ten tokens, one more each second. Bounded: the address that
 * was seen least recently is forgotten first. Thread-safe.
 */
final class FailureThrottle {
    private static final int MAX_ENTRIES = 10_000;
    private static final int BURST = 10;
    private static final long PERIOD = TimeUnit.SECONDS.toNanos(1);

    /** Credentials that have passed from an address. */
    private record Passed(Object address, ByteBuffer credentials) {}

    /** When the bucket of an address will be full again, in nanoseconds. */
    private final Map<Object, Long> fullAt = new Bounded<>();

    private final Map<Passed, Boolean> passed = new Bounded<>();

    /** Takes a token for an attempt; gives 0, or how many nanoseconds there will be none. */
    synchronized long take(Object client, long now) {
        Long until = fullAt.get(client);
        long missing = until == null ? 0 : Math.max(0, until - now);
        long wait = missing - (BURST - 1) * PERIOD;
        if (wait > 0) {
            return wait;
        }
        fullAt.put(client, now + missing + PERIOD);
        return 0;
    }

    /** The attempt was no failure: its token goes back. */
    synchronized void giveBack(Object client) {
        fullAt.computeIfPresent(client, (same, until) -> until - PERIOD);
    }

    /** Remembers that these credentials passed from there. */
    synchronized void passed(Object client, ByteBuffer credentials) {
        passed.put(new Passed(client, credentials), true);
    }

    /** Whether these credentials passed from there before: then it is no guess. */
    synchronized boolean hasPassed(Object client, ByteBuffer credentials) {
        return passed.get(new Passed(client, credentials)) != null;
    }

    private static final class Bounded<K, V> extends LinkedHashMap<K, V> {
        private static final long serialVersionUID = 1;

        Bounded() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.@Nullable Entry<K, V> eldest) {
            return size() > MAX_ENTRIES;
        }
    }
}
