package io.webproxy.undertow.deadline;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A {@link TokenBucket} per client, or per other key. Bounded: above 100,000 the least recently used one is forgotten,
 * which makes it full. Thread-safe; times are nanoseconds of a monotonic clock.
 */
public final class TokenBuckets<K> {
    private static final int MOST = 100_000;
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final Map<K, TokenBucket> buckets = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.@Nullable Entry<K, TokenBucket> eldest) {
            return size() > MOST;
        }
    };

    /** All are full. */
    public TokenBuckets() {}

    /** Takes a token from one of them, as {@link TokenBucket#take} does. */
    public synchronized long take(K client, long size, long period, long now) {
        return buckets.computeIfAbsent(client, same -> new TokenBucket(now)).take(size, period, now);
    }

    /** Gives back a token to one of them. */
    public synchronized void giveBack(K client, long period) {
        TokenBucket bucket = buckets.get(client);
        if (bucket != null) {
            bucket.giveBack(period);
        }
    }

    /** Takes a token from a bucket whose size is a minute's tokens; false if there is none. */
    public boolean takeOfMinute(K client, int perMinute, long now) {
        return take(client, perMinute, MINUTE / perMinute, now) == 0;
    }
}
