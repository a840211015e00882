package io.webproxy.auth;

import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;

/** What a running server lends an {@link Authenticator}. Thread-safe. */
public interface AuthContext {
    /** Daemon threads for what takes time or repeats; they end with the server. Bounded: a full queue rejects. */
    ScheduledExecutorService executor();

    /** A monotonic clock in nanoseconds. */
    LongSupplier nanoClock();

    /**
     * Whether a password belongs to a bcrypt hash ({@code $2a$}, {@code $2b$} or {@code $2y$}). Takes as long as the
     * hash's cost says, so never call it on an IO thread.
     *
     * @param password UTF-8, of any length
     * @return false also when the hash is malformed, or the password is longer than the 72 bytes that bcrypt looks at
     */
    boolean verifyBcrypt(byte[] password, String hash);
}
