package io.webproxy.acme.store;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Files below a directory that are replaced atomically, and survive a power cut: written to a temporary file whose name
 * starts with {@code .new-}, forced to the disk, and moved into place; then the directory is forced too. Directories
 * and files are created with access for their owner only.
 *
 * <p>A writer holds an operating system lock on its temporary file. That distinguishes files of dead processes from
 * those being written, even if processes can't see each other, as in containers that share a volume.
 */
final class DurableFiles {
    private static final String BESIDE = ".new-";
    private static final String PROCESS = BESIDE + HexFormat.of().toHexDigits(new SecureRandom().nextLong()) + "-";
    private static final AtomicLong COUNT = new AtomicLong();
    private static final int ATTEMPTS = 3;

    private final Path root;

    DurableFiles(Path root) {
        this.root = root;
    }

    /** Replaces or creates a file. */
    void replace(Path file, byte[] content) throws IOException {
        for (int attempt = 1; ; attempt++) {
            createDirectories(parent(file));
            Path beside = file.resolveSibling(PROCESS + COUNT.incrementAndGet());
            try {
                write(beside, file, content);
                force(parent(file));
                return;
            } catch (NoSuchFileException e) {
                // removed as a dead process's file before it was locked, or the directory is gone: retry
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private void write(Path beside, Path file, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(beside, Set.of(CREATE_NEW, WRITE), owners("rw-------"))) {
            lock(channel);
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
            Files.move(beside, file, ATOMIC_MOVE, REPLACE_EXISTING);
        } catch (IOException e) {
            try {
                Files.deleteIfExists(beside);
            } catch (IOException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
    }

    private static boolean lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** Creates a directory and its missing parents. */
    void createDirectories(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        Path above = directory.getParent();
        if (above != null) {
            createDirectories(above);
        }
        try {
            Files.createDirectory(directory, owners("rwx------"));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw e;
            }
        }
        if (above != null) {
            force(above);
        }
    }

    /** Makes changes of a directory survive a power cut. */
    void force(Path directory) throws IOException {
        if (!posix()) {
            // Windows can't open directories; there the file system makes a move durable by itself.
            return;
        }
        try (FileChannel channel = FileChannel.open(directory, READ)) {
            channel.force(true);
        }
    }

    /** Removes unfinished files of dead processes. */
    void cleanUp() throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                String name = String.valueOf(file.getFileName());
                if (name.startsWith(BESIDE) && !name.startsWith(PROCESS)) {
                    removeUnlessWritten(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static void removeUnlessWritten(Path beside) throws IOException {
        try (FileChannel channel = FileChannel.open(beside, WRITE)) {
            if (lock(channel)) {
                Files.deleteIfExists(beside);
            }
        } catch (NoSuchFileException e) {
            // its writer has moved it into place
            return;
        }
    }

    /** Permissions for new files, if the file system supports them. */
    FileAttribute<?>[] owners(String permissions) {
        return posix()
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    private boolean posix() {
        return root.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static Path parent(Path file) {
        Path parent = file.getParent();
        return parent == null ? file : parent;
    }
}
