package io.webproxy.acme;

import io.webproxy.acme.store.DirectoryStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Where accounts, keys and certificates are kept across restarts, and shared by several servers. Written so that a
 * database can implement it.
 *
 * <p>Keys are texts like {@code certificates/example.com/EC}: segments of letters, digits, {@code .}, {@code -},
 * {@code _}, {@code *} and {@code :}, joined by slashes; no segment begins with a dot or is longer than 253 characters,
 * and no key is another's begin up to a slash. Values are at most 1 MiB. What an implementation MUST do:
 *
 * <ul>
 *   <li>A {@link #put} is atomic: whoever reads sees the old value or the new one whole, also after a crash at any
 *       moment. When it returns, the value is durable.
 *   <li>Whoever reads after a {@link #put} has returned, in this process or another, sees it.
 *   <li>{@link #lock} holds across all processes that share the store.
 *   <li>All methods can be called by several threads at once and may block; none is called on an IO thread.
 *   <li>What goes wrong is an {@link IOException} whose message says what and where.
 * </ul>
 *
 * Values hold private keys: an implementation MUST keep them from everyone but its operator.
 */
public interface CertificateStore {
    /**
     * Keeps all in a directory, which is made when it is needed: readable for its owner alone, each key a file of that
     * name, with {@code +} for {@code *} and {@code =} for {@code :}. Several processes can share it where the file
     * system has locks, as local ones have. A directory of a newer release is refused.
     */
    static CertificateStore directory(Path directory) {
        return new DirectoryStore(Objects.requireNonNull(directory, "directory"));
    }

    /** What is kept under a key; empty if nothing. */
    Optional<byte[]> get(String key) throws IOException;

    /** Keeps a value under a key, in place of another that may be there. */
    void put(String key, byte[] value) throws IOException;

    /** The keys that begin with this prefix, which ends with a slash or is empty; sorted. */
    List<String> list(String prefix) throws IOException;

    /** Keeps nothing under a key any longer; no matter if there was nothing. */
    void delete(String key) throws IOException;

    /**
     * Takes a lock if it is free; doesn't wait. Who dies with it loses it when the lease is over.
     *
     * @param lease how long it is held unless {@linkplain Lock#extend extended}, 1 s to 1 h
     * @return empty if another holds it
     */
    Optional<Lock> lock(String name, Duration lease) throws IOException;

    /** A lock that is held. */
    interface Lock extends AutoCloseable {
        /**
         * Holds it for as long again from now on.
         *
         * @return whether it is still held; if not, another may be at work
         */
        boolean extend() throws IOException;

        /** Gives it back; may be called again. Never throws: a lease that can't be given back ends by itself. */
        @Override
        void close();
    }
}
