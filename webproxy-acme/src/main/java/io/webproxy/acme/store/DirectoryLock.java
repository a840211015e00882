package io.webproxy.acme.store;

import io.webproxy.acme.CertificateStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A lock that this process holds in a directory, see {@link DirectoryLocks}. Thread-safe. */
final class DirectoryLock implements CertificateStore.Lock {
    private static final Duration LONGEST = Duration.ofHours(1);

    private final DirectoryLocks locks;
    private final Path file;
    private final FileChannel channel;
    private final Duration lease;
    private final LongSupplier nanoClock;
    private final String holder = ProcessHandle.current().pid() + " " + UUID.randomUUID();
    private final @Nullable Object identity;
    private long extensions;
    private volatile long since;

    /** A lock on a file whose channel has been locked. */
    DirectoryLock(DirectoryLocks locks, Path file, FileChannel channel, Duration lease, LongSupplier nanoClock)
            throws IOException {
        this.locks = locks;
        this.file = file;
        this.channel = channel;
        this.lease = lease;
        this.nanoClock = nanoClock;
        this.identity = identityInPlace();
        write();
    }

    /** The lease in a lock's content; the longest one if it can't be read. */
    static Duration lease(String content) {
        String[] words = content.strip().split(" ", -1);
        try {
            return words.length == 4 ? Duration.ofMillis(Long.parseLong(words[3])) : LONGEST;
        } catch (NumberFormatException e) {
            return LONGEST;
        }
    }

    @Override
    public boolean extend() throws IOException {
        return locks.extend(this, file);
    }

    /** Whether the lease has ended since its last extension. */
    boolean isOver() {
        return nanoClock.getAsLong() - since > lease.toNanos();
    }

    /** Whether this lock's file is still in place, and wasn't replaced by another. */
    boolean isInPlace() throws IOException {
        return channel.isOpen() && Objects.equals(identity, identityInPlace());
    }

    private @Nullable Object identityInPlace() throws IOException {
        try {
            // opening the file to check would lose the lock
            return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        } catch (NoSuchFileException e) {
            return "none";
        }
    }

    /** Shows that its holder is alive. */
    void write() {
        since = nanoClock.getAsLong();
        String content = holder + " " + extensions++ + " " + lease.toMillis() + "\n";
        try {
            channel.write(ByteBuffer.wrap(content.getBytes(StandardCharsets.US_ASCII)), 0);
        } catch (IOException e) {
            // A full disk: the operating system's lock still holds, and others assume the longest lease.
            return;
        }
    }

    @Override
    public void close() {
        locks.released(this, file);
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing was written any more: the descriptor is closed, and the lock with it.
            return;
        }
    }
}
