package io.webproxy.undertow.auth;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The users in force, and a cache of verified credentials: 1,024 for 5 minutes each. Thread-safe. */
final class VerifiedCredentials {
    private static final int MAX_ENTRIES = 1024;
    private static final long LIFETIME = TimeUnit.MINUTES.toNanos(5);

    private final Map<ByteBuffer, Long> until = new LinkedHashMap<>();
    private @Nullable PasswordFile users;

    /** The users in force, null when stopped. */
    synchronized @Nullable PasswordFile users() {
        return users;
    }

    /** Puts other users in force and forgets all credentials; does nothing and returns false if these are already. */
    synchronized boolean clear(@Nullable PasswordFile next) {
        if (next != null && next == users) {
            return false;
        }
        users = next;
        until.clear();
        return true;
    }

    synchronized boolean contains(ByteBuffer credentials, long now) {
        Long end = until.get(credentials);
        if (end != null && now - end >= 0) {
            until.remove(credentials);
            return false;
        }
        return end != null;
    }

    /** Remembers credentials, unless the users have changed since they were verified. */
    synchronized void add(ByteBuffer credentials, PasswordFile against, long now) {
        if (against != users) {
            return;
        }
        if (until.size() >= MAX_ENTRIES && !until.containsKey(credentials)) {
            until.remove(until.keySet().iterator().next());
        }
        until.put(credentials, now + LIFETIME);
    }
}
