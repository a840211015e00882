package io.webproxy.acme.store;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.webproxy.acme.CertificateStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The locks of a directory: each is a file in {@code .locks}, which its holder locks by the operating system, and in
 * which it counts its extensions.
 *
 * <p>The operating system's lock ends with its process, so that others needn't wait for the lease of a dead process.
 * But it can't be taken from a process that hangs: the lease is for that. A process that finds the lock taken, and its
 * file unchanged for longer than the lease, replaces the file; if the old holder wakes up, it notices that its file is
 * gone. Each process measures the lease by its own monotonic clock, so a wrong clock never costs a holder its lock. All
 * checks and changes are made under a short-lived lock, {@code .guard}.
 */
final class DirectoryLocks {
    /**
     * Locks of this process. A process loses its lock when it closes any channel to the file, so it never opens these
     * files.
     */
    private static final Map<Path, DirectoryLock> HELD = new HashMap<>();

    private static final long GUARD_WAIT = TimeUnit.MILLISECONDS.toNanos(200);

    /** What another process has written, and since when that is unchanged. */
    private record Seen(String content, long since) {}

    private final Path directory;
    private final DurableFiles files;
    private final LongSupplier nanoClock;
    private final Map<Path, Seen> seen = new HashMap<>();

    DirectoryLocks(Path directory, DurableFiles files, LongSupplier nanoClock) {
        this.directory = directory;
        this.files = files;
        this.nanoClock = nanoClock;
    }

    Optional<CertificateStore.Lock> take(String name, Duration lease) throws IOException {
        StoreKey.file(directory, name);
        files.createDirectories(directory);
        Path file = StoreKey.file(directory.toRealPath(), name);
        synchronized (HELD) {
            DirectoryLock here = HELD.get(file);
            if (here != null && !here.isOver()) {
                return Optional.empty();
            }
            Path above = file.getParent();
            files.createDirectories(above == null ? directory : above);
            try (FileChannel guard = guard()) {
                if (guard == null) {
                    return Optional.empty();
                }
                FileChannel channel = here == null ? openIfFree(file) : openAnew(file);
                if (channel == null) {
                    return Optional.empty();
                }
                seen.remove(file);
                DirectoryLock lock = new DirectoryLock(this, file, channel, lease, nanoClock);
                HELD.put(file, lock);
                return Optional.of(lock);
            }
        }
    }

    /** Runs a holder's work on its lock under the guard; false if it no longer holds it. */
    boolean extend(DirectoryLock lock, Path file) throws IOException {
        synchronized (HELD) {
            if (HELD.get(file) != lock) {
                return false;
            }
            try (FileChannel guard = guard()) {
                if (guard == null) {
                    // no other process gets at it either
                    return true;
                }
                if (lock.isInPlace()) {
                    lock.write();
                    return true;
                }
                HELD.remove(file);
                return false;
            }
        }
    }

    void released(DirectoryLock lock, Path file) {
        synchronized (HELD) {
            HELD.remove(file, lock);
        }
    }

    /** The guard, held until it is closed; null if a process that holds it is suspended. */
    private @Nullable FileChannel guard() throws IOException {
        FileChannel guard = open(directory.resolve(".guard"));
        long begin = System.nanoTime();
        while (!locked(guard)) {
            if (System.nanoTime() - begin > GUARD_WAIT) {
                guard.close();
                return null;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        return guard;
    }

    private @Nullable FileChannel openIfFree(Path file) throws IOException {
        FileChannel channel = open(file);
        if (locked(channel)) {
            return channel;
        }
        String content;
        try (channel) {
            ByteBuffer bytes = ByteBuffer.allocate(200);
            channel.read(bytes, 0);
            content = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
        }
        long now = nanoClock.getAsLong();
        Seen before = seen.get(file);
        if (before == null || !before.content.equals(content)) {
            seen.put(file, new Seen(content, now));
            return null;
        }
        boolean hangs = now - before.since > DirectoryLock.lease(content).toNanos();
        return hangs ? openAnew(file) : null;
    }

    /** A new file instead of that of a hanging holder. */
    private @Nullable FileChannel openAnew(Path file) throws IOException {
        Files.deleteIfExists(file);
        FileChannel channel = open(file);
        if (locked(channel)) {
            return channel;
        }
        channel.close();
        return null;
    }

    private FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, Set.of(CREATE, READ, WRITE), files.owners("rw-------"));
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        } catch (IOException e) {
            // a file system without locks
            channel.close();
            throw e;
        }
    }
}
