package io.webproxy.undertow.auth;

import io.webproxy.undertow.deadline.TokenBuckets;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Limits how often the attempts of one client address may fail: a bucket of ten tokens, refilled by one a second. It
 * remembers 10,000 credentials that have passed; the least recently used are forgotten first. Thread-safe.
 */
final class FailureThrottle {
    private static final int MOST_PASSED = 10_000;
    private static final int BURST = 10;
    private static final long PERIOD = TimeUnit.SECONDS.toNanos(1);

    /** Credentials that have passed from an address. */
    private record Passed(Object address, ByteBuffer credentials) {}

    private final TokenBuckets<Object> failures = new TokenBuckets<>();

    private final Map<Passed, Boolean> passed = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.@Nullable Entry<Passed, Boolean> eldest) {
            return size() > MOST_PASSED;
        }
    };

    /** Takes a token for an attempt; returns 0, or the nanoseconds until there is one. */
    long take(Object client, long now) {
        return failures.take(client, BURST, PERIOD, now);
    }

    /** The attempt succeeded: gives its token back. */
    void giveBack(Object client) {
        failures.giveBack(client, PERIOD);
    }

    /** Remembers that these credentials passed from this client. */
    synchronized void passed(Object client, ByteBuffer credentials) {
        passed.put(new Passed(client, credentials), true);
    }

    /** Whether these credentials passed from this client before: then the attempt isn't a guess. */
    synchronized boolean hasPassed(Object client, ByteBuffer credentials) {
        return passed.get(new Passed(client, credentials)) != null;
    }
}
