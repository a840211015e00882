package io.webproxy.acme.store;

import io.webproxy.acme.CertificateStore;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link CertificateStore} in a directory: {@code certificates/example.com/EC} is the file of that name.
 *
 * <p>Its own files begin with a dot: {@code .version}, {@code .locks} and, for a moment, {@code .new-*}. An interrupt
 * doesn't stop a running operation: a certificate that is being written when the server closes is written completely.
 */
public final class DirectoryStore implements CertificateStore {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.acme");
    private static final Set<PosixFilePermission> OTHERS_READ =
            Set.of(PosixFilePermission.GROUP_READ, PosixFilePermission.OTHERS_READ);
    private static final int VERSION = 1;
    private static final String MARK = "webproxy certificate store, version ";
    private static final int LARGEST = 1 << 20;

    private final Path directory;
    private final DurableFiles files;
    private final DirectoryLocks locks;
    /** Files that were already reported as readable by others. */
    private final Set<Path> readable = ConcurrentHashMap.newKeySet();

    private volatile boolean cleanedUp;

    public DirectoryStore(Path directory) {
        this(directory, System::nanoTime);
    }

    /** Measures leases by this clock. */
    DirectoryStore(Path directory, LongSupplier nanoClock) {
        this.directory = directory.toAbsolutePath().normalize();
        this.files = new DurableFiles(this.directory);
        this.locks = new DirectoryLocks(this.directory.resolve(".locks"), files, nanoClock);
    }

    /** An operation on files. */
    private interface Work<T> {
        T run() throws IOException;
    }

    @Override
    public Optional<byte[]> get(String key) throws IOException {
        Path file = StoreKey.file(directory, key);
        return done(file, "read", () -> {
            try {
                checkVersion();
                if (Files.size(file) > LARGEST) {
                    throw new StoreTrouble(file + " is larger than 1 MiB: no certificate; remove it.");
                }
                byte[] value = Files.readAllBytes(file);
                warnIfOthersCanRead(file);
                return Optional.of(value);
            } catch (NoSuchFileException e) {
                return Optional.empty();
            }
        });
    }

    @Override
    public void put(String key, byte[] value) throws IOException {
        Path file = StoreKey.file(directory, key);
        if (value.length > LARGEST) {
            throw new IllegalArgumentException("value: " + value.length + " bytes (expected: at most " + LARGEST + ")");
        }
        done(file, "written", () -> {
            prepare();
            files.replace(file, value);
            return file;
        });
    }

    @Override
    public List<String> list(String prefix) throws IOException {
        Path from = StoreKey.directory(directory, prefix);
        return done(from, "read", () -> {
            checkVersion();
            List<String> keys = new ArrayList<>();
            if (Files.isDirectory(from)) {
                Files.walkFileTree(from, new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        StoreKey.of(directory, file).ifPresent(keys::add);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                        if (e instanceof NoSuchFileException) {
                            return FileVisitResult.CONTINUE;
                        }
                        throw e;
                    }
                });
            }
            keys.sort(null);
            return List.copyOf(keys);
        });
    }

    @Override
    public void delete(String key) throws IOException {
        Path file = StoreKey.file(directory, key);
        done(file, "removed", () -> {
            checkVersion();
            Path above = file.getParent();
            if (Files.isRegularFile(file) && Files.deleteIfExists(file) && above != null) {
                files.force(above);
            }
            return file;
        });
    }

    @Override
    public Optional<Lock> lock(String name, Duration lease) throws IOException {
        if (lease.compareTo(Duration.ofSeconds(1)) < 0 || lease.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("lease: " + lease + " (expected: 1 s to 1 h)");
        }
        StoreKey.file(directory, name);
        return done(directory.resolve(".locks").resolve("any"), "written", () -> {
            prepare();
            return locks.take(name, lease);
        });
    }

    /** Runs an operation, deferring an interrupt, which would close channels. */
    private <T> T done(Path path, String verb, Work<T> work) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try {
                    return work.run();
                } catch (ClosedByInterruptException e) {
                    Thread.interrupted();
                    interrupted = true;
                }
            }
        } catch (IOException e) {
            throw StoreTrouble.of(directory, path, verb, e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void checkVersion() throws IOException {
        Path file = directory.resolve(".version");
        String text;
        try {
            text = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
        } catch (NoSuchFileException e) {
            return;
        }
        String number = text.startsWith(MARK) ? text.substring(MARK.length()) : "";
        if (!number.matches("[0-9]{1,9}")) {
            throw new StoreTrouble(file + " is damaged (expected: \"" + MARK + VERSION
                    + "\"): restore it, or name another directory.");
        }
        if (Integer.parseInt(number) > VERSION) {
            throw new StoreTrouble(directory + " was written by a newer release (store version " + number
                    + ", expected: " + VERSION + "): use that release, or name another directory.");
        }
    }

    /** Called before a write. */
    private void prepare() throws IOException {
        checkVersion();
        Path mark = directory.resolve(".version");
        if (!Files.exists(mark)) {
            files.replace(mark, (MARK + VERSION + "\n").getBytes(StandardCharsets.ISO_8859_1));
        }
        if (!cleanedUp) {
            cleanedUp = true;
            files.cleanUp();
            warnIfOthersCanWrite();
        }
    }

    /** Values may hold keys; they are written readable for their owner only. */
    private void warnIfOthersCanRead(Path file) throws IOException {
        if (isPosix()
                && !Collections.disjoint(Files.getPosixFilePermissions(file), OTHERS_READ)
                && readable.add(file)) {
            LOG.warn("Others can read {}, which may hold a key: take that from them, chmod 600 {}", file, file);
        }
    }

    private boolean isPosix() {
        return directory.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private void warnIfOthersCanWrite() throws IOException {
        if (isPosix() && Files.getPosixFilePermissions(directory).contains(PosixFilePermission.OTHERS_WRITE)) {
            LOG.warn("Everyone can put certificates into {}: take that from them, chmod 700 {}", directory, directory);
        }
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
