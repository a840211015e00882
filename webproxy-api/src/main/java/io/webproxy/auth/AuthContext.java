package io.webproxy.auth;

import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;

/** The services that a running server offers an {@link Authenticator}. Thread-safe. */
public interface AuthContext {
    /**
     * Daemon threads for slow or repeating tasks; they end with the server. Its queue is bounded, and rejects tasks
     * when full.
     */
    ScheduledExecutorService executor();

    /** A monotonic clock in nanoseconds. */
    LongSupplier nanoClock();

    /**
     * Whether a password matches a bcrypt hash ({@code $2a$}, {@code $2b$} or {@code $2y$}). Takes as long as the
     * hash's cost says, so never call it on an IO thread.
     *
     * @param password UTF-8, of any length
     * @return also false if the hash is malformed, or the password is longer than the 72 bytes that bcrypt uses
     */
    boolean verifyBcrypt(byte[] password, String hash);
}
