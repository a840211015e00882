package io.webproxy.undertow.relay;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How often clients, or others that are named by a key, may connect: a bucket of tokens for each, as large as a minute's number, which fills up within a minute. Bounded: the client that was seen least recently is
 * forgotten first. Thread-safe; times are nanoseconds of a monotonic clock.
 */
public final class NewConnections<K> {
    private static final int MOST = 100_000;
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    /** When each client's bucket will be full again. */
    private final Map<K, Long> fullAt = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.@Nullable Entry<K, Long> eldest) {
            return size() > MOST;
        }
    };

    /** All buckets are full. */
    public NewConnections() {}

    /** Takes a token; false if there is none. */
    public synchronized boolean take(K client, int perMinute, long now) {
        long period = MINUTE / perMinute;
        Long until = fullAt.get(client);
        long missing = until == null ? 0 : Math.max(0, until - now);
        if (missing > (perMinute - 1) * period) {
            return false;
        }
        fullAt.put(client, now + missing + period);
        return true;
    }
}
