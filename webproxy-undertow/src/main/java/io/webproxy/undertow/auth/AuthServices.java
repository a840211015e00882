package io.webproxy.undertow.auth;

import java.nio.file.Path;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What checks of passwords need of a server. Thread-safe. */
interface AuthServices {
    /** Who sends the users of a password file to upstreams, see {@link SentUsers}; null if none does. */
    default @Nullable String senderOf(Path file) {
        return null;
    }

    /** Its daemon threads for authenticators. */
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

    /** The services of the server that has this executor. */
    static AuthServices of(ScheduledExecutorService executor) {
        return executor instanceof AuthServices services ? services : new AuthRuntime.Lent(executor);
    }
}
