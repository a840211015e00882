package io.webproxy.acme;

import io.webproxy.acme.store.DirectoryStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Stores accounts, keys and certificates, so that they survive restarts and can be shared by several servers. A
 * database can implement it.
 *
 * <p>Keys are strings such as {@code certificates/example.com/EC}: segments of letters, digits, {@code .}, {@code -},
 * {@code _}, {@code *} and {@code :}, joined by slashes; no segment begins with a dot or is longer than 253 characters,
 * and no key followed by a slash is a prefix of another key. Values are at most 1 MiB. What an implementation MUST do:
 *
 * <ul>
 *   <li>A {@link #put} is atomic: a reader sees either the whole old value or the whole new one, also after a crash at
 *       any moment. When it returns, the value is durable.
 *   <li>A read after a {@link #put} has returned, in this process or another, sees its value.
 *   <li>{@link #lock} excludes all other processes that share the store.
 *   <li>All methods can be called by several threads at once and may block; none is called on an IO thread.
 *   <li>A failure is an {@link IOException} whose message says what failed and where.
 * </ul>
 *
 * Values hold private keys: an implementation MUST keep them from everyone but its operator.
 */
public interface CertificateStore {
    /**
     * A store in a directory, which is created when needed and readable by its owner only: each key is a file of that
     * name, with {@code +} for {@code *} and {@code =} for {@code :}. Several processes can share it if the file system
     * supports locks, as local ones do. A directory of a newer release is refused.
     */
    static CertificateStore directory(Path directory) {
        return new DirectoryStore(Objects.requireNonNull(directory, "directory"));
    }

    /** Returns the value of a key; empty if there is none. */
    Optional<byte[]> get(String key) throws IOException;

    /** Stores a value under a key, replacing any previous one. */
    void put(String key, byte[] value) throws IOException;

    /** The keys that begin with this prefix, which ends with a slash or is empty; sorted. */
    List<String> list(String prefix) throws IOException;

    /** Deletes a key; no effect if it doesn't exist. */
    void delete(String key) throws IOException;

    /**
     * Takes a lock if it is free; doesn't wait. A process that dies loses its locks when their leases end.
     *
     * @param lease how long it is held unless {@linkplain Lock#extend extended}, 1 s to 1 h
     * @return empty if another holds it
     */
    Optional<Lock> lock(String name, Duration lease) throws IOException;

    /** A held lock. */
    interface Lock extends AutoCloseable {
        /**
         * Extends the lease by its full duration from now on.
         *
         * @return whether the lock is still held; if not, another holder may be at work
         */
        boolean extend() throws IOException;

        /** Releases the lock; idempotent. Never throws: a lease that can't be released ends by itself. */
        @Override
        void close();
    }
}
